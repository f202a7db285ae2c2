"""The markup inside an XHTML text construct, written as HTML."""

from __future__ import annotations

from typing import Any

__all__ = ["VOID", "NotPlainError", "inner_markup"]

VOID = frozenset({
    "area", "base", "basefont", "br", "col", "command", "embed", "frame", "hr", "img", "input",
    "isindex", "keygen", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
"""Elements without an end tag."""

_XHTML = "http://www.w3.org/1999/xhtml}"
_XML_BASE = "http://www.w3.org/XML/1998/namespace}base"
_FOREIGN = frozenset({"svg", "math", "base"})
_MAX_DEPTH = 200


class NotPlainError(Exception):
    """It holds other vocabularies, bases of its own, or is too deep."""


def inner_markup(element: Any, *, is_wrapped: bool) -> str:
    """What the element holds, without the `div` that Atom wraps it in.

    Args:
        element: A text construct.
        is_wrapped: It is Atom's; elsewhere a `div` is the writer's own.

    Raises:
        NotPlainError: It is not XHTML through and through.
    """
    children = list(element)
    if is_wrapped and len(children) == 1 and not (element.text or "").strip():
        only = children[0]
        if not (only.tail or "").strip() and _name(only) == "div":
            if only.get(_XML_BASE) or only.get("base"):
                raise NotPlainError
            element = only
    parts: list[str] = []
    _write(element, parts, 0)
    return "".join(parts)


def _write(element: Any, parts: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise NotPlainError
    if element.text:
        parts.append(_escape(element.text))
    for child in element:
        name = _name(child)
        attributes = "".join(_attribute(*item) for item in child.items())
        if name in VOID and len(child) == 0 and not child.text:
            parts.append(f"<{name}{attributes} />")
        else:
            parts.append(f"<{name}{attributes}>")
            _write(child, parts, depth + 1)
            parts.append(f"</{name}>")
        if child.tail:
            parts.append(_escape(child.tail))


def _name(element: Any) -> str:
    tag: str = element.tag
    name = tag[len(_XHTML) :].lower()
    if not tag.startswith(_XHTML) or name in _FOREIGN:
        raise NotPlainError
    return name


def _attribute(name: str, value: str) -> str:
    lower = name.lower()
    if "}" in name or lower in ("base", "lang"):
        raise NotPlainError
    if lower in ("rel", "type"):
        value = value.lower()
    return f' {lower}="{_escape(value).replace(chr(34), "&quot;")}"'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
