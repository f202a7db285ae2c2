"""The text of a piece as people write it: title, body, labelled parts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from kuaibao.files import hash_value
from kuaibao.text import split_sentences

__all__ = ["MAX_TEXT", "PieceText"]

MAX_TEXT = 200_000
"""Characters of one text."""

_MARKDOWN = re.compile(r"(?m)^(#{1,6}\s|```|~~~|>\s|[-*+]\s|\d+[.)]\s|\|.+\|)|\n\s*\n|\]\(|\*\*")


@dataclass(frozen=True, kw_only=True)
class PieceText:
    """What is printed of an item in one language."""

    title: str = ""
    body: str = ""
    """Plain sentences or Markdown."""
    fields: tuple[tuple[str, str], ...] = ()
    """Labelled parts in print order (for a paper: background, innovation, …)."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be printed under the title."""
        return not (self.body.strip() or any(text.strip() for _, text in self.fields))

    @property
    def is_markdown(self) -> bool:
        """Whether the body has more form than a row of sentences."""
        return bool(_MARKDOWN.search(self.body.strip()))

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The body (label "") and the labelled parts, the empty ones left out."""
        every = (("", self.body), *self.fields)
        return tuple((label, text) for label, text in every if text.strip())

    def sentences(self) -> tuple[tuple[str, str], ...]:
        """Every sentence with the label of its part."""
        return tuple((label, s.text) for label, text in self.parts for s in split_sentences(text))

    def to_json(self) -> str:
        """Canonical JSON."""
        value = {"title": self.title, "body": self.body, "fields": [list(f) for f in self.fields]}
        return json.dumps(value, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> PieceText:
        """The value again."""
        value = json.loads(text)
        fields = tuple((str(n), str(t)) for n, t in value.get("fields", ()))
        return cls(title=value.get("title", ""), body=value.get("body", ""), fields=fields)

    @property
    def hash(self) -> str:
        """SHA-256 of the text: what a signature signs."""
        return hash_value([self.title, self.body, [list(f) for f in self.fields]])
