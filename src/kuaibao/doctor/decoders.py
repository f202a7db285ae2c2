"""Which functions of which libraries decode or read a sample, and how the meter gets round them.

A library is hooked when the script imports it; none is imported by us.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, ClassVar

from kuaibao.doctor.fetching import METER, FetchMeter

__all__ = ["AfterImport", "hook_decoders", "hook_sleep"]

# (module, attribute path, part). "read" brings bytes as they are; "decode" makes values of them.
DECODERS: tuple[tuple[str, str, str], ...] = (
    ("PIL.ImageFile", "ImageFile.load", "decode"),
    ("PIL.Image", "open", "decode"),
    ("PIL.Image", "Image.convert", "decode"),
    ("cv2", "imread", "decode"),
    ("cv2", "imdecode", "decode"),
    ("torchvision.io", "read_image", "decode"),
    ("torchvision.io", "decode_image", "decode"),
    ("torchvision.io", "decode_jpeg", "decode"),
    ("torchvision.io", "decode_png", "decode"),
    ("torchvision.io", "read_file", "read"),
    ("imageio", "imread", "decode"),
    ("imageio.v2", "imread", "decode"),
    ("imageio.v3", "imread", "decode"),
    ("skimage.io", "imread", "decode"),
    ("matplotlib.image", "imread", "decode"),
    ("simplejpeg", "decode_jpeg", "decode"),
    ("soundfile", "read", "decode"),
    ("torchaudio", "load", "decode"),
    ("librosa", "load", "decode"),
    ("pandas", "read_csv", "decode"),
    ("pandas", "read_parquet", "decode"),
    ("pandas", "read_json", "decode"),
    ("pandas", "read_pickle", "decode"),
    ("pandas", "read_excel", "decode"),
    ("wave", "Wave_read.readframes", "decode"),
    ("scipy.io.wavfile", "read", "decode"),
    ("scipy.io", "loadmat", "decode"),
    ("msgpack", "unpackb", "decode"),
    ("zipfile", "ZipExtFile.read", "decode"),
    ("ast", "literal_eval", "decode"),
    ("pyarrow.parquet", "read_table", "decode"),
    ("json", "load", "decode"),
    ("json", "loads", "decode"),
    ("orjson", "loads", "decode"),
    ("yaml", "load", "decode"),
    ("yaml", "safe_load", "decode"),
    ("pickle", "load", "decode"),
    ("pickle", "loads", "decode"),
    ("torch", "load", "decode"),
    ("safetensors.torch", "load_file", "decode"),
    ("numpy", "loadtxt", "decode"),
    ("numpy", "genfromtxt", "decode"),
    ("numpy.lib.npyio", "NpzFile.__getitem__", "decode"),
    ("numpy", "load", "read"),
    ("numpy", "fromfile", "read"),
    ("gzip", "decompress", "decode"),
    ("gzip", "_GzipReader.read", "decode"),  # below `read`, `read1`, `readline` and iteration
    ("zlib", "decompress", "decode"),
    ("bz2", "decompress", "decode"),
    ("lzma", "decompress", "decode"),
    ("_compression", "DecompressReader.read", "decode"),  # bz2 and lzma files
    ("zstandard", "decompress", "decode"),
    ("base64", "b64decode", "decode"),
    ("xml.etree.ElementTree", "parse", "decode"),
    ("xml.etree.ElementTree", "fromstring", "decode"),
    ("h5py", "Dataset.__getitem__", "read"),
    ("pathlib", "Path.read_bytes", "read"),
    ("pathlib", "Path.read_text", "read"),
)


def hook_decoders(meter: FetchMeter = METER) -> None:
    """Hook the libraries that are loaded, and the others as soon as they are."""
    for module in {row[0] for row in DECODERS}:
        AfterImport.watch(module, lambda loaded, name=module: _hook(loaded, name, meter))


def hook_sleep(meter: FetchMeter = METER) -> None:
    """Know of waiting that a sample does by `time.sleep` (a slow service, a rate limit)."""
    import time

    if not hasattr(time.sleep, "__wrapped__"):
        measured = meter.sleeping(time.sleep)
        measured.__wrapped__ = time.sleep  # type: ignore[attr-defined]
        time.sleep = measured


def _hook(loaded: ModuleType, module: str, meter: FetchMeter) -> None:
    for name, path, part in DECODERS:
        if name == module:
            _replace(loaded, path, part, meter)


def _replace(owner: Any, path: str, part: str, meter: FetchMeter) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent, None)
    original = getattr(owner, last, None)
    if original is None or hasattr(original, "__wrapped__"):
        return
    try:
        setattr(owner, last, meter.timed(part, original))
    except (AttributeError, TypeError):
        return  # an extension type that can't be changed: its time counts as transform


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls back when a module has been imported, or at once when it already is."""

    _waiting: ClassVar[dict[str, list[Callable[[ModuleType], None]]]] = {}
    _finder: ClassVar[AfterImport | None] = None

    @classmethod
    def watch(cls, name: str, call: Callable[[ModuleType], None]) -> None:
        """Call `call(module)` once, after `name` is imported."""
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None)
        if module is not None and not getattr(spec, "_initializing", False):
            call(module)
            return
        cls._waiting.setdefault(name, []).append(call)
        if cls._finder is None:
            cls._finder = cls()
            sys.meta_path.insert(0, cls._finder)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Let the other finders find it, and wrap its loader's last act."""
        calls = self._waiting.pop(fullname, None)
        if calls is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _CallingLoader(spec.loader, calls)  # type: ignore[assignment]
                return spec
        return None


class _CallingLoader:
    """A loader that calls back after the module has run; all else is the true loader's."""

    def __init__(self, loader: Any, calls: list[Callable[[ModuleType], None]]) -> None:
        self.loader = loader
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["loader"], name)

    def create_module(self, spec: Any) -> Any:
        """As the true loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, put its true loader back, then call."""
        self.loader.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        for call in self.calls:
            call(module)
