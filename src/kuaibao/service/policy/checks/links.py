"""Links: many of them, or ones that hide where they lead."""

from __future__ import annotations

import re

from kuaibao.service.policy.checks.finding import Finding

__all__ = ["check_links"]

_LINK = re.compile(r"\b(?:https?://|www\.)([^\s/<>\"'（）]{1,253})[^\s<>\"'（）]{0,2000}", re.I)

_SHORTENERS = frozenset(
    ["bit.ly", "tinyurl.com", "goo.gl", "t.co", "is.gd", "ow.ly", "t.cn", "dwz.cn", "url.cn"]
)

MAX_LINKS = 3
WORDS_PER_LINK = 40


def check_links(text: str) -> Finding | None:
    """Find more links than a text of that length carries, shorteners, and bare addresses."""
    matches = list(_LINK.finditer(text))
    hosts = [m.group(1).lower().rsplit("@", 1)[-1].split(":")[0] for m in matches]
    hidden = [i for i, h in enumerate(hosts) if h in _SHORTENERS or re.fullmatch(r"[\d.]+", h)]
    if hidden:
        spans = tuple(matches[i].span() for i in hidden)
        return Finding(f"a link that hides where it leads ({hosts[hidden[0]]})", spans)
    allowed = max(MAX_LINKS, len(text.split()) // WORDS_PER_LINK)
    if len(matches) > allowed:
        return Finding(f"{len(matches)} links", tuple(m.span() for m in matches))
    return None
