"""What the API is sent: strict, bounded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kuaibao.bulletin.desk import MAX_NUMBER, PieceText
from kuaibao.bulletin.model import SectionKind

__all__ = [
    "AssignForm", "BounceForm", "CommentForm", "CorrectForm", "CoverForm", "DraftForm",
    "HookForm", "IssueChange", "IssueForm", "LeadForm", "MoveForm", "NewSeriesForm",
    "OrderForm", "PartForm", "PasswordForm", "PersonChange", "PersonForm", "PictureKindForm",
    "PlaceForm", "SaveForm", "SectionForm", "SentenceForm", "SeriesForm", "SettingForm",
    "SubscriberForm", "TermForm", "TextForm", "TokenForm",
]  # fmt: skip

Number = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Line = Annotated[str, Field(max_length=1000)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextForm(_Form):
    """A text: title, body, labelled parts."""

    title: Line = ""
    body: str = Field(default="", max_length=200_000)
    fields: list[tuple[Line, str]] = Field(default_factory=list, max_length=40)

    def value(self) -> PieceText:
        """As the desk takes it."""
        return PieceText(title=self.title, body=self.body, fields=tuple(self.fields))


class SaveForm(TextForm):
    """A text on top of a revision."""

    base_revision: Number
    note: Line = ""


class CorrectForm(TextForm):
    """An erratum."""

    note: Line


class PartForm(_Form):
    """An entry that does not belong to its story."""

    reference: Line


class MoveForm(_Form):
    """A step of the workflow."""

    move: Literal[
        "pick", "drop", "restore", "take", "compile", "proofread", "send_back", "accept", "undo"
    ]
    revision: Number | None = None
    is_translation: bool = False
    note: Line = ""


class AssignForm(_Form):
    """Who does what until when."""

    compiler_id: Number | None = None
    proofreader_id: Number | None = None
    due: Annotated[str, Field(max_length=10)] = ""


class DraftForm(_Form):
    """How a machine drafts."""

    how: Literal["extract", "endpoint", "translator"] = "extract"
    translator: Annotated[str, Field(max_length=100)] = ""


class CommentForm(_Form):
    """A remark."""

    text: Annotated[str, Field(min_length=1, max_length=5000)]
    error_class: Annotated[str, Field(max_length=20)] = ""
    quote: Line = ""


class SentenceForm(_Form):
    """How far a sentence is."""

    sentence: Annotated[str, Field(max_length=20_000)]
    state: Literal["draft", "checked", "approved"]


class PictureKindForm(_Form):
    """What kind a picture is."""

    url: Annotated[str, Field(max_length=4_000)]
    kind: Annotated[str, Field(max_length=100)]


class LeadForm(_Form):
    """The picture that leads; empty for none."""

    url: Annotated[str, Field(max_length=4_000)] = ""


class CoverForm(_Form):
    """Which draw of the cover."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]


class IssueForm(_Form):
    """A new issue."""

    series_id: Number
    day: Annotated[str, Field(max_length=10)] = ""
    title: Annotated[str, Field(max_length=500)] = ""


class IssueChange(_Form):
    """Title, day, highlights of an open issue."""

    title: Annotated[str, Field(max_length=500)] = ""
    day: Annotated[str, Field(max_length=10)]
    highlights: list[Line] = Field(default_factory=list, max_length=20)


class PlaceForm(_Form):
    """An item into an issue (null: out of it)."""

    issue_id: Number | None
    section: SectionKind | None = None
    before: Number | None = None


class OrderForm(_Form):
    """The items of an issue in print order."""

    piece_ids: list[Number] = Field(max_length=1000)
    known: list[Number] | None = Field(default=None, max_length=1000)


class TermForm(_Form):
    """A row of the glossary."""

    source_language: Annotated[str, Field(min_length=2, max_length=20)]
    target_language: Annotated[str, Field(min_length=2, max_length=20)]
    source: Annotated[str, Field(min_length=1, max_length=300)]
    target: Annotated[str, Field(min_length=1, max_length=300)]
    avoid: list[Annotated[str, Field(max_length=300)]] = Field(default_factory=list, max_length=20)
    note: Annotated[str, Field(max_length=2000)] = ""
    needs_original: bool = False


class PersonForm(_Form):
    """A new account."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=10, max_length=1024)]
    roles: list[Annotated[str, Field(max_length=40)]] = Field(max_length=10)
    display_name: Annotated[str, Field(max_length=100)] = ""
    email: Annotated[str, Field(max_length=320)] = ""


class PersonChange(_Form):
    """Roles, and whether they may come in."""

    roles: list[Annotated[str, Field(max_length=40)]] = Field(max_length=10)
    is_active: bool = True


class PasswordForm(_Form):
    """One's own password, changed."""

    old: Annotated[str, Field(max_length=1024)]
    new: Annotated[str, Field(min_length=10, max_length=1024)]


class TokenForm(_Form):
    """A new token of one's own."""

    label: Annotated[str, Field(max_length=200)] = ""
    scopes: list[Literal["read", "write", "publish", "admin"]] = Field(max_length=4)
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class SectionForm(_Form):
    """A section with the labelled parts of its items (none: one body)."""

    kind: SectionKind
    title: Annotated[str, Field(max_length=100)] = ""
    fields: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=20
    )


class NewSeriesForm(_Form):
    """A new series; what its issues share is set afterwards."""

    name: Annotated[str, Field(min_length=1, max_length=300)]
    language: Literal["en", "zh"]


class SeriesForm(_Form):
    """What changes of a series."""

    name: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    publisher: Line | None = None
    editors: list[Line] | None = Field(default=None, max_length=40)
    contact: Line | None = None
    base_url: Line | None = None
    disclaimer: Annotated[str, Field(max_length=5000)] | None = None
    accent: Annotated[str, Field(max_length=7)] | None = None
    days_between: Annotated[int, Field(ge=1, le=1000)] | None = None
    repeat_after: Annotated[int, Field(ge=0, le=1000)] | None = None
    sections: list[SectionForm] | None = Field(default=None, max_length=10)


class SubscriberForm(_Form):
    """An address."""

    email: Annotated[str, Field(min_length=3, max_length=320)]


class BounceForm(_Form):
    """A whole message that came back (RFC 5322 text)."""

    message: Annotated[str, Field(max_length=1_000_000)]


class HookForm(_Form):
    """A program to be told; no events: of everything."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    events: list[Annotated[str, Field(max_length=40)]] = Field(default_factory=list, max_length=40)


class SettingForm(_Form):
    """A setting of the desk."""

    name: Literal[
        "anonymous_reading", "model_url", "model_name", "translator_folder",
        "oidc_issuer", "oidc_client_id",
        "oidc_role", "smtp_host", "smtp_port", "smtp_user", "smtp_security", "mail_sender",
        "public_url", "mail_per_minute",
    ]  # fmt: skip
    value: Line
