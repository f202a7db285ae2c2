"""From the collection to the desk: ask the sources, join stories, file what is due as `found`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import Series, list_series
from kuaibao.bulletin.model import Item
from kuaibao.bulletin.pipeline.choosing import bulletin_source_ids, join_all
from kuaibao.bulletin.pipeline.fetching import fetch_sources, keep_manuscripts
from kuaibao.bulletin.pipeline.readers import learner_of, readers_of
from kuaibao.bulletin.reading import SECTION_OF_KIND, is_due, score_item
from kuaibao.bulletin.sources.protocol import Fetches
from kuaibao.bulletin.store import FetchRecord, days_before, items_since
from kuaibao.bulletin.writing import entry_for, entry_language, read_manuscripts

__all__ = ["collect", "file_due", "file_found", "newest_piece"]

_FAILED = ("broken", "changed_layout", "out_of_quota")
_BATCH = 300


def collect(
    desk: Desk, actor: Actor, config: BulletinConfig, fetcher: Fetches
) -> tuple[list[FetchRecord], int]:
    """Ask every source once, join what came, and file it; gives the records and how many are new.

    A source that fails breaks nothing: its record says so.
    """
    actor.require("collect")
    now = datetime.fromtimestamp(desk.now, UTC)
    manuscripts = read_manuscripts(config.folder / config.settings.writing.manuscripts, now)
    run = desk.store.begin_run(now)
    keep_manuscripts(desk.store, run, manuscripts, run.now)
    records = list(fetch_sources(desk.store, run, config.sources, fetcher, config.folder))
    join_all(desk.store, bulletin_source_ids(config), lambda n: None)
    n_new = file_due(desk, config, fetcher, run.now)
    failed = sum(r.status in _FAILED for r in records)
    desk.store.finish_run(run, {"sources": len(records), "sources_failed": failed, "new": n_new})
    with desk.change() as change:
        change.log(actor, "collect", details={"found": n_new, "sources_failed": failed})
    return records, n_new


def file_due(desk: Desk, config: BulletinConfig, fetcher: Fetches, now: datetime) -> int:
    """Weigh every item that is due and file it; gives how many pieces are new."""
    readers = readers_of(config, fetcher, now)
    learner = learner_of(desk.store, readers)
    day = config.settings.day or now.date()
    period = config.settings.reading.period_days
    by_source = {one.source.source_id: one for one in config.sources}
    n_new = 0
    for items in _batches(desk, days_before(day, period)):
        scored: list[Item] = []
        for item in items:
            if not is_due(item, day, period):
                continue
            own = by_source.get(item.lead.source_id)
            section = (own.section if own else None) or SECTION_OF_KIND[item.lead.kind]
            weight = own.weight if own else 1.0
            placed = dataclasses.replace(item, section=section)
            one = score_item(placed, readers.profile(section), day, period, weight)
            scored.append(learner.judged(one) if learner else one)
        n_new += file_found(desk, scored)
    return n_new


def file_found(desk: Desk, items: Sequence[Item]) -> int:
    """File items in every series whose languages they fit; gives how many pieces are new.

    What people decided about an item already stays; only the score of what nobody touched moves.
    """
    n_new = 0
    with desk.store.database.write() as connection:
        for series in list_series(desk):
            fitting = [item for item in items if _fits(series, item)]
            ids = [item.item_id for item in fitting]
            columns = tables.piece.c
            known = {
                row.item_id: row
                for row in connection.execute(
                    select(columns.item_id, columns.piece_id, columns.state).where(
                        columns.series_id == series.series_id, columns.item_id.in_(ids)
                    )
                )
            }
            new = [_row(desk, series, item) for item in fitting if item.item_id not in known]
            if new:
                connection.execute(insert(tables.piece), new)
                n_new += len(new)
            for item in fitting:
                row = known.get(item.item_id)
                if row is not None and row.state == "found":
                    connection.execute(
                        update(tables.piece)
                        .where(columns.piece_id == row.piece_id)
                        .values(score=item.score, reasons=json.dumps(item.reasons))
                    )
    return n_new


def newest_piece(desk: Desk) -> int:
    """The number of the piece that was filed last, by whatever process; 0 if there is none."""
    with desk.store.database.read() as connection:
        return connection.scalar(select(func.max(tables.piece.c.piece_id))) or 0


def _fits(series: Series, item: Item) -> bool:
    languages = series.text_languages or (series.language, "*")
    return entry_for(item, languages) is not None or entry_for(item, ("*",)) is not None


def _row(desk: Desk, series: Series, item: Item) -> dict[str, Any]:
    lead = item.lead
    moment = lead.published or lead.updated
    day = moment.day.isoformat() if moment else ""
    if lead.conference and lead.conference.start:
        day = lead.conference.start.isoformat()
    return {
        "series_id": series.series_id, "item_id": item.item_id, "section": item.section,
        "state": "found", "score": item.score,
        "reasons": json.dumps(item.reasons, ensure_ascii=False), "lead_title": lead.title,
        "source_id": lead.source_id, "url": lead.url, "day": day,
        "source_language": entry_language(lead), "changed_at": desk.now,
    }  # fmt: skip


def _batches(desk: Desk, since: Any) -> Any:
    batch: list[Item] = []
    for item in items_since(desk.store, since):
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
