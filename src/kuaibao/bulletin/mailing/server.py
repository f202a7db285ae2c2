"""Where mail is handed in, from the desk's settings; the password comes from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from kuaibao.bulletin.desk import Desk
from kuaibao.bulletin.publishing import SmtpServer

__all__ = ["PASSWORD_VARIABLE", "MailSettings", "mail_settings"]

PASSWORD_VARIABLE = "KUAIBAO_SMTP_PASSWORD"
"""The environment variable that holds the mail server's password; it is never stored."""


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """How mail leaves."""

    server: SmtpServer
    sender: str
    base_url: str
    """Where the desk is reached from outside: in links to confirm and to leave."""
    per_minute: int = 120
    """At most so many messages; most servers throttle above some number."""


def mail_settings(desk: Desk, environ: Mapping[str, str] = os.environ) -> MailSettings | None:
    """The settings; None while host, sender or address are missing."""
    given = desk.settings()
    host, sender = given.get("smtp_host", ""), given.get("mail_sender", "")
    base_url = given.get("public_url", "")
    if not host or not sender or not base_url:
        return None
    return MailSettings(
        server=SmtpServer(
            host=host, port=_number(given.get("smtp_port", ""), 587),
            username=given.get("smtp_user", ""), password=environ.get(PASSWORD_VARIABLE, ""),
            security=given.get("smtp_security", "starttls"),
        ),
        sender=sender, base_url=base_url,
        per_minute=max(1, _number(given.get("mail_per_minute", ""), 120)),
    )  # fmt: skip


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
