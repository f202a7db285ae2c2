"""Texts that people wrote for the bulletin: Markdown files with a front matter.

    ---
    title: 图像也能由 GPT 补全
    language: zh
    original_title: Image GPT
    url: https://example.org/image-gpt
    date: 2020-06-17
    compiled_by: Lin Yue
    proofread_by: He Ping
    ---
    正文……

Two manuscripts with one `url` are one item in two languages. `pictures: [a.png, b.jpg]` names files
of the same folder, of which one may lead (`[pictures] lead`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from kuaibao.bulletin.errors import ManuscriptError
from kuaibao.bulletin.model import Enclosure, Entry, ItemKind, Signature
from kuaibao.bulletin.sources.documents import Document, read_markdown
from kuaibao.bulletin.sources.identifiers import identifiers_in
from kuaibao.errors import Place, did_you_mean

__all__ = ["SOURCE_ID", "Manuscript", "read_manuscripts"]

SOURCE_ID = "manuscripts"
MAX_BYTES = 2_000_000
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n.*?\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_OWN_KEYS = frozenset(
    ["original_title", "original_language", "kind", "venue", "compiled_by", "translated_by",
     "proofread_by", "doi", "arxiv", "pictures"]
)  # fmt: skip
_ROLES = (("compiled", "compiled_by"), ("translated", "translated_by"),
          ("proofread", "proofread_by"))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Manuscript:
    """One text, and the entry that it stands for among all others."""

    entry: Entry
    title: str
    language: str
    body_markdown: str
    signatures: tuple[Signature, ...]


def read_manuscripts(folder: Path, now: datetime) -> list[Manuscript]:
    """Every manuscript of a folder, by name; none if there is no such folder.

    Raises:
        ManuscriptError: A file can't be read, has no title or no language, an unknown setting, or
            was proofread by the one who wrote it.
    """
    paths = sorted(folder.rglob("*.md")) if folder.is_dir() else []
    return [_read(path, path.relative_to(folder).as_posix(), now) for path in paths]


def _read(path: Path, name: str, now: datetime) -> Manuscript:
    place = Place(file=str(path), line=1)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ManuscriptError(f"is larger than {MAX_BYTES:,} bytes", place=place)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManuscriptError(f"can't be read: {error}", place=place) from error
    document = read_markdown(text)
    more = dict(document.more)
    unknown = sorted(set(more) - _OWN_KEYS)
    if unknown:
        hint = did_you_mean(unknown[0], [*_OWN_KEYS, "title", "language", "url", "date", "authors"])
        raise ManuscriptError(f"unknown setting '{unknown[0]}'", place=place, hint=hint)
    for field, value in (("title", document.title), ("language", document.language)):
        if not value:
            raise ManuscriptError(f"the front matter gives no {field}", place=place)
    kind = more.get("kind", "article")
    if kind not in get_args(ItemKind):
        hint = did_you_mean(str(kind), get_args(ItemKind))
        raise ManuscriptError(f"unknown kind '{kind}'", place=place, hint=hint)
    return Manuscript(
        entry=_entry(document, more, name, kind, now),
        title=document.title,
        language=document.language.lower(),
        body_markdown=_body(text, document.title),
        signatures=_signatures(more, place),
    )


def _entry(
    document: Document, more: dict[str, Any], name: str, kind: ItemKind, now: datetime
) -> Entry:
    given = tuple((s, str(more[s])) for s in ("doi", "arxiv") if more.get(s))
    found = identifiers_in(document.url)
    return Entry(
        source_id=SOURCE_ID,
        entry_id=name,
        kind=kind,
        title=str(more.get("original_title") or document.title),
        url=document.url,
        authors=document.authors,
        published=document.published,
        language=str(more.get("original_language") or document.language).lower(),
        summary=document.summary,
        content=document.text,
        categories=document.categories,
        identifiers=tuple(dict.fromkeys((*given, *found))),
        venue=str(more.get("venue") or ""),
        licence=document.licence,
        enclosures=tuple(Enclosure(url=p, media_type="image/*") for p in _pictures(more)),
        retrieved=now,
    )


def _pictures(more: dict[str, Any]) -> list[str]:
    """Files of the manuscripts' folder."""
    given = more.get("pictures") or []
    return [str(one) for one in (given if isinstance(given, list) else [given])]


def _body(text: str, title: str) -> str:
    """The Markdown itself; a first heading that repeats the title goes."""
    body = _FRONT.sub("", text, count=1).strip()
    first, _, rest = body.partition("\n")
    return rest.strip() if first.lstrip("# ").strip() == title and first.startswith("#") else body


def _signatures(more: dict[str, Any], place: Place) -> tuple[Signature, ...]:
    signed: list[Signature] = []
    for role, key in _ROLES:
        value = more.get(key) or []
        people = value if isinstance(value, list) else [value]
        signed += [Signature(role=role, person=str(person).strip()) for person in people]  # pyright: ignore[reportArgumentType]
    wrote = {s.person for s in signed if s.role != "proofread"}
    for one in signed:
        if one.role == "proofread" and one.person in wrote:
            raise ManuscriptError(
                f"{one.person} can't proofread their own text",
                place=place,
                hint="Let somebody else proofread it.",
            )
    return tuple(signed)
