"""Relative addresses, alone and inside markup, resolved as the tolerant parser does it.

In markup only the addresses change: everything else stays as the feed wrote it.
"""

from __future__ import annotations

import html.entities
import re
from functools import lru_cache
from urllib.parse import urljoin

__all__ = ["join", "looks_like_html", "resolve_markup", "safe_base"]

# What may follow `scheme:` in an address that is passed on.
_SCHEMES = frozenset({
    "file", "ftp", "gopher", "h323", "hdl", "http", "https", "imap", "magnet", "mailto", "mms",
    "news", "nntp", "prospero", "rsync", "rtsp", "rtspu", "sftp", "shttp", "sip", "sips", "snews",
    "svn", "svn+ssh", "telnet", "wais", "aim", "callto", "cvs", "facetime", "feed", "git", "gtalk",
    "irc", "ircs", "irc6", "itms", "msnim", "skype", "ssh", "smb", "ymsg",
})  # fmt: skip
_ADDRESS_ATTRIBUTES = {
    "action": {"form"}, "background": {"body"}, "cite": {"blockquote", "del", "ins", "q"},
    "classid": {"object"}, "codebase": {"applet", "object"}, "data": {"object"},
    "href": {"a", "area", "link"}, "longdesc": {"frame", "iframe", "img"}, "poster": {"video"},
    "profile": {"head"}, "usemap": {"img", "input", "object"},
    "src": {"audio", "frame", "iframe", "img", "input", "script", "source", "video"},
}  # fmt: skip
"""Attributes that hold an address, with the elements where they do."""
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
    r"<([a-z][a-z0-9:-]*+)((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')++)>", re.IGNORECASE
)  # as far as the next "<" only: linear, whatever is not closed
_ATTRIBUTE = re.compile(r"""(?<![^\s"'/])([^\s=<>"'/]++)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'<>]+)""")
_ELEMENTS = frozenset().union(*_ADDRESS_ATTRIBUTES.values())


def _any_case(name: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in name)


# An equals sign behind such a name (or behind a blank) with no absolute address after it. It begins
# with the one letter to look for, and then with the letters that such names end in, which is what
# makes it quick.
_LAST_LETTERS = "".join({name[-1] + name[-1].upper() for name in _ADDRESS_ATTRIBUTES})
_MAYBE_RELATIVE = re.compile(
    rf"""=(?<=[{_LAST_LETTERS}\s]=)(?!["']?https?://)"""
    rf"(?:{'|'.join(f'(?<={_any_case(name)}=)' for name in _ADDRESS_ATTRIBUTES)}|(?<=\s=))"
)
_PLAIN = r"[\w/.~%+,:=&@!*'()$-]"
_WHOLE = re.compile(
    rf"https?://[a-zA-Z0-9.-]+(?::\d+)?(?:/{_PLAIN}*+)?(?:\?{_PLAIN}++)?|(?:tag|urn):{_PLAIN}++",
    re.ASCII,
)
"""An address which urljoin gives back as it is."""


def join(base: str, address: str) -> str:
    """`address` against `base`; nothing if it cannot be read."""
    if address.find(":///") > 0:
        address = _TRIPLE_SLASH.sub(r"\1", address)
    if not base:
        return address if _is_joined_alone(address) else _urljoin(base, address)
    if _WHOLE.fullmatch(address) and _can_be_read(base):
        return address
    return _urljoin(base, address)


@lru_cache(maxsize=256)
def _can_be_read(base: str) -> bool:
    return _urljoin(base, "x") != ""


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


def resolve_markup(text: str, base: str) -> str:
    """Markup in which every address is absolute, as far as `base` can make it so."""
    if not base or _MAYBE_RELATIVE.search(text) is None:
        return text

    def resolve_tag(match: re.Match[str]) -> str:
        tag, attributes = match.groups()
        name = tag.lower()
        if name not in _ELEMENTS:
            return match.group(0)
        resolved = _ATTRIBUTE.sub(lambda found: _resolve_attribute(found, name, base), attributes)
        return f"<{tag}{resolved}>"

    return _TAG.sub(resolve_tag, text)


def _resolve_attribute(match: re.Match[str], tag: str, base: str) -> str:
    name, equals, value = match.groups()
    if tag not in _ADDRESS_ATTRIBUTES.get(name.lower(), ()):
        return match.group(0)
    quote = value[0] if value[0] in "\"'" else ""
    address = value[1:-1].strip() if quote else value
    return f"{name}{equals}{quote}{_resolve_address(base, address) or address}{quote}"


def _resolve_address(base: str, address: str) -> str:
    return safe_base(base, address) if address else base
