"""Text from outside made fit for every format, before any format sees it.

XML 1.0 has no form for most control characters (section 2.2), Typst and mail headers have none
for lone surrogates; bidirectional overrides can make a text say something else than it holds.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

__all__ = ["MAX_FIELD_CHARACTERS", "clean_line", "clean_text", "header_text", "safe_url"]

MAX_FIELD_CHARACTERS = 1_000_000

# All that XML 1.0 forbids, the C1 controls it merely discourages, non-characters, and the
# embedding and override controls of the bidirectional algorithm (isolates are harmless, kept).
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\u202a-\u202e"
    + "".join(
        f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17)
    )
    + "]"
)
_BLANKS = re.compile(r"\s+")
_URL_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\"<>\\^`{|}]")
_WEB = frozenset({"http", "https"})


def clean_text(text: str) -> str:
    """`text` without characters that no format can carry; line breaks become newlines."""
    text = text[:MAX_FIELD_CHARACTERS]
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    return _UNFIT.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n\n"))


def clean_line(text: str) -> str:
    """`clean_text` on one line, blanks collapsed."""
    return _BLANKS.sub(" ", clean_text(text)).strip()


def safe_url(url: str, *, schemes: frozenset[str] = _WEB) -> str:
    """An absolute web address fit for any format, or nothing.

    Blanks, quotes, braces and backslashes are percent-encoded, so that the address can stand in
    an attribute, in BibTeX braces or between angle brackets.
    """
    url = clean_text(url).strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in schemes or (not parts.netloc and parts.scheme != "mailto"):
        return ""
    return _URL_UNSAFE.sub(lambda match: quote(match.group()), url)


def header_text(text: str) -> str:
    """One line in which nothing is an encoded word already.

    The standard library decodes `=?utf-8?q?=0ABcc:…?=` when a header is set and would write the
    line break that hides in it; parted, it stays what the reader was meant to see.
    """
    return clean_line(text).replace("=?", "= ?")
