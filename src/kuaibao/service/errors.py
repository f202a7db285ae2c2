"""Errors of the text service, in the shape that OpenAI's clients expect.

ApiError                 status, type, code, param, headers
├── InvalidRequestError  400
├── NotFoundError        404
├── KeyRefusedError      401
├── ForbiddenError       403
├── RateLimitError       429, with Retry-After
├── ClientGoneError      499, read by nobody but the log
└── OverloadedError      503, with Retry-After
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kuaibao.errors import KuaibaoError

__all__ = [
    "ApiError",
    "ClientGoneError",
    "ForbiddenError",
    "InvalidRequestError",
    "KeyRefusedError",
    "NotFoundError",
    "OverloadedError",
    "RateLimitError",
]


class ApiError(KuaibaoError):
    """An answer other than success: `{"error": {message, type, param, code}}`."""

    status = 500
    type = "server_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON document of the answer."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


class InvalidRequestError(ApiError):
    """A field is missing, of the wrong type or out of range."""

    status = 400
    type = "invalid_request_error"


class NotFoundError(InvalidRequestError):
    """No such model, file or job; also said of somebody else's."""

    status = 404


class KeyRefusedError(InvalidRequestError):
    """No key, or one that is unknown, expired or revoked."""

    status = 401

    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})


class ForbiddenError(InvalidRequestError):
    """The key is good, but its scope or its application does not allow this."""

    status = 403
    type = "permission_error"


class RateLimitError(ApiError):
    """A ceiling was reached."""

    status = 429
    type = "requests"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None,
        code: str = "rate_limit_exceeded",
        kind: str = "requests",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        # Waiting does not mend a spent budget: clients must not retry by themselves.
        if retry_after_s is None:
            extra = {"x-should-retry": "false"}
        else:
            extra = {
                "Retry-After": str(max(1, round(retry_after_s + 0.5))),
                "retry-after-ms": str(max(1, round(retry_after_s * 1000))),
            }
        super().__init__(message, code=code, headers={**(headers or {}), **extra})
        self.type = kind


class ClientGoneError(ApiError):
    """The client left before its answer; what was done until then is billed."""

    status = 499
    type = "client_gone"


class OverloadedError(ApiError):
    """More work than the machine takes: come back later."""

    status = 503
    type = "overloaded"

    def __init__(self, message: str, *, retry_after_s: float = 5.0) -> None:
        super().__init__(
            message,
            code="overloaded",
            headers={"Retry-After": str(max(1, round(retry_after_s)))},
        )
