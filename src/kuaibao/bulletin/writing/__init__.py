"""From items to drafts: summaries with evidence, people's manuscripts, drawings, the protocols."""

from kuaibao.bulletin.writing.answering import Answer, Citation, answer_question
from kuaibao.bulletin.writing.back_issues import BackPair, back_pairs, read_issue_files
from kuaibao.bulletin.writing.drafting import (
    DRAFT_VERSION,
    Writer,
    entry_for,
    entry_language,
    is_strategy,
    make_draft,
)
from kuaibao.bulletin.writing.evidence import check_sentence, find_evidence
from kuaibao.bulletin.writing.figures import Drawn, draw_figures
from kuaibao.bulletin.writing.manuscripts import Manuscript, read_manuscripts
from kuaibao.bulletin.writing.papers import PAPER_FIELDS, paper_fields
from kuaibao.bulletin.writing.pictures import (
    ItemPicture,
    ItemPictures,
    Pictures,
    lead_figure,
    pictures_of,
)
from kuaibao.bulletin.writing.protocols import (
    Answerer,
    CoverArtist,
    FigureSorter,
    Headliner,
    Illustrator,
    Summarizer,
    Translator,
    find_answerer,
    find_cover_artist,
    find_figure_sorter,
    find_headliner,
    find_illustrator,
    find_summarizer,
    find_translator,
)

__all__ = [
    "DRAFT_VERSION",
    "PAPER_FIELDS",
    "Answer",
    "Answerer",
    "BackPair",
    "Citation",
    "CoverArtist",
    "Drawn",
    "FigureSorter",
    "Headliner",
    "Illustrator",
    "ItemPicture",
    "ItemPictures",
    "Manuscript",
    "Pictures",
    "Summarizer",
    "Translator",
    "Writer",
    "answer_question",
    "back_pairs",
    "check_sentence",
    "draw_figures",
    "entry_for",
    "entry_language",
    "find_answerer",
    "find_cover_artist",
    "find_evidence",
    "find_figure_sorter",
    "find_headliner",
    "find_illustrator",
    "find_summarizer",
    "find_translator",
    "is_strategy",
    "lead_figure",
    "make_draft",
    "paper_fields",
    "pictures_of",
    "read_issue_files",
    "read_manuscripts",
]
