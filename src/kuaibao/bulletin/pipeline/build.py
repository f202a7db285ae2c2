"""From bulletin.toml to a published issue, stage by stage; each stage goes on where it was."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from kuaibao import __version__
from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.model import Issue, Item, SectionKind
from kuaibao.bulletin.pipeline.choosing import (
    Choice,
    bulletin_source_ids,
    join_all,
    rank,
    read_pages,
)
from kuaibao.bulletin.pipeline.editions import draft_edition, make_issue, writer_of
from kuaibao.bulletin.pipeline.fetching import fetch_sources, keep_manuscripts
from kuaibao.bulletin.pipeline.readers import readers_of
from kuaibao.bulletin.pipeline.report import BuildReport, BuiltEdition, Progress, Stage, Step
from kuaibao.bulletin.publishing import publish
from kuaibao.bulletin.settings import EditionSettings
from kuaibao.bulletin.sources.protocol import Fetches
from kuaibao.bulletin.store import (
    Run,
    Store,
    get_items,
    published_files,
    save_issue,
    save_publication,
)
from kuaibao.bulletin.writing import Manuscript, Writer, pictures_of, read_manuscripts
from kuaibao.errors import KuaibaoError
from kuaibao.fetching import Fetcher
from kuaibao.files import hash_value

__all__ = ["build"]


def build(
    config: BulletinConfig,
    out: Path,
    *,
    fetcher: Fetches | None = None,
    now: datetime | None = None,
    progress: Progress = lambda step: None,
) -> BuildReport:
    """Make the issue.

    A build that was killed is gone on with under its own clock: what was fetched is not fetched
    again, what was drafted is not drafted again.

    Args:
        config: A checked bulletin.toml.
        out: Folder of the main edition; others lie in folders inside it.
        fetcher: The way out; made from the configuration if not given.
        now: The clock of a new run.
        progress: Told at each step of each stage.

    Raises:
        KuaibaoError: A manuscript is wrong, a summariser is missing, or nothing could be printed.
    """
    if fetcher is not None:
        with Store.open(config.database) as store:
            return _Build(config, out, fetcher, store, progress).run(now or datetime.now(UTC))
    with Fetcher(config.settings.fetching.limits()) as made, Store.open(config.database) as store:
        return _Build(config, out, made, store, progress).run(now or datetime.now(UTC))


class _Build:
    """One build with what its stages share."""

    def __init__(
        self, config: BulletinConfig, out: Path, fetcher: Fetches, store: Store, progress: Progress
    ) -> None:
        self.config, self.out, self.fetcher, self.store = config, out, fetcher, store
        self.progress = progress
        self.report = BuildReport()
        self.writer = Writer()
        self.pictures = pictures_of(config)

    def run(self, now: datetime) -> BuildReport:
        """All stages in order."""
        manuscripts = {
            m.entry.entry_id: m
            for m in read_manuscripts(
                self.config.folder / self.config.settings.writing.manuscripts, now
            )
        }
        # A missing summariser is told before anything is fetched.
        self.writer, notices = writer_of(self.config)
        self.report.notices += notices
        run = self.store.begin_run(now)
        self.report.is_resumed = run.is_resumed
        day = self.config.settings.day or run.now.date()
        with self._stage("fetch"):
            self._fetch(run, list(manuscripts.values()))
        with self._stage("items"):
            self._join()
        with self._stage("rank"):
            choices = self._rank(run, day, manuscripts)
        with self._stage("full_text"):
            choices = self._read_pages(run, choices)
        with self._stage("draft"):
            self._draft(choices, manuscripts)
        with self._stage("pictures"):
            self._illustrate(choices)
        with self._stage("layout"):
            issues = self._lay_out(choices, day)
        with self._stage("publish"):
            self._publish(issues)
        self.store.finish_run(run, self.report.counts)
        return self.report

    @contextmanager
    def _stage(self, stage: Stage) -> Generator[None]:
        started = time.perf_counter()
        self.progress(Step(stage, 0, 0))
        yield
        self.report.seconds[stage] = time.perf_counter() - started

    def _fetch(self, run: Run, manuscripts: list[Manuscript]) -> None:
        sources = self.config.sources
        kept = keep_manuscripts(self.store, run, manuscripts, run.now)
        records = [kept] if kept else []
        for n, record in enumerate(
            fetch_sources(self.store, run, sources, self.fetcher, self.config.folder), 1
        ):
            records.append(record)
            self.progress(Step("fetch", n, len(sources), record.source_id))
        order = {name: i for i, name in enumerate(bulletin_source_ids(self.config))}
        records.sort(key=lambda record: order.get(record.source_id, len(order)))
        self.report.sources = records
        self.report.counts |= {
            "sources": len(records),
            "sources_failed": sum(r.status in ("broken", "changed_layout", "out_of_quota")
                                  for r in records),
            "entries": sum(r.n_entry for r in records),
            "entries_new": sum(r.n_new for r in records),
        }  # fmt: skip
        self.report.notices += [
            f"{r.source_id}: {r.message or r.status}"
            for r in records
            if r.status in ("broken", "changed_layout", "out_of_quota", "skipped")
        ]

    def _join(self) -> None:
        joined = join_all(
            self.store,
            bulletin_source_ids(self.config),
            lambda n: self.progress(Step("items", n, self.report.counts["entries_new"])),
        )
        self.report.counts |= {"items_new": joined.n_item, "entries_joined": joined.n_joined}

    def _rank(self, run: Run, day: date, manuscripts: dict[str, Manuscript]) -> list[Choice]:
        readers = readers_of(self.config, self.fetcher, run.now)
        self.report.notices += readers.notices
        choices, n_item = rank(
            self.store, self.config, day, readers, manuscripts,
            lambda n: self.progress(Step("rank", n, 0)),
        )  # fmt: skip
        self.report.counts |= {"items_due": n_item, "items_chosen": len(_all_items(choices))}
        return choices

    def _read_pages(self, run: Run, choices: list[Choice]) -> list[Choice]:
        items = _all_items(choices)
        counts = {"pages_read": 0, "pages_failed": 0}
        if self.config.settings.reading.full_text:
            for n, (url, problem) in enumerate(
                read_pages(self.store, run, list(items.values()), self.fetcher), 1
            ):
                counts["pages_failed" if problem else "pages_read"] += 1
                if problem:
                    self.report.notices.append(f"{url}: {problem}")
                self.progress(Step("full_text", n, len(items), url))
        self.report.counts |= counts
        read = {item.item_id: item for item in get_items(self.store, list(items))}
        return [_with_texts(choice, read) for choice in choices]

    def _draft(self, choices: list[Choice], manuscripts: dict[str, Manuscript]) -> None:
        total = sum(len(items) for choice in choices for items in choice.values())
        counts = {"drafts_made": 0, "drafts_kept": 0}
        for edition, choice in zip(self.config.editions, choices, strict=True):
            items = [item for own in choice.values() for item in own]
            for is_new, notices in draft_edition(
                self.store, edition, items, manuscripts, self.writer
            ):
                counts["drafts_made" if is_new else "drafts_kept"] += 1
                self.report.notices += notices
                self.progress(Step("draft", sum(counts.values()), total))
        self.report.counts |= counts

    def _illustrate(self, choices: list[Choice]) -> None:
        """Lead pictures and the cover; without their engine all else goes on."""
        own, settings = self.config.settings.pictures, self.config.settings
        counts = {"pictures_found": 0, "pictures_lead": 0}
        if self.pictures is not None:
            items = _all_items(choices) if own.lead else {}
            try:
                for n, item in enumerate(items.values(), 1):
                    found = self.pictures.gather(item, self.fetcher)
                    counts["pictures_found"] += len(found.pictures)
                    counts["pictures_lead"] += bool(found.lead)
                    self.report.notices += [f"a picture was left out: {s}" for s in found.skipped]
                    self.progress(Step("pictures", n, len(items)))
                number = settings.running_number or settings.number
                if own.cover and self.pictures.cover(settings.series, number) is None:
                    self.pictures.draw_cover(settings.series, number, number)
            except KuaibaoError as error:
                self.report.notices.append(f"pictures were left out: {error.message}")
        self.report.counts |= counts

    def _lay_out(self, choices: list[Choice], day: date) -> list[tuple[EditionSettings, Issue]]:
        issues: list[tuple[EditionSettings, Issue]] = []
        for edition, choice in zip(self.config.editions, choices, strict=True):
            issue = make_issue(
                self.store, self.config.settings, edition, choice, day, self.pictures
            )
            if not issue.sections:
                raise KuaibaoError(
                    f"nothing can be printed in the edition '{edition.language}'",
                    hint="Are the sources empty, or all items older than reading.period_days?",
                )
            save_issue(self.store, issue)
            issues.append((edition, issue))
        self.report.counts["items_printed"] = sum(
            len(section.items) for _, issue in issues for section in issue.sections
        )
        return issues

    def _publish(self, issues: list[tuple[EditionSettings, Issue]]) -> None:
        formats = self.config.settings.formats
        n_file = 0
        for n, (edition, issue) in enumerate(issues, 1):
            folder = self.out / edition.out
            key = hash_value([__version__, issue.content_hash, sorted(formats)])
            files = published_files(self.store, folder, key)
            is_rendered = files is None
            if files is None:
                made = publish(issue, folder, formats)
                files = {name: path.name for name, path in made.paths.items()}
                self.report.notices += made.notices
                save_publication(self.store, folder, key, files)
            n_file += len(files)
            self.report.editions.append(
                BuiltEdition(
                    language=edition.language, folder=folder, files=files,
                    content_hash=issue.content_hash, is_rendered=is_rendered,
                    sections={s.kind: len(s.items) for s in issue.sections},
                )
            )  # fmt: skip
            self.progress(Step("publish", n, len(issues), edition.language))
        self.report.counts |= {"editions": len(issues), "files": n_file}


def _all_items(choices: list[Choice]) -> dict[str, Item]:
    return {item.item_id: item for choice in choices for own in choice.values() for item in own}


def _with_texts(choice: Choice, read: dict[str, Item]) -> Choice:
    """The same choice with the texts that were read since; scores and reasons stay."""
    filled: dict[SectionKind, list[Item]] = {}
    for kind, items in choice.items():
        filled[kind] = [
            dataclasses.replace(item, entries=read[item.item_id].entries) for item in items
        ]
    return filled
