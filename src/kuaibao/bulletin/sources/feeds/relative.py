"""Relative addresses, alone and inside markup, resolved as the tolerant parser does it.

The common shapes are done here with one pattern; whatever is unusual (odd quoting, stray `<`,
unknown entities) goes to feedparser's own routine, so that both paths give the same text.
"""

from __future__ import annotations

import html.entities
import re
from urllib.parse import urljoin

__all__ = ["MarkupBudget", "join", "looks_like_html", "resolve_markup", "safe_base"]

# What may follow `scheme:` in an address that is passed on.
_SCHEMES = frozenset({
    "file", "ftp", "gopher", "h323", "hdl", "http", "https", "imap", "magnet", "mailto", "mms",
    "news", "nntp", "prospero", "rsync", "rtsp", "rtspu", "sftp", "shttp", "sip", "sips", "snews",
    "svn", "svn+ssh", "telnet", "wais", "aim", "callto", "cvs", "facetime", "feed", "git", "gtalk",
    "irc", "ircs", "irc6", "itms", "msnim", "skype", "ssh", "smb", "ymsg",
})  # fmt: skip
_ADDRESS_ATTRIBUTES = frozenset({
    ("a", "href"), ("applet", "codebase"), ("area", "href"), ("audio", "src"),
    ("blockquote", "cite"), ("body", "background"), ("del", "cite"), ("form", "action"),
    ("frame", "longdesc"), ("frame", "src"), ("iframe", "longdesc"), ("iframe", "src"),
    ("head", "profile"), ("img", "longdesc"), ("img", "src"), ("img", "usemap"), ("input", "src"),
    ("input", "usemap"), ("ins", "cite"), ("link", "href"), ("object", "classid"),
    ("object", "codebase"), ("object", "data"), ("object", "usemap"), ("q", "cite"),
    ("script", "src"), ("source", "src"), ("video", "poster"), ("video", "src"),
})  # fmt: skip
_VOID = frozenset({
    "area", "base", "basefont", "br", "col", "command", "embed", "frame", "hr", "img", "input",
    "isindex", "keygen", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_LITERAL = frozenset({"script", "style", "xmp", "listing", "plaintext", "textarea", "title"})
# Elements that a text may hold and still be taken for markup when nothing says what it is.
_USUAL = frozenset({
    "a", "abbr", "acronym", "address", "area", "article", "aside", "audio", "b", "big",
    "blockquote", "br", "button", "canvas", "caption", "center", "cite", "code", "col", "colgroup",
    "command", "datagrid", "datalist", "dd", "del", "details", "dfn", "dialog", "dir", "div", "dl",
    "dt", "em", "event-source", "fieldset", "figcaption", "figure", "font", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "input", "ins", "kbd", "keygen",
    "label", "legend", "li", "m", "map", "menu", "meter", "multicol", "nav", "nextid", "noscript",
    "ol", "optgroup", "option", "output", "p", "pre", "progress", "q", "s", "samp", "section",
    "select", "small", "sound", "source", "spacer", "span", "strike", "strong", "sub", "sup",
    "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul",
    "var", "video",
})  # fmt: skip

_TRIPLE_SLASH = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)/+")
_CLOSES = re.compile(r"</\w+>|&#?\w+;")
_TAG_NAME = re.compile(r"</?(\w+)")
_ENTITY_NAME = re.compile(r"&(\w+);")
_TAG = re.compile(
    r"<!--[^-<>]*(?:-[^-<>]+)*-->"
    r"|<(/?)([a-zA-Z][a-zA-Z0-9]*)"
    r"((?:\s+[a-zA-Z][\w:.-]*\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))*)\s*(/?)>"
)
# Markup that is even already: nothing to resolve or to respell. One pass, no backtracking.
_EVEN = re.compile(
    r"(?:[^<&]++|</?(?:p|b|i|u|em|strong|ul|ol|li|div|span|blockquote|code|pre|sup|sub|h[1-6]|table"
    r"|tr|td|th|tbody|thead|figure|figcaption)>|</a>|<br />|&(?:amp|lt|gt|quot|nbsp|#[2-9]\d{3});"
    r'|<a href="https?://[\w./~%=+-]++(?:\?[\w./~%=+-]++)?+(?:\#[\w-]++)?+">)*+',
    re.ASCII,
)
_ATTRIBUTE = re.compile(r"([a-zA-Z][\w:.-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:#(\d{1,7});|#x([0-9a-f]{1,6});|([a-zA-Z][a-zA-Z0-9]*);)?")
_KNOWN_NAMES = frozenset(html.entities.name2codepoint) | {"apos"}
_SLOW_CHARS = 50_000
_SLOW_BUDGET = 300_000


class MarkupBudget:
    """How much unusual markup one feed may have before it goes to the worker."""

    def __init__(self) -> None:
        self.left = _SLOW_BUDGET

    def spend(self, n_char: int) -> bool:
        """Whether there is enough left for a text of this length."""
        self.left -= n_char
        return n_char <= _SLOW_CHARS and self.left >= 0


def join(base: str, address: str) -> str:
    """`address` against `base`; nothing if it cannot be read."""
    if address.find(":///") > 0:
        address = _TRIPLE_SLASH.sub(r"\1", address)
    if not base:
        return address if _is_joined_alone(address) else _urljoin(base, address)
    return _urljoin(base, address)


def _is_joined_alone(address: str) -> bool:
    """Without a base urljoin gives back what it got, save for ill-formed hosts."""
    return "[" not in address and "]" not in address


def _urljoin(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def safe_base(base: str, address: str) -> str:
    """A base for what is below: absolute, with a scheme that may be passed on; else nothing."""
    if not base:
        return join("", address)
    joined = join(base, address)
    return joined if joined.strip().split(":", 1)[0] in _SCHEMES else ""


def looks_like_html(text: str) -> bool:
    """A text of unknown type is markup: it closes a tag or has a reference, all of them usual."""
    if "<" not in text and "&" not in text:
        return False
    if not _CLOSES.search(text):
        return False
    if any(name.lower() not in _USUAL for name in _TAG_NAME.findall(text)):
        return False
    return all(name in html.entities.entitydefs for name in _ENTITY_NAME.findall(text))


def resolve_markup(text: str, base: str, media_type: str, budget: MarkupBudget) -> str | None:
    """Markup with absolute addresses and even spelling; None if it must go to the worker."""
    if "<" not in text and "&" not in text:
        return text
    if _EVEN.fullmatch(text):
        return text
    return _resolve_usual(text, base) or _resolve_unusual(text, base, media_type, budget)


def _resolve_usual(text: str, base: str) -> str | None:
    if "&#3" in text:
        text = text.replace("&#39;", "'").replace("&#34;", '"')
    if "&" in text and not _has_only_known_references(text):
        return None
    parts: list[str] = []
    end = n_tag = 0
    for match in _TAG.finditer(text):
        n_tag += 1
        parts.append(text[end : match.start()])
        end = match.end()
        slash, name, attributes, closed = match.groups()
        if name is None:
            n_tag += match.group(0).count("<") - 1
            parts.append(match.group(0))
            continue
        tag = name.lower()
        if tag in _LITERAL or (slash and (attributes or closed)):
            return None
        if slash:
            parts.append("" if tag in _VOID else f"</{tag}>")
        elif closed and tag not in _VOID:
            if attributes or match.group(0)[-3:-2].isspace():
                return None
            parts.append(f"<{tag}></{tag}>")
        else:
            written = _attributes(tag, attributes, base) if attributes else ""
            parts.append(f"<{tag}{written} />" if tag in _VOID else f"<{tag}{written}>")
    if n_tag != text.count("<"):
        return None
    parts.append(text[end:])
    return "".join(parts)


def _has_only_known_references(text: str) -> bool:
    for match in _REFERENCE.finditer(text):
        decimal, hexadecimal, name = match.groups()
        if name is not None:
            if name not in _KNOWN_NAMES:
                return False
        elif decimal is None and hexadecimal is None:
            return False
        else:
            number = int(decimal) if decimal is not None else int(hexadecimal, 16)
            if 128 <= number <= 159:
                return False
    return True


def _attributes(tag: str, text: str, base: str) -> str:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        name = match.group(1).lower()
        value = match.group(2) if match.group(2) is not None else match.group(3)
        if (tag, name) in _ADDRESS_ATTRIBUTES:
            value = _resolve_address(base, value.strip()) or value
        elif name in ("rel", "type"):
            value = value.lower()
        found[name] = value
    return "".join(
        f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in sorted(found.items())
    )


def _resolve_address(base: str, address: str) -> str:
    if not base:
        return address
    if not address:
        return base
    return safe_base(base, address)


def _resolve_unusual(text: str, base: str, media_type: str, budget: MarkupBudget) -> str | None:
    if not budget.spend(len(text)):
        return None
    from feedparser.urls import resolve_relative_uris

    try:
        return str(resolve_relative_uris(text, base, "utf-8", media_type))
    except Exception:  # an old SGML parser on anything: the worker will say what comes of it
        return None
