"""Request bodies, with OpenAI's names, ranges and defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "AnswersForm",
    "ChatForm",
    "ClassificationForm",
    "CompletionForm",
    "EmbeddingForm",
    "FineTuningForm",
    "Form",
    "SearchForm",
    "StrictForm",
]

_MAX_DEPTH = 64
"""Of a body's lists and objects."""
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

TokenId = Annotated[int, Field(ge=0)]
Prompt = (
    str
    | Annotated[list[str], Field(min_length=1, max_length=128)]
    | Annotated[list[TokenId], Field(min_length=1)]
    | Annotated[
        list[Annotated[list[TokenId], Field(min_length=1)]], Field(min_length=1, max_length=128)
    ]
)


class Form(BaseModel):
    """Fields that are not ours are passed over, as clients send more every year."""

    model_config = ConfigDict(extra="ignore", strict=False)

    @model_validator(mode="before")
    @classmethod
    def _with_whole_characters(cls, given: Any) -> Any:
        return _whole_characters(given)


class StrictForm(Form):
    """Of our own routes: a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


def _whole_characters(value: Any, depth: int = 0) -> Any:
    r"""Half of a surrogate pair becomes U+FFFD, as a browser sends it (Web IDL's USVString).

    JSON can say one ("\ud83d", an emoji that a client has cut in two); no encoding can.
    """
    if isinstance(value, str):
        return value if value.isascii() else _HALF_A_PAIR.sub("\ufffd", value)
    if depth > _MAX_DEPTH:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {_whole_characters(k): _whole_characters(v, depth + 1) for k, v in pairs}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [i if isinstance(i, int) else _whole_characters(i, depth + 1) for i in items]
    return value


class StreamOptions(Form):
    """How a stream ends."""

    include_usage: bool = False


class SamplingForm(Form):
    """What completions and chat share."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = 1.0
    top_p: Annotated[float, Field(ge=0, le=1)] | None = 1.0
    n: Annotated[int, Field(ge=1, le=128)] | None = 1
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = 0.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = 0.0
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    user: Annotated[str, Field(max_length=512)] | None = None


class CompletionForm(SamplingForm):
    """`POST /v1/completions`."""

    model: str = ""
    prompt: Prompt | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = 16
    best_of: Annotated[int, Field(ge=0, le=20)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool | None = False
    suffix: str | None = None


class ChatMessage(Form):
    """One turn."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[dict[str, Any]] | None = ""
    name: str | None = None


class ChatForm(SamplingForm):
    """`POST /v1/chat/completions`."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None


class EmbeddingForm(Form):
    """`POST /v1/embeddings`."""

    model: str = ""
    input: Prompt
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: Annotated[str, Field(max_length=512)] | None = None


class SearchForm(Form):
    """`POST /v1/engines/{id}/search` (2020)."""

    query: Annotated[str, Field(min_length=1, max_length=8000)]
    documents: Annotated[list[str], Field(max_length=200)] | None = None
    file: str | None = None
    max_rerank: Annotated[int, Field(ge=1, le=1000)] | None = 200
    return_metadata: bool | None = False
    user: Annotated[str, Field(max_length=512)] | None = None


class ClassificationForm(Form):
    """`POST /v1/classifications` (2020)."""

    model: str
    query: Annotated[str, Field(min_length=1, max_length=8000)]
    examples: Annotated[list[tuple[str, str]], Field(min_length=2, max_length=200)] | None = None
    file: str | None = None
    labels: Annotated[list[str], Field(min_length=2, max_length=200)] | None = None
    search_model: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.0
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_examples: Annotated[int, Field(ge=1, le=200)] | None = 200
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    return_prompt: bool | None = False
    user: Annotated[str, Field(max_length=512)] | None = None


class AnswersForm(Form):
    """`POST /v1/answers` (2020)."""

    model: str
    question: Annotated[str, Field(min_length=1, max_length=8000)]
    examples: Annotated[list[tuple[str, str]], Field(min_length=1, max_length=200)]
    examples_context: Annotated[str, Field(max_length=20_000)]
    documents: Annotated[list[str], Field(max_length=200)] | None = None
    file: str | None = None
    search_model: str | None = None
    max_rerank: Annotated[int, Field(ge=1, le=1000)] | None = 200
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.0
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = 16
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    n: Annotated[int, Field(ge=1, le=10)] | None = 1
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    return_prompt: bool | None = False
    user: Annotated[str, Field(max_length=512)] | None = None


class FineTuningForm(Form):
    """`POST /v1/fine_tuning/jobs`."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(max_length=64, pattern=r"^[\w.-]*$")] | None = None
    hyperparameters: dict[str, Any] | None = None
    seed: int | None = None
