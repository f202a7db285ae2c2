"""Personal data that has a form: addresses, telephone, card, bank and identity numbers.

Numbers with a check digit are only reported when it fits, so that a page full of figures does not
raise alarms.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kuaibao.service.policy.checks.finding import Finding

__all__ = ["check_personal_data"]


def _is_card(digits: str) -> bool:
    """Luhn (ISO/IEC 7812-1, annex B)."""
    numbers = [int(c) for c in digits if c.isdigit()]
    if not 13 <= len(numbers) <= 19 or len(set(numbers)) == 1:
        return False
    doubled = [d * 2 - 9 * (d > 4) for d in numbers[-2::-2]]
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def _is_chinese_identity_number(text: str) -> bool:
    """GB 11643: eighteen characters, the last a check over weights 2^i mod 11."""
    month, day = int(text[10:12]), int(text[12:14])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return False
    total = sum(int(c) * (2 ** (17 - i) % 11) for i, c in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


def _is_iban(text: str) -> bool:
    """ISO 13616: moved to the end and read as a number, the rest modulo 97 is 1."""
    compact = re.sub(r"\s", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _always(_text: str) -> bool:
    return True


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        "e-mail address",
        re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}", re.ASCII),
        _always,
    ),
    (
        "Chinese identity number",
        re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{9}[\dXx](?!\d)"),
        _is_chinese_identity_number,
    ),
    ("card number", re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])"), _is_card),
    ("bank account", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
     _is_iban),
    ("mobile telephone number",
     re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"), _always),
    ("telephone number", re.compile(r"(?<![\w.])\+\d{1,3}(?:[ .-]?\(?\d{2,4}\)?){2,5}(?![\w.])"),
     _always),
    ("US social security number",
     re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"), _always),
)  # fmt: skip


def check_personal_data(text: str) -> Finding | None:
    """Find e-mail addresses, telephone, card, bank and identity numbers."""
    spans: list[tuple[int, int]] = []
    kinds: list[str] = []
    for kind, pattern, is_valid in _KINDS:
        for match in pattern.finditer(text):
            inside = any(s <= match.start() and match.end() <= e for s, e in spans)
            if not inside and is_valid(match.group()):
                spans.append(match.span())
                kinds.append(kind)
    if not spans:
        return None
    return Finding(", ".join(dict.fromkeys(kinds)), tuple(spans))
