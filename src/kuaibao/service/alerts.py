"""Tells of budgets: a line in the log, and a mail where one is wanted."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Callable
from email.message import EmailMessage

from kuaibao.service.settings import ServiceSettings
from kuaibao.service.usage import Alert

__all__ = ["alert_teller"]

_log = logging.getLogger("kuaibao.service.budgets")

TIMEOUT_S = 20.0


def alert_teller(settings: ServiceSettings) -> Callable[[Alert], None]:
    """What the budgets call: logs each alert, and mails it if a server is set."""

    def tell(alert: Alert) -> None:
        one = alert.budget
        fields = {
            "scope": one.scope, "subject_id": one.subject_id, "threshold": alert.threshold,
            "used": alert.used, "amount": one.amount, "unit": one.unit, "month": alert.month,
        }  # fmt: skip
        _log.warning("budget", extra={"fields": fields})
        if one.email and settings.smtp:
            # A slow mail server must not hold up the request that reached the threshold.
            threading.Thread(target=_mail, args=(settings, alert), daemon=True).start()

    return tell


def _mail(settings: ServiceSettings, alert: Alert) -> None:
    host, _, port = settings.smtp.partition(":")
    try:
        with smtplib.SMTP(host, int(port or 25), timeout=TIMEOUT_S) as server:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls()
            server.send_message(_message(settings, alert))
    except (OSError, ValueError, smtplib.SMTPException) as error:
        _log.error("the mail of an alert could not be sent: %s", error)


def _message(settings: ServiceSettings, alert: Alert) -> EmailMessage:
    one = alert.budget
    unit = settings.currency if one.unit == "money" else "tokens"
    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from, one.email
    message["Subject"] = f"Kuaibao: {alert.threshold} % of a budget is used ({alert.month})"
    end = "Requests are refused from now on." if one.is_hard and alert.threshold >= 100 else ""
    message.set_content(
        f"The budget of {one.scope} {one.subject_id} for {alert.month} is {one.amount:g} {unit}; "
        f"{alert.used:g} {unit} are used. {end}\n"
    )
    return message
