"""Connections under guard and clock: the lowest layer of every request.

httpcore2 asks this backend for its connections. It resolves the name once, checks every number,
and connects to a checked number, so that no second resolution can give another one. All reads and
writes share one deadline for the request, so that a server that drips bytes cannot hold us.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2

from kuaibao.fetching.addresses import AddressGuard

__all__ = ["Deadline", "GuardedBackend", "RefusedConnectionError"]

Resolver = Callable[[str, int], list[str]]


class RefusedConnectionError(OSError):
    """The guard refused every address of a name; OSError would be retried, this is not."""


class Deadline(threading.local):
    """The moment by which the request of this thread must be done."""

    at: float = float("inf")

    def set(self, seconds: float) -> None:
        """From now."""
        self.at = time.monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Seconds for the next operation.

        Raises:
            TimeoutError: None are left.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request's time is up")
        return left if timeout is None else min(left, timeout)


def system_resolver(host: str, port: int) -> list[str]:
    """Every address of a name, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects only where the guard permits.

    Args:
        guard: Says which numbers may be reached.
        deadline: Shared with the fetcher, which sets it for each request.
        resolver: From a name to numbers; tests give their own.
        proxy: `(host, port)` of the configured proxy, which may be anywhere.
    """

    def __init__(
        self,
        guard: AddressGuard,
        deadline: Deadline,
        *,
        resolver: Resolver = system_resolver,
        proxy: tuple[str, int] | None = None,
    ) -> None:
        self._guard = guard
        self._deadline = deadline
        self._resolver = resolver
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, check, connect to a checked number."""
        addresses = self._resolve(host, port, timeout)
        permitted = [a for a in addresses if self._permits(host, port, a)]
        if not permitted:
            raise RefusedConnectionError(
                f"{host} is {', '.join(addresses[:3]) or 'nowhere'}, which is not a public address"
            )
        failure: OSError | None = None
        for address in permitted[:4]:
            try:
                connection = socket.create_connection((address, port), self._deadline.left(timeout))
            except TimeoutError as error:
                failure = error
            except OSError as error:
                failure = error
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _TimedStream(connection, self._deadline)
        if isinstance(failure, TimeoutError):
            raise httpcore2.ConnectTimeout(str(failure))
        raise httpcore2.ConnectError(str(failure))

    def _permits(self, host: str, port: int, address: str) -> bool:
        if self._proxy == (host, port):
            return True
        return self._guard.permits(host, port, address)

    def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        """In a thread of its own: a resolver cannot be given a time limit."""
        answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolver(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True, name=f"resolve {host[:40]}").start()
        try:
            answer = answers.get(timeout=self._deadline.left(timeout))
        except (queue.Empty, TimeoutError) as error:
            raise httpcore2.ConnectTimeout(f"no answer for the name {host}") from error
        if isinstance(answer, Exception):
            raise httpcore2.ConnectError(f"no address for the name {host}") from answer
        return answer

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        """Never."""
        raise RefusedConnectionError("sockets of this machine are not public addresses")

    def sleep(self, seconds: float) -> None:
        """As httpcore2 asks for between its own retries, which we do not use."""
        time.sleep(seconds)


class _TimedStream(httpcore2.NetworkStream):
    """A socket whose every operation stops at the request's deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._socket = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._socket.settimeout(self._deadline.left(timeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._socket.settimeout(self._deadline.left(timeout))
            self._socket.sendall(buffer)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            self._socket.settimeout(self._deadline.left(timeout))
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as error:
            self.close()
            raise httpcore2.ConnectTimeout(str(error)) from error
        except (OSError, ValueError) as error:
            self.close()
            raise httpcore2.ConnectError(str(error)) from error
        return _TimedStream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self._socket)
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        if info == "socket":
            return self._socket
        return None


def _is_readable(connection: socket.socket) -> bool:
    """An idle connection with something to read has been closed by its server."""
    import select

    try:
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([connection], [], [], 0)[0])
    except (OSError, ValueError):
        return True
