"""What makes two entries one story: identifiers, the address, title and author, then the text.

Each claim is a key that an index can hold, so that finding the same story costs the same however
large the archive is.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.reading.minhash import digests, text_shingles
from kuaibao.bulletin.store import Sameness
from kuaibao.database import fold

__all__ = ["canonical_url", "claims_of", "letters_of", "title_key"]

_TRACKING = re.compile(
    r"(?i)^(utm_.*|ga_.*|mc_[ce]id|fbclid|gclid|dclid|msclkid|yclid|igshid|spm|share_.*"
    r"|ref|ref_src|source|cmp|ncid|sr_share|_hs(enc|mi)|mkt_tok|from|scene)$"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOT_TITLE = re.compile(r"[\W_]+", re.UNICODE)
MIN_TITLE_WEIGHT = 16
"""Shorter titles ("Editorial", "Weekly news") name many things. A Han character weighs two."""

MIN_SHINGLES = 40
"""A text with fewer runs of three words can't tell two stories apart."""
MAX_TEXT = 4_000
N_BAND, N_ROW = 3, 6
_TITLE_WORD = re.compile("[\u3400-\u9fff]{2,}|[a-z]{4,}")
_NUMBER = re.compile(r"\d+")
_FAMILIES = {"news": "news", "article": "news", "paper": "paper", "tool": "tool"}
_WORLDWIDE = ("doi", "arxiv", "pmid", "isbn")


def canonical_url(url: str) -> str:
    """One spelling for all addresses of a page; "" if it is no web address.

    Scheme, `www.`, default port, fragment, trackers and the last slash go; the rest of the query
    is sorted. Two addresses that this makes equal are taken for one page.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return ""
    host = parts.hostname.rstrip(".").removeprefix("www.").removeprefix("m.")
    with contextlib.suppress(UnicodeError):
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    if port not in (None, _DEFAULT_PORTS[parts.scheme]):
        host = f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", unquote(parts.path)).rstrip("/")
    path = re.sub(r"/(index|default)\.(html?|php|aspx?)$", "", path)
    pairs = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True)
             if not _TRACKING.match(k)]  # fmt: skip
    query = urlencode(sorted(pairs))
    return f"{host}{path}?{query}" if query else f"{host}{path}"


@lru_cache(maxsize=65_536)
def letters_of(title: str) -> str:
    """Letters and digits of a folded title."""
    return _NOT_TITLE.sub("", fold(title))


def title_key(title: str) -> str:
    """Letters and digits of a folded title; "" where it is too short to name one thing."""
    key = letters_of(title)
    weight = sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in key)
    return key if weight >= MIN_TITLE_WEIGHT else ""


def claims_of(entry: Entry) -> list[Sameness]:
    """Everything by which another entry could be known as the same story, the surest first."""
    if entry.conference is not None or entry.kind == "conference":
        return _conference_claims(entry)
    if entry.kind == "tool":
        return [_tool_claim(entry)]
    family = _FAMILIES[entry.kind]
    claims = [
        # Whatever the kind: news about a paper is told with the paper.
        Sameness(f"{scheme.lower()}:{_bare(scheme, value)}", f"same {scheme.upper()} {value}")
        for scheme, value in entry.identifiers
        if scheme.lower() in _WORLDWIDE and value
    ]
    url = canonical_url(entry.url)
    if "/" in url or "?" in url:  # a site's front page is the address of many stories
        claims.append(Sameness(f"{family}:url:{url}", f"same address {url}"))
    if key := title_key(entry.title):
        author = _surname(entry.authors[0]) if entry.authors and family == "paper" else ""
        moment = entry.published or entry.updated
        year = str(moment.day.year) if moment and family == "news" else ""
        reason = "same title and first author" if author else "same title"
        claims.append(Sameness(f"{family}:title:{key}:{author}:{year}", reason))
    return [*claims, *_text_claims(entry, family)]


def _text_claims(entry: Entry, family: str) -> list[Sameness]:
    """Nearly the same text, and a long word of the title shared: bands of MinHash as keys.

    With three bands of six, of texts with a resemblance of 0.95 98 % are joined, of 0.9 90 %, of
    0.5 5 %; the word keeps apart what only shares a standing text.
    """
    shingles = text_shingles((entry.content or entry.summary)[:MAX_TEXT])
    words = sorted(set(_TITLE_WORD.findall(fold(entry.title))), key=lambda w: (-len(w), w))[:2]
    if len(shingles) < MIN_SHINGLES or not words:
        return []
    row = digests([shingles])[0]
    numbers = ".".join(_NUMBER.findall(entry.title))
    bands = [row[i * N_ROW : (i + 1) * N_ROW].tobytes().hex() for i in range(N_BAND)]
    return [
        Sameness(f"{family}:text:{i}:{band}:{word}:{numbers}", "nearly the same text")
        for i, band in enumerate(bands)
        for word in words
    ]


def _conference_claims(entry: Entry) -> list[Sameness]:
    meeting = entry.conference
    name = _NOT_TITLE.sub("", fold(meeting.name if meeting and meeting.name else entry.title))
    start = meeting.start if meeting else None
    year = str(start.year) if start else ""
    return [Sameness(f"conference:{name}:{year}", "same meeting in the same year")] if name else []


def _tool_claim(entry: Entry) -> Sameness:
    name = _NOT_TITLE.sub("", fold(entry.title))
    return Sameness(f"tool:{name or entry.entry_id}", "same project and version")


def _bare(scheme: str, value: str) -> str:
    """An identifier without version, in one case."""
    bare = value.strip().lower()
    return re.sub(r"v\d+$", "", bare) if scheme.lower() == "arxiv" else bare


def _surname(author: str) -> str:
    """The last word of a name, or what stands before its comma."""
    name = fold(author)
    parts = name.split(",")[0].split() if "," in name else name.split()[-1:]
    return _NOT_TITLE.sub("", parts[-1]) if parts else ""
