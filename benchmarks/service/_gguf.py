"""A GPT-2 folder as a GGUF file in float32 or int8 (Q8_0), for llama.cpp; runs in its environment."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import gguf
import gguf.quants
import numpy as np

NAMES = {
    "wte.weight": "token_embd.weight", "wpe.weight": "position_embd.weight",
    "ln_f.weight": "output_norm.weight", "ln_f.bias": "output_norm.bias",
}  # fmt: skip
PARTS = {
    "ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
}  # fmt: skip


def tensors(file: Path) -> dict[str, Any]:
    """A safetensors file in float32 or float16."""
    raw = file.read_bytes()
    n_head = struct.unpack("<Q", raw[:8])[0]
    found = {}
    for name, about in json.loads(raw[8 : 8 + n_head]).items():
        if name == "__metadata__":
            continue
        kind = {"F32": np.float32, "F16": np.float16}[about["dtype"]]
        start, end = (8 + n_head + at for at in about["data_offsets"])
        values = np.frombuffer(raw[start:end], kind).reshape(about["shape"]).astype(np.float32)
        found[name.removeprefix("transformer.")] = values
    return found


def _add(writer: Any, name: str, values: Any, kind: Any) -> None:
    """A tensor, rounded to `kind` where it is a matrix."""
    if kind is None or kind == gguf.GGMLQuantizationType.F32:
        writer.add_tensor(name, values)
    else:
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def main() -> None:
    folder, out, kind = Path(sys.argv[1]), sys.argv[2], gguf.GGMLQuantizationType[sys.argv[3]]
    file_type = {"F32": gguf.LlamaFileType.ALL_F32, "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(out, "gpt2")
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(config["n_inner"] or 4 * config["n_embd"])
    writer.add_block_count(config["n_layer"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_file_type(file_type[kind.name])
    words = json.loads((folder / "tokenizer.json").read_text())["model"]
    vocabulary = sorted(words["vocab"], key=words["vocab"].get)
    kinds = [gguf.TokenType.CONTROL if i == config["eos_token_id"] else gguf.TokenType.NORMAL
             for i in range(len(vocabulary))]  # fmt: skip
    while len(vocabulary) < config["vocab_size"]:
        vocabulary.append(f"<unused{len(vocabulary)}>")
        kinds.append(gguf.TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types(kinds)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in words["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(False)
    for name, values in tensors(folder / "model.safetensors").items():
        if name in NAMES:
            _add(writer, NAMES[name], values, kind if name == "wte.weight" else None)
        elif name.startswith("h."):
            _, number, rest = name.split(".", 2)
            part, end = rest.rsplit(".", 1)
            if part in PARTS:
                # GPT-2 keeps its linear weights as (in, out).
                turned = np.ascontiguousarray(values.T) if values.ndim == 2 else values
                _add(writer, f"blk.{number}.{PARTS[part]}.{end}", turned,
                     kind if values.ndim == 2 else None)  # fmt: skip
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
