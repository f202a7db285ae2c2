"""From a bulletin's store and profile to a learner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kuaibao.bulletin.reading.learning.embeddings import centred
from kuaibao.bulletin.reading.learning.features import Embed, Vocabulary
from kuaibao.bulletin.reading.learning.learner import Learner
from kuaibao.bulletin.store import Store, get_items, list_decisions, newest_items, record_decision

__all__ = ["library_of", "open_learner"]

MIN_DECISIONS = 200
"""Decisions from which on vectors are learnt from: with fewer they rank worse than words alone."""
N_VOCABULARY = 10_000
"""Newest items whose words are counted."""


def open_learner(store: Store, library: Sequence[str] = (), embed: Embed | None = None) -> Learner:
    """A learner that has read the store's whole log, and writes to it.

    Args:
        store: Where.
        library: Texts of the readers' library.
        embed: Text → vector, if there is a model of embeddings.
    """
    recent = newest_items(store, N_VOCABULARY)
    texts = [f"{item.lead.title}\n{item.lead.summary or item.lead.content}" for item in recent]
    vocabulary = Vocabulary.of([*texts, *library])
    decisions = list_decisions(store)
    has_enough = embed is not None and len(decisions) >= MIN_DECISIONS
    apart = centred(embed, texts) if embed is not None and has_enough else None
    learner = Learner(vocabulary, library, lambda decision: record_decision(store, decision), apart)
    items = get_items(store, list(dict.fromkeys(d.item_id for d in decisions)))
    learner.replay(decisions, {item.item_id: item for item in items})
    return learner


def library_of(path: str | Path) -> list[str]:
    """Texts of a library from a file (BibTeX, RIS, CSL JSON as Zotero exports it).

    Raises:
        InputError: It is not there, or of another kind.
    """
    from kuaibao.bulletin.sources.library import read_library

    return [f"{e.title} {e.summary} {' '.join(e.categories)}" for e in read_library(path)]
