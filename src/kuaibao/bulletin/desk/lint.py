"""House rules of typing that a machine can see: Han–Latin spacing, punctuation, brackets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Slip", "find_slips", "mend"]

_H = r"[\u3400-\u9fff]"
_CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]*`|https?://\S+|\]\([^)\s]*\)", re.DOTALL)
_FULL = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_PAIRS = {"（": "）", "《": "》", "「": "」", "『": "』", "【": "】", "“": "”", "(": ")", "[": "]"}


@dataclass(frozen=True)
class Slip:
    """Something to mend."""

    rule: str
    start: int
    end: int
    text: str
    better: str = ""
    """What it becomes; empty where a person must decide."""


_Rule = tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]]

_ZH: tuple[_Rule, ...] = (
    ("han_latin_space", re.compile(rf"(?<={_H})(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%])(?={_H})"),
     lambda m: " "),
    ("half_width_comma", re.compile(rf"(?<={_H})([,;:?!])\s*(?={_H}|$)"), lambda m: _FULL[m[1]]),
    ("half_width_stop", re.compile(rf"(?<={_H})\.(?=\s|$)"), lambda m: "。"),
    ("half_width_bracket", re.compile(rf"(?<={_H})\(([^()\n]*{_H}[^()\n]*)\)"),
     lambda m: f"（{m[1]}）"),
    ("space_by_full_width", re.compile(
        r"[ \t]+(?=[，。；：？！、）》」』】])|(?<=[，。；：？！、（《「『【])[ \t]+"),
     lambda m: ""),
    ("full_width_digit", re.compile(r"[０-９Ａ-Ｚａ-ｚ]+"),
     lambda m: "".join(chr(ord(c) - 0xFEE0) for c in m[0])),
    ("dots", re.compile(rf"(?<={_H})(?:\.{{3,}}|。{{2,}}|…(?!…)(?<!……))"), lambda m: "……"),
    ("dash", re.compile(rf"(?<={_H})\s*(?:--+|—(?!—)(?<!——))\s*(?={_H})"), lambda m: "——"),
    ("repeated_mark", re.compile(r"([，；：、？！])\1+"), lambda m: m[1]),
    ("straight_quote", re.compile(rf"\"([^\"\n]*{_H}[^\"\n]*)\""), lambda m: f"“{m[1]}”"),
)  # fmt: skip

_EN: tuple[_Rule, ...] = (
    ("double_space", re.compile(r"(?<=\S)[ \t]{2,}(?=\S)"), lambda m: " "),
    ("space_before_mark", re.compile(r"(?<=\w)[ \t]+(?=[,;:?!](?:\s|$)|\.(?:\s|$))"),
     lambda m: ""),
    ("full_width_mark", re.compile(r"[，；：？！](?=\s|$|[A-Za-z])"),
     lambda m: {v: k for k, v in _FULL.items()}[m[0]]),
    ("repeated_mark", re.compile(r"([,;:])\1+"), lambda m: m[1]),
    ("doubled_word", re.compile(r"\b([A-Za-z]{2,})\s+\1\b"), lambda m: m[1]),
)  # fmt: skip


def find_slips(text: str, language: str) -> tuple[Slip, ...]:
    """Every slip in reading order; code and addresses are left alone."""
    masked = _CODE.sub(lambda m: "\x01" * len(m[0]), text)
    found: list[Slip] = []
    for rule, pattern, better in _ZH if language.startswith("zh") else _EN:
        for match in pattern.finditer(masked):
            found.append(Slip(rule, match.start(), match.end(), match.group(), better(match)))
    found += _unpaired(masked)
    return tuple(sorted(found, key=lambda s: (s.start, s.end)))


def mend(text: str, language: str) -> str:
    """The text with every slip mended that needs no person."""
    for _ in range(3):  # one mending can uncover another
        slips = [s for s in find_slips(text, language) if s.rule != "unpaired"]
        if not slips:
            break
        at = len(text)
        for slip in reversed(slips):
            if slip.end <= at:
                text = text[: slip.start] + slip.better + text[slip.end :]
                at = slip.start
    return text


def _unpaired(text: str) -> list[Slip]:
    closing = {v: k for k, v in _PAIRS.items()}
    found: list[Slip] = []
    at = 0
    for line in text.split("\n"):
        stack: list[tuple[str, int]] = []
        for i, c in enumerate(line):
            if c in _PAIRS:
                stack.append((c, at + i))
            elif c in closing:
                if stack and stack[-1][0] == closing[c]:
                    stack.pop()
                elif not (c == ")" and re.search(r"(^|\s)\w{1,2}$", line[:i])):
                    found.append(Slip("unpaired", at + i, at + i + 1, c))
        found += [Slip("unpaired", i, i + 1, c) for c, i in stack]
        at += len(line) + 1
    return found
