"""What the pages say, in each language: `locales/*.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from kuaibao.errors import KuaibaoError

__all__ = ["LANGUAGES", "Words", "negotiate"]

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    language: str
    table: dict[str, str]

    @classmethod
    def of(cls, language: str) -> Words:
        """The catalogue of a language; English for one that we have none of."""
        return _load(language if language in LANGUAGES else "en")

    def __call__(self, key: str, **values: Any) -> str:
        """The phrase at `table.key`, with `values` filled in.

        Raises:
            KeyError: There is no such phrase: a slip in a template, which a test finds.
        """
        phrase = self.table[key]
        return phrase.format(**values) if values else phrase

    def get(self, key: str, default: str) -> str:
        """The phrase if there is one: for names that come from outside."""
        return self.table.get(key, default)

    def error(self, error: KuaibaoError, code: int = 0) -> str:
        """What an error says: by its rule, its own words, its kind, or the status of the answer."""
        reason = str(getattr(error, "reason", ""))
        known = self.table.get(f"reason.{reason}") or self.message(error.message)
        kind = self.table.get(f"error.{type(error).__name__}") or self.table.get(f"error.{code}")
        if known or kind:
            return known or str(kind)
        return self("error.other", message=error.message)

    def message(self, text: str) -> str:
        """English words of the desk (an error, a reason) in this language; empty if unknown."""
        for pattern, phrase in _messages(self.language):
            if found := pattern.fullmatch(text):
                return phrase.format(*(self.message(part) or part for part in found.groups()))
        return ""

    def said(self, text: str) -> str:
        """The same in this language, or as it is."""
        return self.message(text) or text

    def when(self, at: float | None) -> str:
        """A moment, as people write it; UTC."""
        if at is None:
            return ""
        moment = datetime.fromtimestamp(at, UTC)
        return self("date.moment", day=self.day(moment.date().isoformat()), time=f"{moment:%H:%M}")

    def day(self, iso: str) -> str:
        """A day from its ISO text."""
        try:
            day = datetime.fromisoformat(iso)
        except ValueError:
            return iso
        months = self("date.months").split()
        return self("date.day", day=day.day, month=months[day.month - 1], year=day.year)


def negotiate(header: str) -> str:
    """The best of our languages for an `Accept-Language` header."""
    best, weight = "en", 0.0
    for part in header.split(",")[:20]:
        tag, _, quality = part.strip().partition(";")
        try:
            q = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            q = 0.0
        name = tag.strip().partition("-")[0].lower()
        if name in LANGUAGES and q > weight:
            best, weight = name, q
    return best


@cache
def _messages(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    file = resources.files("kuaibao.web") / "locales" / f"messages.{language}.toml"
    if not file.is_file():
        return ()
    return tuple(
        (
            re.compile("(.*)".join(re.escape(part) for part in english.split("{}")), re.DOTALL),
            phrase,
        )
        for english, phrase in tomllib.loads(file.read_text("utf-8")).items()
    )


@cache
def _load(language: str) -> Words:
    text = (resources.files("kuaibao.web") / "locales" / f"{language}.toml").read_text("utf-8")
    table: dict[str, str] = {}
    for name, part in tomllib.loads(text).items():
        table.update({f"{name}.{key}": phrase for key, phrase in part.items()})
    return Words(language, table)
