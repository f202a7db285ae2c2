"""Text without a model: sentences, languages, words, ROUGE, gap sentences, key phrases, summaries.

What is heavy (language identification, Chinese segmentation, syntok) is imported on first use.
"""

from kuaibao.text.claims import (
    align,
    names_in,
    numbers_in,
    unsupported_names,
    unsupported_numbers,
)
from kuaibao.text.errors import StrategyError
from kuaibao.text.gap_sentences import (
    DEFAULT_RATIO,
    STRATEGIES,
    check_strategy,
    count_gap_sentences,
    score_sentences,
    select_gap_sentences,
)
from kuaibao.text.key_phrases import KeyPhrase, key_phrases, segment_words, stop_words
from kuaibao.text.languages import detect_language
from kuaibao.text.rouge import RougeScore, ngrams, rouge, rouge_l, rouge_lsum, rouge_n
from kuaibao.text.sentences import (
    Sentence,
    join_sentences,
    sentence_gap,
    sentence_texts,
    split_sentences,
)
from kuaibao.text.summary import Summary, SummarySentence, summarize
from kuaibao.text.words import han_share, has_han, is_han, stemmed_words, words

__all__ = [
    "DEFAULT_RATIO",
    "STRATEGIES",
    "KeyPhrase",
    "RougeScore",
    "Sentence",
    "StrategyError",
    "Summary",
    "SummarySentence",
    "align",
    "check_strategy",
    "count_gap_sentences",
    "detect_language",
    "han_share",
    "has_han",
    "is_han",
    "join_sentences",
    "key_phrases",
    "names_in",
    "ngrams",
    "numbers_in",
    "rouge",
    "rouge_l",
    "rouge_lsum",
    "rouge_n",
    "score_sentences",
    "segment_words",
    "select_gap_sentences",
    "sentence_gap",
    "sentence_texts",
    "split_sentences",
    "stemmed_words",
    "stop_words",
    "summarize",
    "unsupported_names",
    "unsupported_numbers",
    "words",
]
