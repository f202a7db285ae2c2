"""An issue as a message for one reader: rendered once, addressed many times."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from kuaibao.bulletin.model import Issue
from kuaibao.bulletin.publishing import Envelope, Look, make_mail, make_view
from kuaibao.files import hash_value

__all__ = ["FormLetter"]

_LEAVE = "https://leave.kuaibao.invalid/token"
_OWN = frozenset({"to", "message-id", "list-unsubscribe", "content-type", "mime-version",
                  "content-transfer-encoding"})  # fmt: skip
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class FormLetter:
    """What every reader's message shares."""

    issue: Issue
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    domain: str

    @classmethod
    def of(cls, issue: Issue, sender: str, look: Look | None = None) -> FormLetter:
        """Render an issue.

        Raises:
            PublishingError: The sender is no address.
        """
        envelope = Envelope(sender=sender, recipient="reader@kuaibao.invalid",
                            unsubscribe_url=_LEAVE)  # fmt: skip
        message = make_mail(issue, make_view(issue, look), envelope)
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        assert plain is not None
        assert html is not None
        headers = tuple((n, str(v)) for n, v in message.items() if n.lower() not in _OWN)
        host = str(message["Message-ID"]).rpartition("@")[2].rstrip(">")
        return cls(issue, headers, plain.get_content(), html.get_content(), host)

    def to(self, recipient: str, leave: str) -> EmailMessage:
        """The message for one reader.

        Args:
            recipient: A plain address.
            leave: Their own address for leaving; one-click (RFC 8058) if it is https.
        """
        message = EmailMessage(policy=_POLICY)
        for name, value in self.headers:
            if name.lower() != "list-unsubscribe-post" or leave.startswith("https://"):
                message[name] = value
        user, _, domain = recipient.rpartition("@")
        message["To"] = Address(username=user, domain=domain)
        message["List-Unsubscribe"] = f"<{leave}>"
        # One id for an issue and a reader: a mailbox shows a second copy once.
        issue = self.issue
        digest = hash_value([issue.series, issue.day.year, issue.number, recipient])[:32]
        message["Message-ID"] = f"<{digest}@{self.domain}>"
        message.set_content(self.text.replace(_LEAVE, leave))
        message.add_alternative(self.html.replace(_LEAVE, leave), subtype="html")
        return message
