"""Names that a thing has everywhere: DOI, arXiv number, ISBN, found in addresses and ids."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["arxiv_in", "doi_in", "identifiers_in"]

_DOI = re.compile(
    r"(?i)(?:doi\.org/|doi:\s*|doi/(?:abs/|full/|pdf/)?|^|\s)(10\.\d{4,9}/[^\s\"<>?#]{1,200})"
)
_ARXIV = re.compile(
    r"(?i)(?:arxiv\.org/(?:abs|pdf|html)/|arxiv[:.]\s*|oai:arxiv\.org:)"
    r"(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[a-z]{2})?/\d{7}(?:v\d+)?)"
)


def doi_in(text: str) -> str:
    """The first DOI, in lower case (they are case-insensitive), or nothing."""
    match = _DOI.search(unquote(text))
    if match is None:
        return ""
    doi = match.group(1).rstrip(".,;:)]}'\"").lower()
    return doi.removesuffix(".pdf")


def arxiv_in(text: str) -> str:
    """The first arXiv number with its version if one is given, or nothing."""
    match = _ARXIV.search(text)
    return match.group(1).lower() if match else ""


def identifiers_in(*texts: str) -> tuple[tuple[str, str], ...]:
    """Pairs such as ("arxiv", "2006.00001v2") from addresses and ids; each scheme once.

    A DOI that arXiv gives its preprints is the arXiv number.
    """
    found: dict[str, str] = {}
    for text in texts:
        if number := arxiv_in(text):
            found.setdefault("arxiv", number)
        if doi := doi_in(text):
            if doi.startswith("10.48550/arxiv."):
                found.setdefault("arxiv", doi.removeprefix("10.48550/arxiv."))
            else:
                found.setdefault("doi", doi)
    return tuple(found.items())
