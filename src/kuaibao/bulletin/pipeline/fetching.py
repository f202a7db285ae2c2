"""The stage that asks every source once, several at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path

from kuaibao.bulletin.config import SourceEntry
from kuaibao.bulletin.sources import SourceContext, SourceResult
from kuaibao.bulletin.sources.protocol import Fetches
from kuaibao.bulletin.store import FetchRecord, Run, Store
from kuaibao.bulletin.writing import Manuscript
from kuaibao.bulletin.writing.manuscripts import SOURCE_ID

__all__ = ["fetch_sources", "keep_manuscripts"]

N_WORKER = 8


def fetch_sources(
    store: Store, run: Run, sources: Sequence[SourceEntry], fetcher: Fetches, folder: Path
) -> Iterator[FetchRecord]:
    """Ask those that were not asked in this run yet; keep each answer as it comes.

    A source that fails, even by a fault of its own code, is told of and breaks nothing.
    """
    asked = store.asked(run)
    waiting = [one.source for one in sources if one.source.source_id not in asked]
    yield from (asked[s.source.source_id] for s in sources if s.source.source_id in asked)
    with ThreadPoolExecutor(N_WORKER) as pool:
        futures = {}
        for source in waiting:
            context = SourceContext(
                fetcher=fetcher,
                state=store.source_state(source.source_id),
                now=run.now,
                base_dir=folder,
            )
            futures[pool.submit(source.fetch, context)] = (source, context)
        for future in as_completed(futures):
            source, context = futures[future]
            try:
                result = future.result()
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                result = SourceResult(state=context.state, status="broken", message=said)
            yield store.save_fetch(run, source.source_id, source.kind, result)


def keep_manuscripts(
    store: Store, run: Run, manuscripts: Sequence[Manuscript], now: datetime
) -> FetchRecord | None:
    """Keep people's texts among the entries; None if there are none or they were kept before."""
    asked = store.asked(run)
    if SOURCE_ID in asked:
        return asked[SOURCE_ID]
    if not manuscripts:
        return None
    entries = tuple(dataclasses.replace(m.entry, retrieved=now) for m in manuscripts)
    result = SourceResult(entries=entries, status="new", message=f"{len(entries)} manuscripts")
    return store.save_fetch(run, SOURCE_ID, "manuscripts", result)
