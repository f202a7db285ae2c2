"""The stages between entries and drafts: join, rank, read pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.model import Entry, Item, SectionKind
from kuaibao.bulletin.pipeline.readers import Readers, learner_of
from kuaibao.bulletin.reading import (
    SECTION_OF_KIND,
    Shortlist,
    claims_of,
    is_due,
    page_text,
    score_item,
)
from kuaibao.bulletin.reading.extract import MAX_PAGE_BYTES
from kuaibao.bulletin.reading.learning import Learner
from kuaibao.bulletin.settings import EditionSettings
from kuaibao.bulletin.sources.protocol import Fetches
from kuaibao.bulletin.store import (
    JoinCounts,
    Run,
    Store,
    days_before,
    items_since,
    join_entries,
    page_texts_of_run,
    printed_items,
    reference,
    save_page_text,
)
from kuaibao.bulletin.writing import Manuscript, entry_for
from kuaibao.bulletin.writing.manuscripts import SOURCE_ID
from kuaibao.errors import KuaibaoError

__all__ = [
    "Choice",
    "bulletin_source_ids",
    "join_all",
    "languages_of",
    "manuscript_for",
    "rank",
    "read_pages",
    "text_entry",
]

N_WORKER = 8
OVERSAMPLING = 5
"""Items a section's model chooses from, for each that it takes."""
SHORT_TEXT = 400
"""Characters; a source that gives less is asked for the whole page."""

Choice = dict[SectionKind, list[Item]]


def join_all(
    store: Store, source_ids: Sequence[str], on_batch: Callable[[int], None]
) -> JoinCounts:
    """Give every new entry its item, source by source in the order of the configuration."""
    n_item = n_joined = 0
    for source_id in source_ids:
        for batch in store.unjoined(source_id):
            counts = join_entries(store, batch, [claims_of(one.entry) for one in batch])
            n_item += counts.n_item
            n_joined += counts.n_joined
            on_batch(n_item + n_joined)
    return JoinCounts(n_item, n_joined)


def languages_of(edition: EditionSettings) -> tuple[str, ...]:
    """Languages of texts that an edition prints, the best first; `*` is any other."""
    return edition.text_languages or (edition.language, "*")


def manuscript_for(
    item: Item, manuscripts: Mapping[str, Manuscript], languages: Sequence[str]
) -> Manuscript | None:
    """The text that somebody wrote about an item, in the best language."""
    own = [
        manuscripts[e.entry_id]
        for e in item.entries
        if e.source_id == SOURCE_ID and e.entry_id in manuscripts
    ]
    for wanted in languages:
        for one in own:
            if wanted in ("*", one.language.partition("-")[0]):
                return one
    return None


def text_entry(item: Item, languages: Sequence[str]) -> int | None:
    """Which entry a machine drafts from: never a manuscript, which has its own text."""
    others = [i for i, e in enumerate(item.entries) if e.source_id != SOURCE_ID]
    part = dataclasses.replace(item, entries=tuple(item.entries[i] for i in others))
    index = entry_for(part, languages)
    return None if index is None else others[index]


def rank(
    store: Store,
    config: BulletinConfig,
    day: date,
    readers: Readers,
    manuscripts: Mapping[str, Manuscript],
    on_item: Callable[[int], None],
) -> tuple[list[Choice], int]:
    """The choice of each edition, and how many items were weighed; one pass, bounded memory."""
    settings = config.settings
    learner = learner_of(store, readers)
    factor = OVERSAMPLING if learner else 1
    limits: dict[SectionKind, int] = {s.kind: s.limit * factor for s in settings.sections}
    floors = {section.kind: section.min_score for section in settings.sections}
    shortlists = [Shortlist(limits) for _ in config.editions]
    printed = printed_items(
        store,
        settings.series,
        settings.running_number or settings.number,
        settings.reading.repeat_after,
    )
    by_source = {one.source.source_id: one for one in config.sources}
    n_item = 0
    for item in items_since(store, days_before(day, settings.reading.period_days)):
        if item.item_id in printed or not is_due(item, day, settings.reading.period_days):
            continue
        n_item += 1
        source = by_source.get(item.lead.source_id)
        section = source.section if source else None
        item = dataclasses.replace(item, section=section or SECTION_OF_KIND[item.lead.kind])
        weight = source.weight if source else 1.0
        profile = readers.profile(item.section)
        scored = score_item(item, profile, day, settings.reading.period_days, weight)
        if scored.score >= floors.get(scored.section, 0.0) or scored.section == "conferences":
            for shortlist, edition in zip(shortlists, config.editions, strict=True):
                languages = languages_of(edition)
                written = manuscript_for(scored, manuscripts, languages)
                if written or text_entry(scored, languages) is not None:
                    shortlist.offer(scored)
        if n_item % 200 == 0:
            on_item(n_item)
    choices = [shortlist.chosen() for shortlist in shortlists]
    if learner is not None:
        places: dict[SectionKind, int] = {s.kind: s.limit for s in settings.sections}
        choices = [_by_learner(choice, learner, places) for choice in choices]
    return choices, n_item


def _by_learner(choice: Choice, learner: Learner, places: Mapping[SectionKind, int]) -> Choice:
    """What editors' decisions make of a longer choice; meetings stay in the order of their days."""
    return {
        kind: items[: places[kind]]
        if kind == "conferences"
        else [one.item for one in learner.rank(items, kind, limit=places[kind])]
        for kind, items in choice.items()
    }


def read_pages(
    store: Store, run: Run, items: Sequence[Item], fetcher: Fetches
) -> Iterator[tuple[str, str]]:
    """Read the pages of items whose sources give only a few lines; each is kept as it comes.

    Yields:
        The address and what went wrong ("" if nothing did).
    """
    wanted = {reference(e): e for item in items for e in item.entries[:3] if _is_short(e)}
    for known in page_texts_of_run(store, list(wanted), run.run_id):
        del wanted[known]
    with ThreadPoolExecutor(N_WORKER) as pool:
        futures = {
            pool.submit(_read_page, fetcher, entry.url): (name, entry)
            for name, entry in wanted.items()
        }
        for future in as_completed(futures):
            name, entry = futures[future]
            text, message = future.result()
            if len(text) < max(len(entry.summary), len(entry.content)):
                text, message = "", message or "the page gives no more than the source"
            save_page_text(store, name, text, message, run.run_id)
            yield entry.url, message


def _is_short(entry: Entry) -> bool:
    is_story = entry.kind in ("news", "article") and entry.source_id != SOURCE_ID
    is_web = entry.url.startswith(("http://", "https://"))
    return is_story and is_web and max(len(entry.content), len(entry.summary)) < SHORT_TEXT


def _read_page(fetcher: Fetches, url: str) -> tuple[str, str]:
    try:
        response = fetcher.get(url, max_bytes=MAX_PAGE_BYTES, obey_robots=True)
        text = page_text(response)
    except KuaibaoError as error:
        return "", error.message
    except Exception as error:  # a page can make any parser stumble; the item is printed without it
        return "", f"{type(error).__name__}: {error}"
    return text, "" if text else "no text was found on the page"


def bulletin_source_ids(config: BulletinConfig) -> list[str]:
    """Names of all sources in the order in which their entries are joined: people's texts first."""
    return [SOURCE_ID, *(one.source.source_id for one in config.sources)]
