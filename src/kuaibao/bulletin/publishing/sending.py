"""Hand a message to a mail server."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import getaddresses

import aiosmtplib

from kuaibao.bulletin.publishing.errors import DeliveryError

__all__ = ["SmtpServer", "send_mail", "send_mail_async"]


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where mail is handed in."""

    host: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"
    """`starttls`, `tls` or `none` (only for a server on this machine)."""
    timeout_s: float = 30.0


def send_mail(message: EmailMessage, server: SmtpServer) -> tuple[str, ...]:
    """Send one message and wait; gives the addresses that the server took it for.

    Raises:
        DeliveryError: The server can't be reached, refuses the message or every recipient, or an
            address is a placeholder (`.invalid`).
    """
    return asyncio.run(send_mail_async(message, server))


async def send_mail_async(message: EmailMessage, server: SmtpServer) -> tuple[str, ...]:
    """`send_mail` for a program that already runs an event loop."""
    recipients = _recipients(message)
    if server.security not in {"starttls", "tls", "none"}:
        raise DeliveryError(
            f"Unknown security {server.security!r}", hint="Use starttls, tls or none."
        )
    if server.username and server.security == "none":
        raise DeliveryError("A password is never sent in the clear", hint="Use starttls or tls.")
    try:
        refused, _ = await aiosmtplib.send(
            message,
            recipients=recipients,
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password or None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            timeout=server.timeout_s,
        )
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
        raise DeliveryError(
            f"{server.host}:{server.port} did not take the message: {error}",
            hint="Check the server's address, its security setting and the credentials.",
        ) from error
    return tuple(address for address in recipients if address not in refused)


def _recipients(message: EmailMessage) -> list[str]:
    """Whom the message is for; placeholders are refused before anything is sent."""
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    recipients = [address for _, address in getaddresses(fields) if address]
    sender = [address for _, address in getaddresses([str(message.get("From", ""))])]
    for address in [*recipients, *sender]:
        if address.lower().endswith(".invalid"):
            raise DeliveryError(
                f"{address} stands for an address that was not given",
                hint="Give sender and recipient in an Envelope.",
            )
    if not recipients:
        raise DeliveryError("The message names no recipient", hint="Give one in an Envelope.")
    return recipients
