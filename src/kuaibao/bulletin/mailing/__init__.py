"""Mail to subscribers: double opt-in, one-click leaving, bounces, a queue that sends once."""

from kuaibao.bulletin.mailing.bounces import Bounce, read_bounce, read_bounces, record_bounce
from kuaibao.bulletin.mailing.notes import queue_notes
from kuaibao.bulletin.mailing.queue import Mailing, Progress, list_mailings, queue_issue, requeue
from kuaibao.bulletin.mailing.sending import send_queued, send_waiting
from kuaibao.bulletin.mailing.server import PASSWORD_VARIABLE, MailSettings, mail_settings
from kuaibao.bulletin.mailing.subscribers import (
    MAILING_ROOM,
    Subscriber,
    add_subscriber,
    confirm,
    count_subscribers,
    find_by_token,
    list_subscribers,
    open_mailing,
    subscribe,
    unsubscribe,
)

__all__ = [
    "MAILING_ROOM",
    "PASSWORD_VARIABLE",
    "Bounce",
    "MailSettings",
    "Mailing",
    "Progress",
    "Subscriber",
    "add_subscriber",
    "confirm",
    "count_subscribers",
    "find_by_token",
    "list_mailings",
    "list_subscribers",
    "mail_settings",
    "open_mailing",
    "queue_issue",
    "queue_notes",
    "read_bounce",
    "read_bounces",
    "record_bounce",
    "requeue",
    "send_queued",
    "send_waiting",
    "subscribe",
    "unsubscribe",
]
