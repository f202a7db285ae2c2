"""What was measured, as plain values: all that passes from the watching to the judging."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

__all__ = ["EpochRecord", "LoaderFacts", "Observation", "ProbeRecord", "StepRecord", "from_json"]


@dataclass(frozen=True)
class StepRecord:
    """One turn of the loop: from asking for a batch to asking for the next one."""

    mode: str
    """`real`, `repeat` (one host batch again), `device` (one device batch again), `threads`
    (repeated with as many threads as there are cores), `unchecked` (without anomaly detection)."""
    cycle: int
    wall: float
    regions: dict[str, float]
    cpu: dict[str, float]
    n_samples: int
    start: float
    discard: bool = False
    """The step stands at a change of mode, or something else disturbed it."""
    detail: dict[str, Any] | None = None
    fetch: dict[str, float] | None = None
    has_backward: bool = False
    delay: float = 0.0
    """Seconds the loop's thread had no core; already taken off `wall` and `regions`."""
    delay_before: float = 0.0
    """Such seconds from the thread's birth to this step; some steps in between go unwatched."""
    samples_before: int = 0
    """Samples of all real steps before this one."""
    drawn_s: float = 0.0
    """Seconds of the wait in which a sampler drew indices."""


@dataclass(frozen=True)
class ProbeRecord:
    """The data path taken apart on one batch's indices, in the main process; seconds a batch."""

    cold_s: float
    """S5: files evicted first."""
    warm_s: float
    """S4: files in the page cache."""
    memory_s: float | None
    """S3: the same bytes from RAM; None where the library opens files by itself."""
    collate_s: float
    """S2: collating stored samples."""
    collate_large_arena_s: float | None
    """S2 as in a loop, the batch before let go of, with glibc's mmap threshold raised."""
    gather_s: float | None
    """One batch taken from stored arrays in one go, by a loader without workers."""
    draft_s: float | None
    """S4 with JPEG decoded at the least sufficient size."""
    decode_s: float
    """Decoding within S4."""
    pickle_s: float | None
    """Pickling and unpickling the batch, when it holds arrays that aren't tensors."""
    deterministic: bool
    """Reading a sample twice gave the same values."""
    n_files: int
    file_bytes: int
    sample_bytes: int
    batch_bytes: int
    n_samples: int
    faults_collate: float
    residency_before: float
    residency_evicted: float
    made_s: float | None = None
    """S4 and S2 as in a loop without workers, the batch before let go of; only with workers."""
    share_s: float | None = None
    """Copying the batch into fresh shared memory, as a worker does."""
    narrow_worker_s: float | None = None
    """Making the samples narrow, collating and sharing them: S2 and sending in narrow types."""
    narrow_loop_s: float | None = None
    """Making the narrow batch wide again."""
    collate_faulting_s: float | None = None
    """S2 as in a loop, with the threshold as it is."""
    disk_bytes_a_second: float | None = None
    """What four threads together get of the evicted files; None where the disk is no matter."""
    stored: bool = False
    """Reading a sample twice gave the very same memory: it is fetched, and not made."""


@dataclass(frozen=True)
class EpochRecord:
    """From `iter(loader)` to its end."""

    loader: int
    iter_s: float
    """Making the iterator: starting workers."""
    first_wait_s: float
    """Waiting for the first batch."""
    n_batches: int
    end_s: float
    """From the last batch to the end of the iteration: stopping workers."""
    complete: bool


@dataclass
class LoaderFacts:
    """What a DataLoader says of itself, and the types in its batches."""

    n_workers: int = 0
    prefetch_factor: int = 2
    persistent_workers: bool = False
    pin_memory: bool = False
    batch_size: int = 0
    n_batches: int = -1
    n_dataset: int = -1
    shuffled: bool = False
    iterable: bool = False
    has_getitems: bool = False
    start_method: str = ""
    dataset: str = ""
    collate: str = ""
    place: str = ""
    """file:line of the `DataLoader(...)` call."""
    tensors: list[dict[str, Any]] = field(default_factory=list)
    """dtype, shape, bytes and the narrowest dtype without loss, for each tensor in a batch."""
    batch_bytes: int = 0
    non_tensor_bytes: int = 0
    array_bytes: int = 0
    """Of those, in NumPy arrays."""
    python_objects: int = 0
    """Python objects in the data set's lists: what reference counts copy in each worker."""
    duplicate_seeds: bool = False
    needs_workers: bool = False
    """The script's own `worker_init_fn` makes something ready that samples may be made of."""


@dataclass
class Observation:
    """Everything seen in one examined process."""

    steps: list[StepRecord] = field(default_factory=list)
    probes: list[ProbeRecord] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)
    workers: list[dict[str, float]] = field(default_factory=list)
    """One record a batch made in a worker (see `fetching.FIELDS`)."""
    loader: LoaderFacts = field(default_factory=LoaderFacts)
    samples_seen: int = 0
    seconds: float = 0.0
    setup_s: float = 0.0
    """From the import of torch to the first batch asked for."""
    cores: float = 1.0
    memory: list[dict[str, float]] = field(default_factory=list)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    disk_bytes: int = 0
    hot_lines: list[dict[str, Any]] = field(default_factory=list)
    optimizer: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    segments: list[tuple[str, float, float]] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    treatments: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What else there is to say: `says` is the sentence's key, the rest its values."""
    digests: list[str] = field(default_factory=list)
    """Hashes of the first real batches, when nothing is ablated."""
    ended: str = ""
    """`samples`, `seconds`, `settled`, or `script` when the command came to its own end."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return dataclasses.asdict(self)


def from_json(value: dict[str, Any]) -> Observation:
    """The observation that `to_json` wrote."""
    known = {field.name for field in dataclasses.fields(Observation)}
    observation = Observation(**{key: v for key, v in value.items() if key in known})
    observation.steps = [StepRecord(**step) for step in value.get("steps", [])]
    observation.probes = [ProbeRecord(**probe) for probe in value.get("probes", [])]
    observation.epochs = [EpochRecord(**epoch) for epoch in value.get("epochs", [])]
    observation.loader = LoaderFacts(**value.get("loader", {}))
    return observation
