"""Our GPT-2 weights for llama.cpp: written as GGUF, decoded through llama-cpp-python.

Needs `gguf` and `llama-cpp-python` (built from source, a few CPU minutes; no part of any extra).
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from kuaibao.transformer.model import Decoder


def write_gguf(model: Decoder, path: Path, kind: str) -> None:
    """A GPT-2 decoder as GGUF without a vocabulary; matrices as `Q8_0`, `F16` or `F32`.

    Vectors and the position table stay float32, as llama.cpp's own converter leaves them.
    """
    import gguf

    config = model.config
    writer = gguf.GGUFWriter(str(path), "gpt2")
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_head_count(config.n_head)
    writer.add_feed_forward_length(config.d_inner)
    writer.add_layer_norm_eps(config.norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")
    wanted = gguf.GGMLQuantizationType[kind]
    for name, tensor in model.state_dict().items():
        own = _name(name)
        values = tensor.float().numpy()
        type_ = wanted
        if values.ndim < 2 or name.startswith("positions"):
            type_ = gguf.GGMLQuantizationType.F32
        writer.add_tensor(own, gguf.quants.quantize(values, type_), raw_dtype=type_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


_PARTS = {"tokens": "token_embd", "positions": "position_embd", "norm": "output_norm",
          "norm_1": "attn_norm", "attention.qkv": "attn_qkv", "attention.out": "attn_output",
          "norm_2": "ffn_norm", "feed_forward.up": "ffn_up",
          "feed_forward.down": "ffn_down"}  # fmt: skip


def _name(name: str) -> str:
    """Our `blocks.3.attention.qkv.weight` is GGUF's `blk.3.attn_qkv.weight`."""
    part, kind = name.rsplit(".", 1)
    if part.startswith("blocks."):
        _, layer, part = part.split(".", 2)
        return f"blk.{layer}.{_PARTS[part]}.{kind}"
    return f"{_PARTS[part]}.{kind}"


class LlamaDecoder:
    """Greedy decoding of a batch by llama.cpp's own batches; no text in between."""

    def __init__(self, path: Path, *, n_vocabulary: int, n_context: int, n_sequence: int,
                 n_thread: int) -> None:  # fmt: skip
        import llama_cpp

        self._library: Any = llama_cpp
        self._log = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self._log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = n_context * n_sequence
        settings.n_batch = settings.n_ubatch = 4096
        settings.n_seq_max = n_sequence
        settings.n_threads = settings.n_threads_batch = n_thread
        settings.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        if not self._context:
            raise RuntimeError(f"llama.cpp does not take {path}")
        self._batch = llama_cpp.llama_batch_init(4096, 0, 1)
        self.n_vocabulary = n_vocabulary

    def generate(self, prompts: list[list[int]], n_new: int) -> list[list[int]]:
        """`n_new` likeliest tokens after each prompt."""
        library = self._library
        library.llama_memory_clear(library.llama_get_memory(self._context), True)
        rows = [(token, place, i, place == len(prompt) - 1)
                for i, prompt in enumerate(prompts) for place, token in enumerate(prompt)]  # fmt: skip
        found: list[list[int]] = [[] for _ in prompts]
        for step in range(n_new):
            self._decode(rows)
            ends = [i for i, row in enumerate(rows) if row[3]]
            rows = []
            for sequence, end in enumerate(ends):
                found[sequence].append(int(self._logits(end).argmax()))
                place = len(prompts[sequence]) + step
                rows.append((found[sequence][-1], place, sequence, True))
        return found

    def _decode(self, rows: list[tuple[int, int, int, bool]]) -> None:
        batch = self._batch
        batch.n_tokens = len(rows)
        for i, (token, place, sequence, has_logits) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, place, 1
            batch.seq_id[i][0], batch.logits[i] = sequence, has_logits
        if self._library.llama_decode(self._context, batch) != 0:
            raise RuntimeError("llama_decode failed")

    def _logits(self, row: int) -> Any:
        pointer = self._library.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, shape=(self.n_vocabulary,))

    def close(self) -> None:
        """Free the library's memory."""
        self._library.llama_batch_free(self._batch)
        self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)
