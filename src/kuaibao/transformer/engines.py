"""What runs a model: our own core in int8 or whole, CTranslate2, or vLLM; one `generate` for all.

The default on a CPU is our own core with int8 layers and an int8 cache:
`benchmarks/models/decode.py` measures it beside the others.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from kuaibao.errors import InputError, did_you_mean
from kuaibao.files import hash_value
from kuaibao.transformer.checkpoints import load_pretrained, model_folder
from kuaibao.transformer.generation import Generated

__all__ = ["ENGINES", "Engine", "EngineName", "load_engine"]

EngineName = Literal["auto", "int8", "float32", "ctranslate2", "vllm"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


class Engine(Protocol):
    """What `load_engine` gives."""

    def generate(self, prompts: Sequence[Sequence[int]], **settings: Any) -> list[list[Generated]]:
        """Continuations of each prompt; settings as `Decoder.generate` takes them.

        Raises:
            GenerationError: A setting that is wrong, or that this engine lacks.
        """
        ...


def load_engine(model: str | Path, engine: str = "auto", *, n_thread: int = 0) -> Engine:
    """Load a model for generating.

    Args:
        model: A folder, or a hub id.
        engine: `auto` takes int8 on a CPU, elsewhere the weights as they are; `ctranslate2` and
            `vllm` need their packages.
        n_thread: CPU threads; 0 leaves the engine's own number.

    Raises:
        InputError: No such engine.
        CheckpointError: The model can't be read, or the engine has no counterpart for it.
        KuaibaoError: The engine's package is not installed.
    """
    if engine not in ENGINES:
        raise InputError(f"no engine '{engine}'", hint=did_you_mean(engine, ENGINES))
    if engine == "vllm":
        from kuaibao.transformer.vllm_engine import VLLMEngine

        return VLLMEngine(model_folder(model))
    if engine == "ctranslate2":
        return _ctranslate2(model, n_thread)
    from kuaibao.transformer.quantized import quantize

    if n_thread:
        import torch

        torch.set_num_threads(n_thread)
    loaded = load_pretrained(model)
    if engine == "float32":
        return loaded
    if engine == "auto" and loaded.device.type != "cpu":
        return loaded
    return quantize(loaded)


def _ctranslate2(model: str | Path, n_thread: int) -> Engine:
    """Exported once, and kept beside the user's other caches until the model changes."""
    from platformdirs import user_cache_path

    from kuaibao.transformer.ctranslate2_export import CTranslate2Decoder, export_ctranslate2

    folder = model_folder(model)
    files = sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".json", ".bin"))
    stamp = [[p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    kept = user_cache_path("kuaibao") / "ctranslate2" / hash_value([str(folder), stamp])[:16]
    if not (kept / "model.bin").is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as part:
            export_ctranslate2(load_pretrained(folder), Path(part) / "made")
            with contextlib.suppress(OSError):  # another process was first
                (Path(part) / "made").rename(kept)
    return CTranslate2Decoder(kept, n_thread=n_thread or 1)
