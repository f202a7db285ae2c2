"""Models of another OpenAI-compatible server (vLLM, a provider): this service is its gate.

The server is named by whoever configures the service, so its address may be a private one.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from kuaibao.errors import InputError
from kuaibao.service.errors import ApiError, InvalidRequestError, OverloadedError

__all__ = ["RemoteServer", "ask", "parse_remote", "stream"]

CONNECT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class RemoteServer:
    """Where a model is really served."""

    base_url: str
    """Without a slash at its end; routes such as `/completions` follow."""
    model: str
    """Its name there."""
    key_variable: str = ""
    """The environment variable that holds the key; empty for none."""
    timeout_s: float = 600.0

    def headers(self) -> dict[str, str]:
        """With the key, which is read for each request and never kept."""
        secret = os.environ.get(self.key_variable, "") if self.key_variable else ""
        return {"Authorization": f"Bearer {secret}"} if secret else {}


def parse_remote(name: str, where: str, key_variable: str, timeout_s: float) -> RemoteServer | None:
    """The server behind `URL` or `URL#MODEL`; None if `where` is no URL.

    Raises:
        InputError: The variable of its key is not set.
    """
    if not where.startswith(("http://", "https://")):
        return None
    url, _, model = where.partition("#")
    if key_variable and not os.environ.get(key_variable):
        raise InputError(f"model {name!r}: the environment has no {key_variable}")
    return RemoteServer(
        base_url=url.rstrip("/"), model=model or name, key_variable=key_variable,
        timeout_s=timeout_s,
    )  # fmt: skip


async def ask(server: RemoteServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One answer.

    Raises:
        ApiError: As the server said it, or that it cannot be reached.
    """
    async with _request(server, path, body) as answer:
        text = await _bounded(answer)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise OverloadedError("the server behind this model answered no JSON") from error
    if not isinstance(value, dict):
        raise OverloadedError("the server behind this model answered no object")
    return value


async def stream(
    server: RemoteServer, path: str, body: dict[str, Any]
) -> AsyncGenerator[dict[str, Any]]:
    """The events of a streamed answer; the connection ends with the generator.

    Raises:
        ApiError: As the server said it, or that it cannot be reached or broke off.
    """
    async with _request(server, path, body) as answer:
        n_byte = 0
        try:
            async for line in answer.aiter_lines():
                n_byte += len(line)
                if n_byte > MAX_ANSWER_BYTES:
                    raise OverloadedError("the server behind this model does not stop")
                data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
                if data == "[DONE]":
                    return
                if data:
                    yield json.loads(data)
        except (httpx2.HTTPError, ValueError) as error:
            raise OverloadedError("the server behind this model broke off") from error


@asynccontextmanager
async def _request(
    server: RemoteServer, path: str, body: dict[str, Any]
) -> AsyncGenerator[httpx2.Response]:
    timeout = httpx2.Timeout(server.timeout_s, connect=CONNECT_S)
    async with httpx2.AsyncClient(timeout=timeout, trust_env=False) as client:
        request = client.build_request(
            "POST", server.base_url + path, json=body, headers=server.headers()
        )
        try:
            answer = await client.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise OverloadedError("the server behind this model cannot be reached") from error
        try:
            if answer.status_code >= 400:
                raise _as_api_error(answer.status_code, await _bounded(answer))
            yield answer
        finally:
            await answer.aclose()


async def _bounded(answer: httpx2.Response) -> bytes:
    text = b""
    try:
        async for part in answer.aiter_bytes():
            text += part
            if len(text) > MAX_ANSWER_BYTES:
                raise OverloadedError("the server behind this model answered too much")
    except httpx2.HTTPError as error:
        raise OverloadedError("the server behind this model broke off") from error
    return text


def _as_api_error(status: int, text: bytes) -> ApiError:
    """What the server refused, in its own words; its troubles with our key are not the caller's."""
    if status in (401, 403) or status >= 500 or status == 429:
        return OverloadedError(f"the server behind this model answered {status}")
    try:
        said = json.loads(text)["error"]
        message, param, code = str(said["message"]), said.get("param"), said.get("code")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, param, code = f"the server behind this model answered {status}", None, None
    return InvalidRequestError(message, param=param, code=None if code is None else str(code))
