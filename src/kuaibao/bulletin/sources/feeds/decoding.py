"""From bytes to text: byte-order mark, header, prolog, then a guess; none is believed untried."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from kuaibao.bulletin.sources.feeds.east_asian import guess_east_asian

__all__ = ["Decoded", "charset_of", "decode"]

_MARKS = (  # the longer ones first: UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_EBCDIC = "cp037"
"""Enough of every EBCDIC page to read which one a prolog names."""
_FIRST_BYTES = (  # of "<?", "<r" … without a mark (XML 1.0, appendix F)
    (re.compile(rb"\x00\x00\x00<"), "utf-32-be"),
    (re.compile(rb"<\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00<\x00[?\w]"), "utf-16-be"),
    (re.compile(rb"<\x00[?\w]\x00"), "utf-16-le"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), _EBCDIC),
)
_PROLOG = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")
_FEED_START = re.compile(
    rb"(?i)\s*(?:<\?xml.*?\?>\s*)?(?:<!--.*?-->\s*)*<(?:rss|feed|rdf)", re.DOTALL
)
_META_BYTES = 16 * 1024
"""Pages put much before the element that names their charset."""
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_META = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE
)
_WIDER = {  # what people call by the narrower name, and names that Python has not
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "gb2312-80": "gb18030",
    "x-gbk": "gb18030", "cp936": "gb18030", "big5": "big5hkscs", "big5-hkscs": "big5hkscs",
    "x-sjis": "cp932", "shift_jis": "cp932", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "x-user-defined": "cp1252", "unicode": "utf-16", "x-euc-jp": "euc_jp",
    "mac": "mac_roman", "csmacintosh": "mac_roman", "ms-ansi": "cp1252", "ms-arab": "cp1256",
    "ms-cyrl": "cp1251", "ms-ee": "cp1250", "ms-greek": "cp1253", "ms-hebr": "cp1255",
    "ms-turk": "cp1254", "winbaltrim": "cp1257",
    "iso-10646-ucs-2": "utf-16", "iso-10646-ucs-4": "utf-32", "ucs-2": "utf-16", "ucs-4": "utf-32",
}  # fmt: skip
_TEXT_CODECS = re.compile(r"(?i)base64|hex|quopri|uu|zip|bz2|zlib|rot|punycode|idna|escape")
_CYRILLIC = ("cp1251", "koi8_r", "iso8859_5", "mac_cyrillic", "cp866")
_GUESS_BYTES = 64 * 1024


class Decoded(NamedTuple):
    """Text, the encoding that gave it, and what was wrong with what was declared."""

    text: str
    encoding: str
    problems: tuple[str, ...] = ()


def charset_of(content_type: str) -> str:
    """The charset parameter of a `Content-Type` header; empty if there is none."""
    match = _CHARSET.search(content_type)
    return match.group(1) if match else ""


def decode(data: bytes, content_type: str = "") -> Decoded:
    """Decode a feed or a page.

    A mark wins, then the header's charset, then the prolog's (or `<meta>`'s); a declared encoding
    that cannot have written these bytes is set aside and reported. Narrow Chinese names are read as
    their supersets (gb2312 as gb18030).
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding)
    sniffed = next((name for form, name in _FIRST_BYTES if form.match(data)), "")
    header = charset_of(content_type)
    prolog = _declared(_in_ascii(data, sniffed))
    own = prolog if sniffed == _EBCDIC and prolog else sniffed or prolog
    problems: list[str] = []
    for declared in dict.fromkeys((header, own)):
        if not declared:
            continue
        text = _try(data, declared)
        if text is not None:
            return Decoded(text, declared.lower(), tuple(problems))
        problems.append(f"declared as {declared}, which its bytes are not")
    if header and prolog and prolog.lower() != header.lower():
        text = _try(data, prolog)
        if text is not None:
            return Decoded(text, prolog.lower(), tuple(problems))
    return _guess(data, problems)


def _decode_marked(data: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        return Decoded(text, encoding, (f"some bytes are not {encoding}",))


def _in_ascii(data: bytes, sniffed: str) -> bytes:
    """The beginning, such that a prolog in it can be read."""
    if sniffed == _EBCDIC:
        return data[:800].decode(_EBCDIC).encode("ascii", "replace")
    return data[:800].replace(b"\x00", b"") if sniffed else data


def _declared(data: bytes) -> str:
    match = _PROLOG.match(data[:2048])
    if match is None and not _FEED_START.match(data[:2048]):
        match = _META.search(data[:_META_BYTES])
    return match.group(1).decode("ascii") if match else ""


def _try(data: bytes, name: str) -> str | None:
    codec = _WIDER.get(name.lower(), name)
    if _TEXT_CODECS.search(codec):
        return None
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _guess(data: bytes, problems: list[str]) -> Decoded:
    text = _try(data, "utf-8")
    if text is not None:
        return Decoded(text, "utf-8", tuple(problems))
    replaced = data.decode("utf-8", "replace")
    n_bad, n_good = replaced.count("\ufffd"), sum(c > "\x7f" for c in replaced)
    if n_bad * 2 <= n_good:  # stray bytes in text that is UTF-8: in no other is so much of it valid
        problems.append("some bytes are not utf-8")
        return Decoded(replaced, "utf-8", tuple(problems))
    encoding = _detect(data)
    guessed = _try(data, encoding) if encoding else None
    if guessed is None:
        encoding, guessed = "cp1252", data.decode("cp1252", "replace")
    problems.append(f"encoding not declared; read as {encoding}")
    return Decoded(guessed, encoding, tuple(problems))


def _detect(data: bytes) -> str:
    import charset_normalizer

    sample = data[:_GUESS_BYTES]
    if east_asian := guess_east_asian(sample):
        return east_asian
    best = charset_normalizer.from_bytes(sample).best()
    if best is None:
        return ""
    if best.encoding in _CYRILLIC:
        return max(_CYRILLIC, key=lambda name: _n_lower(sample, name))
    return _WIDER.get(best.encoding, best.encoding)


def _n_lower(sample: bytes, encoding: str) -> int:
    """Text is mostly small letters; read in the wrong Cyrillic alphabet, it is mostly capitals."""
    text = sample.decode(encoding, "replace")
    return sum("а" <= letter <= "я" for letter in text) - text.count("\ufffd")
