"""`kuaibao generate`: continue a prompt."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

app = typer.Typer()


@app.command()
def generate(
    prompt: Annotated[
        str, typer.Option("--prompt", "-p", help="The beginning; - reads standard input.")
    ],
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="A model's folder, or a hub id; else the shipped one."),
    ] = "",
    max_tokens: Annotated[int, typer.Option(min=0, help="At most so many new tokens.")] = 64,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always the likeliest token.")] = False,
    temperature: Annotated[float, typer.Option(min=0.0, help="Sharpness of the draw.")] = 1.0,
    top_k: Annotated[int, typer.Option(min=0, help="Only so many likeliest tokens; 0: all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Only the likeliest up to this probability.")] = 1.0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1 hinders repeats.")] = 1.0,
    beams: Annotated[int, typer.Option(min=0, help="Beam search with so many beams.")] = 0,
    length_penalty: Annotated[float, typer.Option(help="Of beams: above 0 favours length.")] = 1.0,
    no_repeat_ngram: Annotated[int, typer.Option(min=0, help="No run of so many twice.")] = 0,
    n: Annotated[int, typer.Option("-n", min=1, help="So many continuations.")] = 1,
    best_of: Annotated[int, typer.Option(min=0, help="Draw so many, keep the likeliest.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Makes draws repeatable.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="Text that ends it; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Continue a prompt with a model of the GPT family."""
    from kuaibao.errors import InputError
    from kuaibao.transformer import load_pretrained
    from kuaibao.transformer.shipped import shipped_model
    from kuaibao.transformer.tokenizers import load_tokenizer

    model = model or str(shipped_model("gpt-small"))
    text = sys.stdin.read() if prompt == "-" else prompt
    loaded = load_pretrained(model)
    if loaded.config.is_encoder_decoder:
        raise InputError("this model writes summaries", hint="kuaibao summarize --strategy FOLDER")
    words = load_tokenizer(model)
    tokens = words.encode(text) or [words.eos_id]
    settings: dict[str, Any] = {"max_new_tokens": max_tokens, "n": n,
                                "repetition_penalty": repetition_penalty,
                                "no_repeat_ngram_size": no_repeat_ngram}  # fmt: skip
    if beams > 1:
        settings |= {"num_beams": beams, "length_penalty": length_penalty}
    else:
        settings |= {"temperature": 0.0 if greedy else temperature, "top_k": top_k,
                     "top_p": top_p, "seed": seed, "best_of": best_of or None,
                     "stop": [words.encode(s) for s in stop or ()]}  # fmt: skip
    (found,) = loaded.generate([tokens], **settings)
    choices = [
        {"text": _cut(words.decode(g.tokens), stop or []), "tokens": g.tokens, "score": g.score,
         "log_probabilities": g.log_probabilities, "finish_reason": g.finish_reason}
        for g in found
    ]  # fmt: skip
    if as_json:
        answer = {
            "model": model,
            "prompt": text,
            "n_prompt_tokens": len(tokens),
            "choices": choices,
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        for choice in choices:
            typer.echo(text + str(choice["text"]))


def _cut(text: str, stop: list[str]) -> str:
    """A stop text may begin within a token."""
    for end in stop:
        text = text.split(end, 1)[0] if end else text
    return text
