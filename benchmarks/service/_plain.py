"""CTranslate2 behind a plain FastAPI: what one writes in an afternoon; no batching between requests."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ctranslate2
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from kuaibao.transformer import load_pretrained
from kuaibao.transformer.ctranslate2_export import export_ctranslate2
from kuaibao.transformer.tokenizers import load_tokenizer


def main() -> None:
    folder, port, precision = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory() as made:
        export_ctranslate2(load_pretrained(folder), Path(made) / "model", quantization=precision)
        generator = ctranslate2.Generator(str(Path(made) / "model"), intra_threads=1)
    words, app, turn = load_tokenizer(folder), FastAPI(), asyncio.Lock()

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.post("/v1/completions")
    async def complete(body: dict[str, Any]) -> Any:
        prompt = [str(t) for t in words.encode(body["prompt"])]
        settings = {"max_length": body["max_tokens"], "sampling_topk": 1, "end_token": []}

        async def events() -> AsyncIterator[str]:
            async with turn:
                steps = generator.generate_tokens(prompt, **settings)
                while (step := await asyncio.to_thread(next, steps, None)) is not None:
                    text = words.decode([step.token_id])
                    yield f"data: {json.dumps({'choices': [{'index': 0, 'text': text}]})}\n\n"
            yield "data: [DONE]\n\n"

        if body.get("stream"):
            return StreamingResponse(events(), media_type="text/event-stream")
        async with turn:
            (found,) = await asyncio.to_thread(
                generator.generate_batch, [prompt], include_prompt_in_result=False, **settings
            )
        return {"choices": [{"index": 0, "text": words.decode(found.sequences_ids[0])}]}

    uvicorn.run(app, port=port, log_level="critical")


if __name__ == "__main__":
    main()
