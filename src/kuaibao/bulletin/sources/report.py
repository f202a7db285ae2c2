"""How each source fares, from what is remembered of it: values for the CLI, the pages, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kuaibao.bulletin.sources.health import Health

__all__ = ["SourceReport", "metrics_text"]

_VERDICTS = ("ok", "silent", "lagging", "broken", "changed_layout", "out_of_quota", "gone",
             "skipped", "never_asked")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """One source, without asking it."""

    source_id: str
    kind: str
    health: Health | None
    """None: it was never asked."""
    status: str = ""
    n_entry: int = 0
    asked_at: datetime | None = None
    new_at: datetime | None = None
    due_at: datetime | None = None
    """When it is asked next under watch; None if never again."""

    @property
    def verdict(self) -> str:
        """The health's, or `never_asked`."""
        return self.health.verdict if self.health else "never_asked"

    def to_json(self) -> dict[str, Any]:
        """One of `sources` in `kuaibao sources status --json`."""
        health = self.health
        gap = health.usual_gap if health else None
        return {
            "source": self.source_id,
            "kind": self.kind,
            "health": self.verdict,
            "reason": health.reason if health else "never asked",
            "status": self.status,
            "entries": self.n_entry,
            "failures_in_a_row": health.n_failure if health else 0,
            "asked_at": _iso(self.asked_at),
            "new_at": _iso(self.new_at),
            "due_at": _iso(self.due_at),
            "last_entry": _iso(health.last_entry if health else None),
            "usual_gap_days": gap.total_seconds() / 86_400 if gap else None,
        }


def metrics_text(reports: Iterable[SourceReport]) -> str:
    """The same as Prometheus reads it (text exposition format 0.0.4)."""
    listed = list(reports)
    lines = ["# HELP kuaibao_source_health 1 for the verdict that a source has.",
             "# TYPE kuaibao_source_health gauge"]  # fmt: skip
    for report in listed:
        for verdict in _VERDICTS:
            labels = _labels({"source": report.source_id, "verdict": verdict})
            lines.append(f"kuaibao_source_health{labels} {int(verdict == report.verdict)}")
    for name, words, values in (
        ("entries", "Entries kept.", {r.source_id: r.n_entry for r in listed}),
        ("failures", "Failures in a row.",
         {r.source_id: r.health.n_failure if r.health else 0 for r in listed}),
        ("asked_timestamp_seconds", "When it was asked last.",
         {r.source_id: r.asked_at.timestamp() for r in listed if r.asked_at}),
        ("new_timestamp_seconds", "When it last gave something new.",
         {r.source_id: r.new_at.timestamp() for r in listed if r.new_at}),
    ):  # fmt: skip
        lines += [f"# HELP kuaibao_source_{name} {words}", f"# TYPE kuaibao_source_{name} gauge"]
        lines += [
            f"kuaibao_source_{name}{_labels({'source': source})} {value:.15g}"
            for source, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def _labels(values: Mapping[str, str]) -> str:
    parts = (f'{k}="{_escaped(v)}"' for k, v in values.items())
    return "{" + ",".join(parts) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _iso(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
