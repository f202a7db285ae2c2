"""Search, classifications and answers of 2020, made of likelihoods and few-shot prompts.

A document's score is how much likelier the query becomes after it: 100 times the mean
log-probability of the query's tokens behind the document, less the same behind no document.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from kuaibao.service.api.access import CallerOf, CompletionsOf
from kuaibao.service.api.forms import AnswersForm, ClassificationForm, SearchForm
from kuaibao.service.completions import CompletionCall, Completions
from kuaibao.service.engine import LanguageModel, Sampling
from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.files import FileStore
from kuaibao.service.likelihood import last_logprobs
from kuaibao.service.service import Caller

__all__ = ["router"]

router = APIRouter(tags=["2020"])

_BEHIND = "\n\nThe above passage is related to:"


@dataclass(frozen=True)
class _Document:
    index: int
    text: str
    metadata: str = ""
    label: str = ""


@router.post("/v1/engines/{engine_id}/search")
async def search(
    engine_id: str, form: SearchForm, caller: CallerOf, completions: CompletionsOf
) -> dict[str, Any]:
    """Score documents by how well the query follows them."""
    caller.require("complete")
    documents = _documents(form.documents, form.file, "search", caller, completions)
    documents = documents[: form.max_rerank or 200]
    scores = await _scores(engine_id, form.query, documents, form.user, caller, completions)
    data: list[dict[str, Any]] = []
    for document, score in zip(documents, scores, strict=True):
        row: dict[str, Any] = {
            "object": "search_result", "document": document.index, "score": round(score, 3),
        }  # fmt: skip
        if form.file:
            row["text"] = document.text
        if form.return_metadata:
            row["metadata"] = document.metadata
        data.append(row)
    if form.file:
        data.sort(key=lambda row: -row["score"])
    return {"object": "list", "data": data, "model": engine_id}


def _documents(
    texts: Sequence[str] | None,
    file_id: str | None,
    purpose: str,
    caller: Caller,
    completions: Completions,
) -> list[_Document]:
    if (texts is None) == (file_id is None):
        raise InvalidRequestError("give either documents or file", param="documents")
    if texts is not None:
        if not texts:
            raise InvalidRequestError("there is no document", param="documents")
        return [_Document(i, text) for i, text in enumerate(texts)]
    assert file_id is not None
    lines = FileStore(completions.service).lines(caller, file_id, purpose)
    return [
        _Document(i, str(row.get("text", "")), str(row.get("metadata", "")),
                  str(row.get("label", "")))
        for i, row in enumerate(lines)
    ]  # fmt: skip


async def _scores(
    model_name: str,
    query: str,
    documents: Sequence[_Document],
    user: str | None,
    caller: Caller,
    completions: Completions,
) -> list[float]:
    model = (await completions.scheduler(model_name)).model
    behind, asked = model.encode(_BEHIND), model.encode(" " + query)
    room = model.n_context - len(behind) - len(asked) - 1
    if room < 1:
        raise InvalidRequestError("the query does not fit the context", param="query")
    prompts: list[tuple[int, ...]] = []
    for text in ("", *(d.text for d in documents)):
        tokens = model.encode(text)
        if len(tokens) > room:
            raise InvalidRequestError(
                f"a document has {len(tokens)} tokens; with this query {room} fit",
                param="documents",
                code="context_length_exceeded",
            )
        prompts.append((model.end_token, *tokens, *behind, *asked))
    found = await last_logprobs(
        completions, caller, model_name, prompts, len(asked), user=user or "", endpoint="search"
    )
    means = [sum(one) / len(one) for one in found]
    return [100 * (mean - means[0]) for mean in means[1:]]


@router.post("/v1/classifications")
async def classify(
    form: ClassificationForm, caller: CallerOf, completions: CompletionsOf
) -> dict[str, Any]:
    """Label a text after labelled examples."""
    caller.require("complete")
    if (form.examples is None) == (form.file is None):
        raise InvalidRequestError("give either examples or file", param="examples")
    if form.examples is not None:
        examples = [_Document(i, t, label=y) for i, (t, y) in enumerate(form.examples)]
    else:
        examples = _documents(None, form.file, "classifications", caller, completions)
    labels = list(dict.fromkeys(form.labels or [d.label for d in examples]))
    model = (await completions.scheduler(form.model)).model
    head = (
        f"Please classify a piece of text into the following categories: {', '.join(labels)}.\n\n"
    )
    tail = f"Text: {form.query.strip()}\nCategory:"
    room = model.n_context - len(model.encode(head)) - len(model.encode(tail)) - 16
    chosen = examples[: form.max_examples or 200]
    if _n_token(model, chosen, _example_block) > room:
        scores = await _scores(
            form.search_model or form.model, form.query, chosen, form.user, caller, completions
        )
        ranked = [d for _, d in sorted(zip(scores, chosen, strict=True), key=lambda p: -p[0])]
        chosen = _fitting(model, _in_turns(ranked), room, _example_block)
    # The best example stands last, next to the question.
    prompt = head + "".join(_example_block(d) for d in reversed(chosen)) + tail
    call = CompletionCall(
        model=form.model,
        prompts=(tuple(model.encode(prompt)),),
        sampling=Sampling(
            max_tokens=16,
            temperature=form.temperature or 0.0,
            n_logprobs=form.logprobs,
            seed=secrets.randbits(63),
        ),
        stop=("\n",),
        user=form.user or "",
        endpoint="classifications",
    )
    run = await completions.complete(caller, call)
    said = run.choices[0].text.strip().capitalize()
    known = {label.capitalize(): label for label in labels}
    answer: dict[str, Any] = {
        "object": "classification",
        "completion": run.request_id,
        "label": known.get(said, "Unknown"),
        "model": form.model,
        "search_model": form.search_model or form.model,
        "selected_examples": [
            {"document": d.index, "text": d.text, "label": d.label} for d in chosen
        ],
    }
    return answer | ({"prompt": prompt} if form.return_prompt else {})


def _example_block(document: _Document) -> str:
    return f"Text: {document.text.strip()}\nCategory: {document.label}\n---\n"


def _n_token(model: LanguageModel, documents: Sequence[_Document], block: Any) -> int:
    return sum(len(model.encode(block(d))) for d in documents)


def _fitting(
    model: LanguageModel, documents: Sequence[_Document], room: int, block: Any
) -> list[_Document]:
    chosen: list[_Document] = []
    for document in documents:
        room -= len(model.encode(block(document)))
        if room < 0:
            break
        chosen.append(document)
    return chosen


def _in_turns(ranked: Sequence[_Document]) -> list[_Document]:
    """The best of each label, then the second of each, and so on."""
    by_label: dict[str, list[_Document]] = {}
    for document in ranked:
        by_label.setdefault(document.label, []).append(document)
    longest = max((len(group) for group in by_label.values()), default=0)
    return [g[i] for i in range(longest) for g in by_label.values() if i < len(g)]


@router.post("/v1/answers")
async def answer(form: AnswersForm, caller: CallerOf, completions: CompletionsOf) -> dict[str, Any]:
    """Answer a question from documents, in the manner of the examples."""
    caller.require("complete")
    documents = _documents(form.documents, form.file, "answers", caller, completions)
    documents = documents[: form.max_rerank or 200]
    search_model = form.search_model or form.model
    scores = await _scores(search_model, form.question, documents, form.user, caller, completions)
    ranked = [(s, d) for s, d in sorted(zip(scores, documents, strict=True), key=lambda p: -p[0])]
    model = (await completions.scheduler(form.model)).model
    head = (
        "Please answer the question according to the above context.\n===\n"
        f"Context: {form.examples_context}\n===\n"
        + "".join(f"Q: {q}\nA: {a}\n" for q, a in form.examples)
        + "===\nContext: "
    )
    tail = f"\n===\nQ: {form.question}\nA:"
    max_tokens = form.max_tokens or 16
    room = model.n_context - len(model.encode(head)) - len(model.encode(tail)) - max_tokens - 1
    chosen = _fitting(model, [d for _, d in ranked], room, lambda d: d.text + "\n")
    prompt = head + "\n".join(d.text for d in reversed(chosen)) + tail
    stop = [form.stop] if isinstance(form.stop, str) else list(form.stop or [])
    call = CompletionCall(
        model=form.model,
        prompts=(tuple(model.encode(prompt)),),
        sampling=Sampling(
            max_tokens=max_tokens,
            temperature=form.temperature or 0.0,
            n_logprobs=form.logprobs,
            seed=secrets.randbits(63),
        ),
        n=form.n or 1,
        best_of=form.n or 1,
        stop=(*stop, "\nQ:", "\n==="),
        user=form.user or "",
        endpoint="answers",
    )
    run = await completions.complete(caller, call)
    by_index = {d.index: s for s, d in ranked}
    result: dict[str, Any] = {
        "object": "answer",
        "completion": run.request_id,
        "answers": [choice.text.strip() for choice in run.choices],
        "model": form.model,
        "search_model": search_model,
        "selected_documents": [
            {"document": d.index, "text": d.text, "score": round(by_index[d.index], 3)}
            for d in chosen
        ],
    }
    return result | ({"prompt": prompt} if form.return_prompt else {})
