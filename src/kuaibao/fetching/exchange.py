"""One request and its answer: no redirects, no retries, but every limit."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

import httpcore2
import httpx2

from kuaibao.fetching.addresses import AddressGuard
from kuaibao.fetching.config import FetchSettings
from kuaibao.fetching.errors import (
    FetchError,
    RefusedAddressError,
    TooLargeError,
    TooSlowError,
    UnreachableError,
)
from kuaibao.fetching.network import (
    Deadline,
    GuardedBackend,
    RefusedConnectionError,
    Resolver,
    system_resolver,
)

__all__ = ["Answer", "Exchange", "parse_target"]

# It writes whole headers and addresses, keys included, at its debug level.
logging.getLogger("httpcore2").setLevel(logging.WARNING)

_READABLE_CODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


class Answer:
    """Status, headers (lower case, as sent otherwise) and the decoded body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Exchange:
    """A pool of guarded connections. Safe for threads; close it when done."""

    def __init__(self, settings: FetchSettings, *, resolver: Resolver = system_resolver) -> None:
        self._settings = settings
        self.deadline = Deadline()
        proxy = httpx2.URL(settings.proxy) if settings.proxy else None
        self._backend = GuardedBackend(
            AddressGuard(settings.allowed_addresses),
            self.deadline,
            resolver=resolver,
            proxy=(proxy.host, proxy.port or 80) if proxy else None,
        )
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            proxy=httpcore2.Proxy(str(proxy)) if proxy else None,
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=15.0,
            network_backend=self._backend,
        )
        self._proxied_guard = AddressGuard(settings.allowed_addresses) if proxy else None

    def close(self) -> None:
        """End all connections."""
        self._pool.close()

    def get(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
        """Ask once, read at most `max_bytes` decoded bytes.

        Raises:
            FetchError: One of its kinds, by what went wrong.
        """
        return self.send("GET", url, headers, max_bytes)

    def send(
        self, method: str, url: str, headers: Mapping[str, str], max_bytes: int, body: bytes = b""
    ) -> Answer:
        """Any method, with a body.

        Raises:
            FetchError: One of its kinds, by what went wrong.
        """
        target = parse_target(url)
        self._check_proxied(url, target)
        request = httpx2.Request(method, target, headers=_as_bytes(headers), content=body or None)
        seconds = self._settings.connect_s
        extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)}
        try:
            raw = self._pool.handle_request(
                httpcore2.Request(
                    method,
                    httpcore2.URL(
                        scheme=target.raw_scheme,
                        host=target.raw_host,
                        port=target.port,
                        target=target.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=body or None,
                    extensions=extensions,
                )
            )
            try:
                return self._read(url, raw, max_bytes)
            finally:
                raw.close()
        except RefusedConnectionError as error:
            raise RefusedAddressError(url, str(error), hint=_ALLOW_HINT) from error
        except (httpcore2.TimeoutException, TimeoutError) as error:
            raise TooSlowError(url, "no whole answer in time") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError) as error:
            raise UnreachableError(url, _reason(error)) from error
        except (httpx2.DecodingError, OSError, ValueError) as error:
            raise UnreachableError(url, f"the answer cannot be read ({_reason(error)})") from error

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A guarded connection.

        Raises:
            FetchError: The address is refused or does not answer.
        """
        place = f"{host}:{port}"
        self.deadline.set(timeout_s)
        try:
            stream = self._backend.connect_tcp(host, port, timeout_s)
        except RefusedConnectionError as error:
            raise RefusedAddressError(place, str(error), hint=_ALLOW_HINT) from error
        except (httpcore2.TimeoutException, TimeoutError) as error:
            raise TooSlowError(place, "no connection in time") from error
        except httpcore2.NetworkError as error:
            raise UnreachableError(place, _reason(error)) from error
        connection: socket.socket = stream.get_extra_info("socket")
        connection.settimeout(timeout_s)
        return connection

    def _read(self, url: str, raw: httpcore2.Response, max_bytes: int) -> Answer:
        answer = httpx2.Response(
            raw.status, headers=raw.headers, stream=_Stream(raw), request=httpx2.Request("GET", url)
        )
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw.headers
        }
        codings = {c.strip().lower() for c in headers.get("content-encoding", "").split(",")}
        if codings - _READABLE_CODINGS:
            raise UnreachableError(url, f"unknown content coding {', '.join(sorted(codings))[:60]}")
        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:18]) > max_bytes:
            raise TooLargeError(url, f"{int(declared[:18])} bytes, more than {max_bytes}")
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_bytes():
            self.deadline.left(None)
            size += len(part)
            if size > max_bytes:
                raise TooLargeError(url, f"more than {max_bytes} bytes after decoding")
            parts.append(part)
        return Answer(raw.status, headers, b"".join(parts))

    def _check_proxied(self, url: str, target: httpx2.URL) -> None:
        """A proxy resolves names itself; numbers at least are checked here."""
        if self._proxied_guard is None:
            return
        import ipaddress

        try:
            ipaddress.ip_address(target.host)
        except ValueError:
            refused = target.host in ("localhost", "") or target.host.endswith(".localhost")
        else:
            refused = not self._proxied_guard.permits(target.host, target.port or 0, target.host)
        if refused:
            raise RefusedAddressError(url, "not a public address", hint=_ALLOW_HINT)


_ALLOW_HINT = "If you trust it, name it in allowed_addresses."


class _Stream(httpx2.SyncByteStream):
    def __init__(self, raw: httpcore2.Response) -> None:
        self._raw = raw

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield from self._raw.iter_stream()

    def close(self) -> None:
        self._raw.close()


def _as_bytes(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Latin-1 gives back the bytes that a validator came as."""
    return [
        (name.encode("ascii"), value.encode("latin-1", "replace"))
        for name, value in headers.items()
    ]


def parse_target(url: str) -> httpx2.URL:
    """An http(s) address with a host.

    Raises:
        RefusedAddressError: It is something else.
    """
    try:
        target = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise RefusedAddressError(url, "not an address") from error
    if target.scheme not in ("http", "https"):
        raise RefusedAddressError(url, f"'{target.scheme}' is not http or https")
    if target.port is not None and not 0 < target.port < 65_536:
        raise RefusedAddressError(url, f"there is no port {target.port}")
    if not target.host:
        raise RefusedAddressError(url, "no host is named")
    return target


def _reason(error: BaseException) -> str:
    if isinstance(error, FetchError):
        return error.reason
    text = " ".join(str(error).split())[:160]
    return text or type(error).__name__
