"""Prompts that ask for harassment: an order to write, a hostile aim, a person it is aimed at."""

from __future__ import annotations

import re

from kuaibao.service.policy.checks.finding import Finding

__all__ = ["check_harassment_request"]

_TARGET = (
    r"(?:him|her|them|my (?:ex|boss|neighbou?r|classmate|colleague|teacher|wife|husband|"
    r"girlfriend|boyfriend|co-?worker)|(?:this|that|the) (?:girl|boy|woman|man|person|journalist|"
    r"student|teacher|user|streamer)|someone|somebody|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
)
_ORDER = (
    r"(?:write|draft|compose|generate|create|make|send|help me|give me|tell me how to|how"
    r" (?:do|can) i|i want to)"
)
_AIM = (
    r"(?:harass|threaten|bully|humiliate|intimidate|stalk|blackmail|dox|defame|insult|shame|scare"
    r"|terrori[sz]e|torment)(?:ing|s|es)?"
)
_NOUN = (
    r"(?:threat(?:s|ening)?|abusive|harassing|insulting|degrading|hateful|humiliating|death threat"
    r"|blackmail)"
)

_PATTERNS = (
    re.compile(rf"\b{_ORDER}\b.{{0,80}}?\b{_AIM}\b.{{0,30}}?\b{_TARGET}\b", re.I | re.S),
    re.compile(
        rf"\b{_ORDER}\b.{{0,40}}?\b{_NOUN}\b.{{0,40}}?\b(?:to|at|for|about|against)\b.{{0,20}}?"
        rf"\b{_TARGET}\b",
        re.I | re.S,
    ),
    re.compile(
        r"(?:写|编|生成|帮我|给我|替我|怎么|如何|我要|我想)[^。！？\n]{0,30}"
        r"(?:骚扰|威胁|恐吓|辱骂|羞辱|侮辱|诽谤|人肉|敲诈|勒索|网暴|跟踪|报复)"
        r"[^。！？\n]{0,20}(?:他|她|他们|她们|前女友|前男友|前妻|前夫|同学|同事|邻居|老师|老板|某人|"
        r"这个人|那个人|别人|女生|男生)"
    ),
    re.compile(
        r"(?:写|编|生成|帮我|给我|替我)[^。！？\n]{0,20}(?:给|对|向|针对)[^。！？\n]{0,15}"
        r"(?:恐吓信|威胁信|威胁短信|骚扰短信|辱骂|侮辱性|诽谤)"
    ),
)  # fmt: skip

# Writing about harassment, or against it, is not asking for it.
_ABOUT = re.compile(
    r"\b(?:stop|prevent|report|against|policy|law|victim|protect|support|counsel|moderation|how not"
    r" to|detect|avoid)\w*\b|防止|举报|反对|受害|保护|制止|应对|避免|检测|法律",
    re.I,
)


def check_harassment_request(text: str) -> Finding | None:
    """Find an instruction to write to or about a person in order to hurt them."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text[:20_000]):
            around = text[max(0, match.start() - 60) : match.end() + 40]
            if not _ABOUT.search(around):
                return Finding("asks for text to harass a person", (match.span(),))
    return None
