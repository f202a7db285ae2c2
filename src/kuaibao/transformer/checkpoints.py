"""Models in folders: Hugging Face's layout, safetensors, nothing executed.

An old `pytorch_model.bin` is read by torch's restricted unpickler, which makes tensors only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from kuaibao.files import atomic_path, write_json
from kuaibao.transformer.config import TransformerConfig
from kuaibao.transformer.errors import CheckpointError
from kuaibao.transformer.layouts import Row, config_from_hub, config_to_hub, layout_rows
from kuaibao.transformer.model import Decoder, EncoderDecoder

__all__ = ["load_config", "load_pretrained", "model_folder", "save_pretrained"]

MAX_JSON_BYTES = 20_000_000
WEIGHTS = "model.safetensors"
PICKLE = "pytorch_model.bin"
_IGNORED = (
    ".attn.bias",
    ".attn.masked_bias",
    "embed_positions.weight",
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    "score.weight",
)
"""Buffers of old versions, second names of shared tensors, heads of other tasks."""


def load_pretrained(
    folder_or_id: str | os.PathLike[str], *, dtype: torch.dtype = torch.float32
) -> Any:
    """A model from a local folder, or from the hub if the name is no folder.

    Args:
        folder_or_id: A folder with `config.json` and weights; else `owner/name` of the hub, which
            needs `huggingface_hub` and a network.
        dtype: Of the weights.

    Returns:
        `Decoder` or `EncoderDecoder` in evaluation mode.

    Raises:
        CheckpointError: No such folder, damaged or missing weights, another kind of model.
    """
    folder = model_folder(folder_or_id)
    config = load_config(folder)
    stored = _read_weights(folder)
    if config.family == "imagegpt" and any(
        name.endswith(".bias") and tensor.dim() == 1 and bool(tensor.any())
        for name, tensor in stored.items()
    ):
        # The paper's model has no biases; transformers' class could be trained with some.
        config = replace(config, has_bias=True)
    with torch.device("meta"):
        model = EncoderDecoder(config) if config.is_encoder_decoder else Decoder(config)
    state = _translate(stored, layout_rows(config), config, folder)
    _check_shapes(state, model.state_dict(), folder)
    _check_positions(stored, model)
    model.load_state_dict({k: v.to(dtype) for k, v in state.items()}, assign=True)
    return model.eval()


def load_config(folder: Path) -> TransformerConfig:
    """The configuration of a folder.

    Raises:
        CheckpointError: `config.json` is missing, too large, or of another kind of model.
    """
    value = _read_json(folder / "config.json")
    return config_from_hub(value)


def save_pretrained(
    model: Any, folder: str | os.PathLike[str], *, dtype: torch.dtype | None = None
) -> None:
    """Write `config.json` and `model.safetensors`, which Hugging Face's classes read too.

    Args:
        model: A `Decoder` or an `EncoderDecoder`.
        folder: Made if it is not there; each file is written whole or not at all.
        dtype: Of the stored weights; the model's own if not given.

    Raises:
        CheckpointError: The folder can't be written.
    """
    target = Path(folder)
    config: TransformerConfig = model.config
    own: Mapping[str, Tensor] = model.state_dict()
    stored: dict[str, Tensor] = {}
    if any(row.ours not in own for row in layout_rows(config)):
        raise CheckpointError("a quantised model is not saved: save it before quantising")
    for row in layout_rows(config):
        tensor = own[row.ours].detach().cpu()
        tensor = tensor if dtype is None else tensor.to(dtype)
        parts = tensor.chunk(len(row.theirs)) if row.how == "stack" else (tensor,)
        for name, part in zip(row.theirs, parts, strict=True):
            part = part.T if row.how == "transpose" else part
            part = part[None] if name == "final_logits_bias" else part
            stored[name] = part.contiguous().clone()
    stored |= _zero_biases(stored) if not config.has_bias else {}
    try:
        with atomic_path(target / WEIGHTS) as path:
            save_file(stored, path, metadata={"format": "pt"})
        write_json(target / "config.json", config_to_hub(config))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the model can't be written to {target}: {error}", hint="Is the disk full?"
        ) from error


def _zero_biases(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Their image GPT has biases, and would start them anew if the file left them out."""
    linear = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    return {
        name.removesuffix("weight") + "bias": torch.zeros(tensor.shape[1], dtype=tensor.dtype)
        for name, tensor in stored.items()
        if name.endswith(linear)
    }


