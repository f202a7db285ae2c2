"""The issue as a tagged PDF, set by Typst.

The template gets the issue as JSON data and prints strings as strings: nothing from outside is
ever read as markup. The document is compiled to PDF/UA-1, which refuses a glyph that no font
holds, so that no reader meets an empty box; such characters are printed by their code points.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from kuaibao.bulletin.publishing.errors import MissingFontError, PublishingError
from kuaibao.bulletin.publishing.fonts import INSTALL_HINT, find_cjk_font
from kuaibao.bulletin.publishing.page import template_text
from kuaibao.bulletin.publishing.view import FigureView, IssueView, ItemView

__all__ = ["render_pdf"]

_HAN = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNSHOWN = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}")
_TABLES = ("issue", "item", "conference", "punctuation")
_MAX_ATTEMPTS = 40
_ONE_PICTURE = b"""#set page(width: 9pt, height: 9pt, margin: 0pt)
#image(bytes(json(bytes(sys.inputs.picture))), format: sys.inputs.kind, width: 9pt)"""


def render_pdf(issue: IssueView) -> bytes:
    """The issue as PDF bytes; the same issue and fonts give the same bytes.

    Raises:
        MissingFontError: The issue holds Chinese and this machine has no Chinese font.
        PublishingError: The typesetter refused the document.
    """
    data = _data(issue)
    text = json.dumps(data, ensure_ascii=False)
    song, hei = find_cjk_font("song"), find_cjk_font("hei")
    if (song is None or hei is None) and _HAN.search(text):
        raise MissingFontError(
            "The PDF was not made: the issue holds Chinese text and no Chinese font was found",
            hint=INSTALL_HINT,
        )
    fonts = [font for font in (song, hei) if font]
    data["song"], data["hei"] = (font.family if font else "" for font in (song, hei))
    moment = datetime.fromisoformat(issue.day_iso).replace(tzinfo=UTC)
    return _compiled(data, sorted({font.path.parent for font in fonts}), moment)


def _compiled(data: dict[str, Any], font_paths: list[Path], moment: datetime) -> bytes:
    """Compile; what can't be shown is replaced: characters report by report, then pictures."""
    template = template_text("issue.typ").encode("utf-8")
    paths: Any = font_paths  # the stub takes no list of any type
    for _ in range(_MAX_ATTEMPTS):
        try:
            pdf = typst.compile(
                template,
                format="pdf",
                font_paths=typst.Fonts(font_paths=paths),
                sys_inputs={"issue": json.dumps(data, ensure_ascii=False)},
                pdf_standards=["ua-1"],
                timestamp=moment,
            )
        except typst.TypstError as error:
            if unshown := _characters(error.diagnostic):
                data = _without(data, unshown)
            elif not _leave_out_damaged(data):
                raise PublishingError(f"The PDF could not be set: {error.message}") from error
            continue
        if isinstance(pdf, bytes):
            return pdf
    raise PublishingError("The PDF could not be set: too many characters that no font holds")


def _characters(diagnostic: str) -> set[str]:
    """What the typesetter says that no font holds; blanks and ASCII are never meant."""
    texts = "".join(_UNSHOWN.findall(diagnostic))
    return {c for c in _ESCAPED.sub(lambda m: chr(int(m[1], 16)), texts) if ord(c) > 127}


def _without(value: Any, unshown: set[str]) -> Any:
    """`value` with each of these characters printed as its code point, `[U+1A20]`."""
    if isinstance(value, str):
        return "".join(f"[U+{ord(c):04X}]" if c in unshown else c for c in value)
    if isinstance(value, list):
        return [_without(part, unshown) for part in value]
    if isinstance(value, dict):
        return {key: _without(part, unshown) for key, part in value.items()}
    return value


def _leave_out_damaged(data: dict[str, Any]) -> bool:
    """Put its words in the place of each picture that can't be decoded; whether there was one."""
    damaged = [p for p in _pictures(data) if not _is_decoded(p["image"], p["format"])]
    for picture in damaged:
        picture |= {"image": None, "caption": picture["caption"] or picture["alt"]}
    return bool(damaged)


def _pictures(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value.get("image") is not None:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _pictures(part)


def _is_decoded(picture: list[int], kind: str) -> bool:
    try:
        typst.compile(
            _ONE_PICTURE, format="svg", sys_inputs={"picture": json.dumps(picture), "kind": kind}
        )
    except typst.TypstError:
        return False
    return True


def _data(issue: IssueView) -> dict[str, Any]:
    """What the template prints, as JSON values."""
    words = issue.words
    language, _, region = issue.language.partition("-")
    return {
        "language": language,
        "region": region.upper(),
        "accent": issue.look.accent,
        "series": issue.series,
        "title": issue.title,
        "number": issue.number,
        "number_full": issue.number_full,
        "day": issue.day,
        "rows": [{"label": r.label, "value": r.value, "url": r.url} for r in issue.rows],
        "highlights": list(issue.highlights),
        "disclaimer": issue.disclaimer,
        "hash": issue.content_hash,
        "cover": _figure(issue.cover) if issue.cover else None,
        "words": {
            table: words.words(table) for table in ("issue", "item", "conference", "punctuation")
        },
        "sections": [
            {
                "title": section.title,
                "kind": section.kind,
                "items": [_item(item, issue.language) for item in section.items],
            }
            for section in issue.sections
        ],
    }


def _item(item: ItemView, language: str) -> dict[str, Any]:
    meeting = item.conference
    return {
        "title": item.title,
        "language": _short(item.text_language or language),
        "original_title": item.original_title,
        "original_language": _short(item.original_language or language),
        "byline": [
            {"value": value, "url": url}
            for value, url in (
                (item.authors, ""),
                (item.source, ""),
                (item.published, ""),
                *((f"{row.label} {row.value}", row.url) for row in item.identifiers),
                (item.licence, ""),
            )
            if value
        ],
        "url": item.url,
        "body": [_body_part(part.blocks, part.figure, item) for part in item.body],
        "text": [part.text for part in item.parts if not part.label],
        "fields": [{"label": p.label, "text": p.text} for p in item.parts if p.label],
        "facts": [{"label": f.label, "value": f.value, "url": f.url} for f in item.facts],
        "lead": _figure(item.figures[item.lead_figure]) if item.lead_figure is not None else None,
        "figures": [_figure(item.figures[index]) for index in item.loose_figures],
        "conference": {
            "dates": meeting.dates,
            "place": meeting.place,
            "deadline": meeting.deadline,
        }
        if meeting
        else None,
        "key_phrases": list(item.key_phrases),
        "also": [{"value": row.value, "url": row.url} for row in item.also],
        "signature": item.signature,
    }


def _body_part(blocks: Any, figure: int | None, item: ItemView) -> dict[str, Any]:
    if figure is not None:
        return {"figure": _figure(item.figures[figure]), "blocks": []}
    return {"figure": None, "blocks": list(blocks)}


def _figure(figure: FigureView) -> dict[str, Any]:
    """A drawing as its text, a picture as numbers: Typst reads no base64."""
    return {
        "svg": figure.svg,
        "image": list(figure.image_bytes) if figure.image else None,
        "format": "jpg" if figure.image_type == "jpeg" else figure.image_type,
        "alt": figure.alt or figure.caption,
        "caption": figure.caption,
        "source": figure.source or figure.source_url,
        "source_url": figure.source_url,
    }


def _short(tag: str) -> str:
    """The primary language of a tag, as Typst takes it."""
    language = tag.split("-")[0].lower()
    return language if 2 <= len(language) <= 3 else "en"
