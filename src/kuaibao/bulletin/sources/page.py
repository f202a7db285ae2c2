"""Kind `page`: a web page watched by selector: a list of entries, or a text and what changed in it.

robots.txt is obeyed. A selector that finds nothing is a changed layout, never "nothing new".
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urljoin

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.asking import LayoutError, ask, conclude, guarded
from kuaibao.bulletin.sources.deadlines import parse_deadline
from kuaibao.bulletin.sources.errors import SourceSettingError
from kuaibao.bulletin.sources.feeds.dates import parse_date, partial_date
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.identifiers import identifiers_in
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["PageSettings", "PageSource", "readable_diff"]

MAX_BYTES = 5 * 1024 * 1024
MAX_TEXT = 200_000
MAX_LINES = 5_000


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class PageSettings(SourceSettings):
    """Where to look, and for what (CSS selectors)."""

    url: str
    """http(s) address of the page."""
    selector: str
    """`mode = "items"`: one match an entry. `mode = "text"`: the watched part."""
    mode: Literal["items", "text"] = "items"
    """A list of things, or a text that changes."""
    title: str = ""
    """Within a match: the title; the first link or heading if not given."""
    link: str = ""
    """Within a match: the link; the first one if not given."""
    date: str = ""
    """Within a match: the date (`datetime` attribute or text)."""
    summary: str = ""
    """Within a match: the summary."""


@dataclass(frozen=True)
class PageSource:
    """A watched page."""

    source_id: str
    settings: PageSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "page"
    settings_type: ClassVar[type[PageSettings]] = PageSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Look at the page once."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        answer, state = ask(context, self.settings.url, max_bytes=MAX_BYTES, obey_robots=True)
        if answer.is_unchanged:
            return conclude(context, (), state, message="unchanged (304)")
        tree = _tree(decode(answer.body, answer.content_type).text)
        matches = _select(tree, self.settings.selector)
        if not matches:
            raise LayoutError(f"nothing on the page matches '{self.settings.selector}'")
        if self.settings.mode == "text":
            return self._compare(context, matches, state, answer.url)
        entries = [self._item(match, answer.url, context) for match in matches]
        kept = {e.entry_id: e for e in entries if e.title}
        if not kept:
            raise LayoutError(f"no match of '{self.settings.selector}' has a title")
        return conclude(context, tuple(kept.values())[: self.settings.limit], state)

    def _item(self, match: Any, base: str, context: SourceContext) -> Entry:
        s = self.settings
        anchor = _first(match, s.link or "a[href]") or (match if match.tag == "a" else None)
        href = (anchor.attributes.get("href") or "") if anchor is not None else ""
        heading = _first(match, s.title) if s.title else _first(match, "h1,h2,h3,h4,a[href]")
        title = one_line((heading or match).text(separator=" "))
        summary = _first(match, s.summary) if s.summary else None
        url = urljoin(base, href) if href else base
        return Entry(
            source_id=self.source_id,
            entry_id=url if href else f"{base}#{title}",
            kind=s.item_kind or "news",
            title=title[:500],
            url=url,
            published=_date(_first(match, s.date)) if s.date else None,
            language=s.language,
            summary=one_line(summary.text(separator=" ")) if summary is not None else "",
            identifiers=identifiers_in(url),
            licence=s.licence,
            retrieved=context.now,
        )

    def _compare(
        self, context: SourceContext, matches: list[Any], state: dict[str, str], url: str
    ) -> SourceResult:
        """One entry for each change, told as what was added and what was removed."""
        text = "\n\n".join(plain_text(match.html or "") for match in matches)[:MAX_TEXT]
        before = context.state.get("text")
        state["text"] = text
        if before is None:
            return conclude(context, (), state, message="first look: its text is remembered")
        if before == text:
            return conclude(context, (), state)
        entry = Entry(
            source_id=self.source_id,
            entry_id=f"{url}#{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}",
            kind=self.settings.item_kind or "news",
            title=self._page_title(context.state, url),
            url=url,
            updated=PartialDate(value=context.now),
            language=self.settings.language,
            summary=readable_diff(before, text),
            content=text,
            licence=self.settings.licence,
            retrieved=context.now,
        )
        return replace(conclude(context, (entry,), state), status="new", message="its text changed")

    def _page_title(self, state: Mapping[str, str], url: str) -> str:
        return f"{self.source_id}: {url}"


def readable_diff(before: str, after: str, *, n_context: int = 1) -> str:
    """What changed, line by line: `+` added, `−` removed, blank kept, `…` left out."""
    old, new = before.splitlines()[:MAX_LINES], after.splitlines()[:MAX_LINES]
    old, new = [line for line in old if line.strip()], [line for line in new if line.strip()]
    lines: list[str] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 2000)
    for group in matcher.get_grouped_opcodes(n_context):
        if lines:
            lines.append("…")
        for what, i1, i2, j1, j2 in group:
            if what == "equal":
                lines += [f"  {line}" for line in old[i1:i2]]
            else:
                lines += [f"− {line}" for line in old[i1:i2]]
                lines += [f"+ {line}" for line in new[j1:j2]]
    return "\n".join(lines)


def _tree(text: str) -> Any:
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(text)


def _select(tree: Any, selector: str) -> list[Any]:
    from selectolax.lexbor import SelectolaxError

    try:
        return list(tree.css(selector))
    except (SelectolaxError, ValueError) as error:
        raise SourceSettingError(f"'{selector}' is no CSS selector") from error


def _first(node: Any, selector: str) -> Any:
    found = _select(node, selector)
    return found[0] if found else None


def _date(node: Any) -> PartialDate | None:
    if node is None:
        return None
    text = one_line(node.attributes.get("datetime") or node.text())
    if "年" in text:
        return parse_deadline(text)
    return partial_date(parse_date(text), text) or parse_deadline(text)
