"""From entries to items: the same story once, ranked for its readers, with its full text."""

from kuaibao.bulletin.reading.extract import page_text
from kuaibao.bulletin.reading.rank import (
    SECTION_OF_KIND,
    Profile,
    Shortlist,
    is_due,
    make_profile,
    score_item,
)
from kuaibao.bulletin.reading.same_story import canonical_url, claims_of, title_key

__all__ = [
    "SECTION_OF_KIND",
    "Profile",
    "Shortlist",
    "canonical_url",
    "claims_of",
    "is_due",
    "make_profile",
    "page_text",
    "score_item",
    "title_key",
]
