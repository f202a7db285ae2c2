"""When the data path is probed between two steps, and on how many samples."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from kuaibao.doctor.fetching import read_records
from kuaibao.doctor.loaders import LoaderLog, n_workers
from kuaibao.doctor.measured import Observation

__all__ = ["DataProbes"]

_MOST_SHARE = 0.3
"""Share of the examination that probing may take."""
_RUNS_A_PROBE = 9
"""A probe reads its samples some nine times."""


class DataProbes:
    """Probes the examined loader, within its share of the time."""

    def __init__(self, observation: Observation, log: LoaderLog, *, limit_s: float) -> None:
        self.observation = observation
        self.log = log
        self.limit_s = limit_s
        """Seconds that one probe may take."""
        self._spent_s = 0.0
        self._n_broken = 0

    def run(self, loader: Any, elapsed_s: float) -> bool:
        """Probe once if there is time; tells whether there was."""
        share = self._spent_s / max(1e-9, elapsed_s)
        if share >= _MOST_SHARE and len(self.observation.probes) >= 2:
            return False
        start = perf_counter()
        self._probe(loader)
        self._spent_s += perf_counter() - start
        return True

    def _probe(self, loader: Any) -> None:
        recent = self.log.recent_indices(loader)
        if not recent or self._n_broken > 1 or not hasattr(loader.dataset, "__getitem__"):
            return
        from kuaibao.doctor.probes import probe_batch

        indices = recent[len(self.observation.probes) * 7 % len(recent)]
        try:
            record = probe_batch(
                loader,
                indices,
                max_items=self._n_items(len(indices)),
                n_workers=n_workers(loader),
            )
        except Exception as error:
            self._n_broken += 1
            note = {"says": "unreadable_here", "error": type(error).__name__}
            self.observation.notes.append(note)
            return
        self.observation.probes.append(record)

    def _n_items(self, n_indices: int) -> int:
        """As many samples as can be read some nine times within the limit."""
        waits = [s.regions["wait"] for s in self.observation.steps if s.mode == "real"]
        records = {} if self.log.fetches_in_main() else read_records(self.log.spool)
        made = [row["end"] - row["start"] for rows in records.values() for row in rows[-8:]]
        per_batch = max([_upper_median(values) for values in (made, waits) if values] or [0.01])
        n = int(n_indices * self.limit_s / max(1e-6, _RUNS_A_PROBE * per_batch))
        return max(1, min(n_indices, n))


def _upper_median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
