"""Learning from editors' decisions, section by section; the desk's and the build's way in.

    learner = open_learner(store, config, library)
    learner.decide(Decision(item_id=…, section="news", action="picked", person="ann", at=now))
    learner.rank(items, "news", limit=10)      # diverse, a few uncertain ones among them
    learner.weigh(item, "news").reasons        # why, in words

The log of decisions in the store is the only truth: a model is made from it when a learner is
opened, updated after each decision, and forgets a decision that is taken back.
"""

from kuaibao.bulletin.reading.learning.embeddings import TextVectors, load_vectors
from kuaibao.bulletin.reading.learning.features import Embed, Vocabulary, features_of
from kuaibao.bulletin.reading.learning.learner import Learner, Ranked, Weighed
from kuaibao.bulletin.reading.learning.logistic import LogisticModel
from kuaibao.bulletin.reading.learning.opening import library_of, open_learner

__all__ = [
    "Embed",
    "Learner",
    "LogisticModel",
    "Ranked",
    "TextVectors",
    "Vocabulary",
    "Weighed",
    "features_of",
    "library_of",
    "load_vectors",
    "open_learner",
]
