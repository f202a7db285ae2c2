"""Personal data that has a form: addresses, telephone, card, bank and identity numbers.

Numbers with a check digit are only reported when it fits (python-stdnum), telephone numbers when a
numbering plan has them and they are grouped as people write them (phonenumbers): a page full of
figures does not raise alarms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.us import ssn

from kuaibao.service.policy.checks.finding import Finding

__all__ = ["check_personal_data"]

REGIONS = ("CN", "US")
"""Whose telephone numbers are known without +86 or +1; with a country code, everybody's are."""
_MAX_PHONES = 1000


def _is_card(text: str) -> bool:
    """ISO/IEC 7812-1: 13 to 19 digits, not all the same, whose check digit fits."""
    digits = re.sub(r"\D", "", text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn.is_valid(digits)


def _always(_text: str) -> bool:
    return True


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("e-mail address",
     re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}", re.ASCII),
     _always),
    ("Chinese identity number", re.compile(r"(?<!\d)[1-9]\d{16}[\dXx](?!\d)"), ric.is_valid),
    ("card number", re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])"), _is_card),
    ("bank account", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
     iban.is_valid),
    ("US social security number", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
     ssn.is_valid),
)  # fmt: skip


def check_personal_data(text: str) -> Finding | None:
    """Find e-mail addresses, telephone, card, bank and identity numbers."""
    spans: list[tuple[int, int]] = []
    kinds: list[str] = []
    for kind, start, end in (*_formed(text), *_telephones(text)):
        if not any(s < end and start < e for s, e in spans):
            spans.append((start, end))
            kinds.append(kind)
    if not spans:
        return None
    return Finding(", ".join(dict.fromkeys(kinds)), tuple(spans))


def _formed(text: str) -> Iterator[tuple[str, int, int]]:
    for kind, pattern, is_valid in _KINDS:
        for match in pattern.finditer(text):
            if is_valid(match.group()):
                yield kind, *match.span()


def _telephones(text: str) -> Iterator[tuple[str, int, int]]:
    for region in REGIONS:
        for match in PhoneNumberMatcher(
            text, region, leniency=Leniency.STRICT_GROUPING, max_tries=_MAX_PHONES
        ):
            yield "telephone number", match.start, match.end