def model_folder(folder_or_id: str | os.PathLike[str]) -> Path:
    """The folder itself, or what the hub has under that name.

    Raises:
        CheckpointError: It is no folder here, and the hub does not give it.
    """
    folder = Path(folder_or_id)
    if folder.is_dir():
        return folder
    name = str(folder_or_id)
    if folder.exists() or name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise CheckpointError(f"{name} is no folder of a model")
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise CheckpointError(
            f"{name} is no folder, and huggingface_hub is not installed",
            hint="Give a folder, or: pip install huggingface_hub",
        ) from error
    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.npy"]
    try:
        found = Path(snapshot_download(name, allow_patterns=patterns))
        if not any(found.glob("*.safetensors")):
            # Older uploads, the published PEGASUS ones among them, have torch's format alone.
            found = Path(snapshot_download(name, allow_patterns=[*patterns, "pytorch_model*"]))
        return found
    except Exception as error:
        raise CheckpointError(
            f"{name} is no folder here and could not be fetched from the hub "
            f"({type(error).__name__})"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(f"{path} is larger than {MAX_JSON_BYTES // 10**6} MB")
        value: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"{path.parent} holds no model: {path.name} is missing",
            hint="A model's folder has config.json and *.safetensors.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is no JSON object")
    return value


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of one safetensors file, of shards by their index, or of an old pickle."""
    for whole, read in ((WEIGHTS, _read_safetensors), (PICKLE, _read_pickle)):
        if (folder / whole).is_file():
            return read(folder / whole)
        index = folder / f"{whole}.index.json"
        if index.is_file():
            return _read_shards(index, read)
        others = sorted(folder.glob("*.safetensors"))
        if others:
            return _read_safetensors(others[0])
    raise CheckpointError(f"{folder} holds no weights", hint=f"Wanted: {WEIGHTS}.")


def _read_shards(index: Path, read: Callable[[Path], dict[str, Tensor]]) -> dict[str, Tensor]:
    shards: Any = _read_json(index).get("weight_map")
    if not isinstance(shards, dict):
        raise CheckpointError(f"{index} has no weight_map")
    stored: dict[str, Tensor] = {}
    for name in sorted({str(s) for s in shards.values()}):
        if Path(name).name != name:
            raise CheckpointError(f"{index} names a file outside its folder: {name}")
        stored.update(read(index.parent / name))
    return stored


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or no safetensors file: {error}") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        value: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged, or holds more than tensors and is not read",
            hint="Save the model as safetensors.",
        ) from error
    if not isinstance(value, dict) or not all(isinstance(v, Tensor) for v in value.values()):
        raise CheckpointError(f"{path} holds no table of tensors")
    return value


def _translate(
    stored: Mapping[str, Tensor], rows: list[Row], config: TransformerConfig, folder: Path
) -> dict[str, Tensor]:
    """Their tensors under our names; what is missing or left over is named."""
    left = dict(stored)
    has_prefix = any(name.startswith(("transformer.", "model.")) for name in left)
    state: dict[str, Tensor] = {}
    missing: list[str] = []
    _give_shared_name(left, config)
    for row in rows:
        parts = [_take(left, name, has_prefix) for name in row.theirs]
        if any(part is None for part in parts):
            if row.ours == "logits_bias":
                state[row.ours] = torch.zeros(config.vocab_size)
            else:
                missing += [n for n, p in zip(row.theirs, parts, strict=True) if p is None]
            continue
        tensors = [part for part in parts if part is not None]
        tensor = torch.cat(tensors) if row.how == "stack" else tensors[0]
        tensor = tensor.reshape(-1) if row.ours == "logits_bias" else tensor
        state[row.ours] = tensor.T.contiguous() if row.how == "transpose" else tensor
    if missing:
        raise CheckpointError(
            f"{folder}: {len(missing)} tensors are missing, such as {missing[0]}",
            hint="Was the file cut short, or is config.json that of another model?",
        )
    odd = [name for name, tensor in left.items() if not _may_be_ignored(name, tensor, config)]
    if odd:
        raise CheckpointError(f"{folder}: {len(odd)} tensors are not understood, such as {odd[0]}")
    return state


def _give_shared_name(left: dict[str, Tensor], config: TransformerConfig) -> None:
    """Files keep one name of a tensor that several layers share, and not always the same one."""
    shared = "model.shared.weight" if config.family == "pegasus" else "transformer.wte.weight"
    others = ["lm_head.weight"] if config.tie_head else []
    if config.family == "pegasus":
        others += ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"]
    if not {shared, shared.split(".", 1)[1]} & set(left):
        found = next((name for name in others if name in left), None)
        if found is not None:
            left[shared] = left[found]
    for name in others[1:]:
        if name in left and shared in left and not torch.equal(left[name], left[shared]):
            raise CheckpointError(f"{name} differs from {shared}: tables of their own are not read")


def _take(left: dict[str, Tensor], name: str, has_prefix: bool) -> Tensor | None:
    """Under its name, or without the prefix that bare models leave out."""
    if name in left:
        return left.pop(name)
    short = name.split(".", 1)[1] if not has_prefix and "." in name else ""
    return left.pop(short) if short in left else None


def _may_be_ignored(name: str, tensor: Tensor, config: TransformerConfig) -> bool:
    if name.endswith(_IGNORED):
        return True
    if name == "lm_head.weight":
        return config.tie_head
    # Converted image GPT files carry biases of zeros, which the model does not have.
    return not config.has_bias and name.endswith(".bias") and not bool(tensor.any())


def _check_shapes(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], folder: Path) -> None:
    for name, tensor in wanted.items():
        if state[name].shape != tensor.shape:
            raise CheckpointError(
                f"{folder}: {name} has shape {tuple(state[name].shape)}, "
                f"config.json asks for {tuple(tensor.shape)}"
            )
        if not state[name].is_floating_point():
            raise CheckpointError(f"{folder}: {name} holds {state[name].dtype}, not numbers")


def _check_positions(stored: Mapping[str, Tensor], model: Any) -> None:
    """PEGASUS computes its positions; a file that has others would be read wrongly."""
    for name, tensor in stored.items():
        if name.endswith("embed_positions.weight"):
            own = model.at(torch.arange(len(tensor)))
            is_own = tensor.shape == own.shape and torch.allclose(tensor.float(), own, atol=0.01)
            if not is_own:
                raise CheckpointError(
                    f"{name} is not the table of sines and cosines that PEGASUS computes",
                    hint="Trained position tables are not read.",
                )
