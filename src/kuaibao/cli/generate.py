"""`kuaibao generate`: continue a prompt."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer()


@app.command()
def generate(
    prompt: Annotated[
        str, typer.Option("--prompt", "-p", help="The beginning; - reads standard input.")
    ] = "",
    prompts: Annotated[
        Path | None,
        typer.Option(help="JSON lines with a `prompt` each, continued together."),
    ] = None,
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
    engine: Annotated[
        str,
        typer.Option(help="auto (int8 on a CPU), int8, float32, ctranslate2 or vllm."),
    ] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: the engine's own.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Continue a prompt, or many, with a model of the GPT family.

    Several devices: started by torchrun, each process continues its share of --prompts.
    """
    from kuaibao.errors import InputError
    from kuaibao.training import World, end_process, generate_shared
    from kuaibao.transformer import load_config, model_folder
    from kuaibao.transformer.engines import load_engine
    from kuaibao.transformer.shipped import shipped_model
    from kuaibao.transformer.tokenizers import load_tokenizer

    model = model or str(shipped_model("gpt-small"))
    texts = _prompts(prompt, prompts)
    if load_config(model_folder(model)).is_encoder_decoder:
        raise InputError("this model writes summaries", hint="kuaibao summarize --strategy FOLDER")
    words = load_tokenizer(model)
    rows = [words.encode(text) or [words.eos_id] for text in texts]
    settings: dict[str, Any] = {"max_new_tokens": max_tokens, "n": n}
    if repetition_penalty != 1.0:
        settings["repetition_penalty"] = repetition_penalty
    if no_repeat_ngram:
        settings["no_repeat_ngram_size"] = no_repeat_ngram
    if beams > 1:
        settings |= {"num_beams": beams, "length_penalty": length_penalty}
    else:
        settings |= {"temperature": 0.0 if greedy else temperature, "top_k": top_k,
                     "top_p": top_p, "seed": seed, "best_of": best_of or None,
                     "stop": [words.encode(s) for s in stop or ()]}  # fmt: skip
    with World.join() as world:
        found = generate_shared(
            load_engine(model, engine, n_thread=threads), rows, world, **settings
        )
    if world.rank == 0:
        answers = [
            {"prompt": text, "n_prompt_tokens": len(row), "choices": [
                {"text": _cut(words.decode(g.tokens), stop or []), "tokens": g.tokens,
                 "score": g.score, "log_probabilities": g.log_probabilities,
                 "finish_reason": g.finish_reason} for g in own]}
            for text, row, own in zip(texts, rows, found, strict=True)
        ]  # fmt: skip
        _tell(model, answers, is_one=prompts is None, as_json=as_json)
    if world.size > 1:
        end_process()


def _prompts(prompt: str, file: Path | None) -> list[str]:
    from kuaibao.errors import InputError, Place

    if file is None:
        if not prompt:
            raise InputError("no prompt", hint="Give --prompt TEXT or --prompts FILE.jsonl.")
        return [sys.stdin.read() if prompt == "-" else prompt]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} can't be read: {error}") from error
    texts: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                texts.append(str(json.loads(line)["prompt"]))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(
                    "not a prompt", place=Place(file=str(file), line=number),
                    hint='Wanted: {"prompt": "…"}',
                ) from error  # fmt: skip
    if not texts:
        raise InputError(f"{file} holds no prompts")
    return texts


def _tell(model: str, answers: list[dict[str, Any]], *, is_one: bool, as_json: bool) -> None:
    if as_json:
        whole = {"model": model, **answers[0]} if is_one else {"model": model, "answers": answers}
        typer.echo(json.dumps(whole, ensure_ascii=False))
        return
    for answer in answers:
        for choice in answer["choices"]:
            typer.echo(answer["prompt"] + str(choice["text"]))


def _cut(text: str, stop: list[str]) -> str:
    """A stop text may begin within a token."""
    for end in stop:
        text = text.split(end, 1)[0] if end else text
    return text
