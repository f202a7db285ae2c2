"""JSON-LD of a page (schema.org): the articles it describes, whatever shape the graph has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["Node", "articles", "first_text", "names_of"]

Node = dict[str, Any]

_ARTICLE = re.compile(r"(?i)(article|posting|report|review|story|recipe|thesis)$")
_PAGE = re.compile(r"(?i)^(webpage|itempage|videoobject|event|softwaresourcecode|creativework)$")
_WRAP = re.compile(r"^\s*(?://)?\s*(?:<!--|<!\[CDATA\[)?\s*|\s*(?://)?\s*(?:-->|\]\]>)?\s*;?\s*$")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
MAX_CHARS = 1_000_000
MAX_NODES = 2_000


def articles(scripts: list[str]) -> list[Node]:
    """Nodes that describe an article, best first; pages and videos after articles."""
    found: list[tuple[int, Node]] = []
    index: dict[str, Node] = {}
    for script in scripts:
        for node in _nodes(_read(script)):
            identity = node.get("@id")
            if isinstance(identity, str):
                index.setdefault(identity, node)
            rank = _rank(node)
            if rank is not None:
                found.append((rank, node))
    found.sort(key=lambda pair: pair[0])
    return [{k: _resolved(v, index) for k, v in node.items()} for _, node in found]


def _rank(node: Node) -> int | None:
    kinds = node.get("@type")
    names = [k for k in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(k, str)]
    if any(_ARTICLE.search(name) for name in names):
        return 0
    return 1 if any(_PAGE.search(name) for name in names) else None


def _read(script: str) -> Any:
    text = _WRAP.sub("", script[:MAX_CHARS])
    for candidate in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(value: Any) -> Iterator[Node]:
    """Every object of a document, outer ones first."""
    queue, n_seen = [value], 0
    while queue and n_seen < MAX_NODES:
        current = queue.pop(0)
        n_seen += 1
        if isinstance(current, list):
            queue += current
        elif isinstance(current, dict):
            yield current
            queue += [v for v in current.values() if isinstance(v, dict | list)]


def _resolved(value: Any, index: dict[str, Node]) -> Any:
    """References (`{"@id": …}`) replaced by what they name."""
    if isinstance(value, list):
        return [_resolved(v, index) for v in value]
    if isinstance(value, dict) and set(value) == {"@id"}:
        return index.get(str(value["@id"]), value)
    return value


def first_text(value: Any) -> str:
    """A text, or the first of a list, or the `@value` or name of an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next((text for text in map(first_text, value[:20]) if text), "")
    if isinstance(value, dict):
        return first_text(value.get("@value") or value.get("name") or value.get("url"))
    return ""


def names_of(value: Any) -> list[str]:
    """Names of people or organisations."""
    if isinstance(value, list):
        return [name for one in value[:200] for name in names_of(one)]
    if isinstance(value, dict):
        name = value.get("name")
        if isinstance(name, list):
            return [first_text(one) for one in name if first_text(one)]
        if not name and (value.get("givenName") or value.get("familyName")):
            parts = (first_text(value.get("givenName")), first_text(value.get("familyName")))
            return [" ".join(part for part in parts if part)]
        return [first_text(name)] if name else []
    return [value] if isinstance(value, str) and value else []
