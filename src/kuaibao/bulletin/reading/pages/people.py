"""Names out of bylines, English and Chinese, and what is no name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kuaibao.bulletin.sources.markup import one_line

__all__ = ["clean_names", "names_in_byline", "names_in_chinese"]

_HAN = re.compile("[\u4e00-\u9fff]")
_BY = re.compile(
    r"(?i)^(?:(?:written|posted|published|reported|story|text|words|article)\s+)?"
    r"(?:by|von|par|por|di|door|av|автор|autor|author|authors?)\s*[:：]?\s+|^(?i:authors?)\s*[:：]\s*"
)
_AND = re.compile(r"\s+(?:and|und|et|y|e|&|with)\s+|\s*[;|•·/]\s*|\s+&\s+|\s*、\s*|\s*；\s*")
_TAIL = re.compile(
    r"(?i)\s*(?:[,|–—-]\s*)?(?:\S+@\S+\.\w+|(?:staff|senior|special|chief|freelance|contributing|"
    r"executive|managing|deputy|political|science|technology)\s+.*|"
    r"correspondent|contributor|reporter|editor|writer|columnist|for\s+the\s+.+)$"
)
_AFTER_NAME = re.compile(
    r"(?i)\s*\(?@\w+.*$|\s*https?://.*$|\s*,?\s*\b(?:published|updated|posted|last updated)\b.*$|"
    r"\s*\d{1,2}[:.]\d{2}.*$|\s*\d{4}-\d\d.*$|\s*[,|–—-]?\s*(?:\bon\s+)?\b(?:mon|tues|wednes|thurs|fri|"
    r"satur|sun)day\b.*$|\s*[,|–—-]?\s*(?:\bon\s+)?\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|"
    r"nov|dec)[a-z]*\.?\s+\d.*$|\s*[,|–—-]?\s*(?:\bon\s+)?\b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|"
    r"aug|sep|oct|nov|dec).*$|\s+on$"
)
_NOT_A_NAME = re.compile(
    r"(?i)^(?:admin(?:istrator)?|webmaster|editor(?:s|ial)?|unknown|anonymous|guest|user|authors?|"
    r"null|none|n/?a|staff|home|about|contact|share|follow|read more|匿名|佚名|管理员|未知|"
    r"name|your name|author name|full name|本站|网络|编辑|小编|来源|作者|姓名)$|"
    r"^https?:|^www\.|^[\d\W_]+$|^\S+\.(?:com|org|net|fr|de|cn|co\.uk|es|it|ru)$"
)
_CHINESE = re.compile(
    r"(?:作\s*者|撰\s*文|撰\s*稿|编\s*译|编译者|译\s*者|翻\s*译|记\s*者|通讯员|文\s*[/／|｜丨])\s*[:：]?\s*"
    r"((?:[\u4e00-\u9fff·]{2,8}|[A-Z][A-Za-z.'-]+(?:\s[A-Z][A-Za-z.'-]+){0,3})"
    r"(?:\s*[、,，;；]\s*(?:[\u4e00-\u9fff·]{2,8}|[A-Z][A-Za-z.' -]{2,30}))*"
    r"(?:[ \u3000]+[\u4e00-\u9fff·]{2,4}(?![\u4e00-\u9fff：:])){0,3})"
)
_CHINESE_STOP = re.compile(
    r"(?:来源|发布|时间|日期|编辑|责编|责任|浏览|点击|阅读|字号|分享|摄影|图片|报道|作者|记者|单位|网站|"
    r"收藏|举报|关注|点赞|转发|公众号|微信|新闻|日报|晚报|通讯|中心|电视台|综合|整理|供图).*$"
)
_CHINESE_VERB = re.compile(
    r"^(?:获悉|介绍|表示|了解|采访|发现|注意|看到|报道|证实|透露|提问|通过|联系|现场|今日|今天|日前|"
    r"近日|会|从|向|对|问|称|说|就|在|都)"
)
"""What follows 记者 in a sentence rather than in a byline."""
_COLON = re.compile("[:：]")
_MAX_NAMES = 200


def clean_names(names: Iterable[str], *, site: str = "") -> tuple[str, ...]:
    """Names one by one, in order, each once; addresses, roles and the site itself left out."""
    found: dict[str, None] = {}
    for raw in names:
        for name in _parted(one_line(raw)):
            name = _trimmed(name)
            is_longer_form = any(name.startswith(f"{known} ") for known in found)
            if _is_name(name) and not is_longer_form and name.casefold() != site.casefold():
                found.setdefault(name)
    return tuple(found)[:_MAX_NAMES]


def names_in_byline(text: str) -> list[str]:
    """The names of a byline ("By Ann Lee and Bo Chen, 17 June 2020"); empty if it is too long."""
    line = one_line(text)
    if not line or len(line) > 200:
        return []
    if _HAN.search(line):
        return names_in_chinese(line)
    return [_BY.sub("", line)]


def names_in_chinese(text: str) -> list[str]:
    """Names after 作者, 记者, 编译, 文/ …; at most three marks are believed."""
    names: list[str] = []
    for match in list(_CHINESE.finditer(text))[:3]:
        is_reporter = match.group(0).startswith(("记", "通")) and not _COLON.search(match.group(0))
        for part in re.split(r"[、,，;；\s\u3000]+", match.group(1)):
            name = _CHINESE_STOP.sub("", part) if _HAN.search(part) else part
            is_han = bool(_HAN.search(name))
            is_long = len(name) > 4 and "·" not in name
            if is_han and (_CHINESE_VERB.match(name) or (is_long and (names or is_reporter))):
                break
            if name and not (is_han and len(name) < 2):
                names.append(name)
        if names:
            break
    return names


def _parted(text: str) -> list[str]:
    """A text that may hold several names, or one written "Last, First"."""
    if "://" in text or text.startswith("/"):
        return []
    text = _AFTER_NAME.sub("", _BY.sub("", text)).strip(" ,;|·-–—")
    if _HAN.search(text):
        marked = names_in_chinese(text)
        return marked or re.split(r"\s*[、,，;；/|]\s*|\s{2,}", text)
    parts = [part for part in _AND.split(text) if part]
    return [name for part in parts for name in _by_comma(part)]


def _by_comma(text: str) -> list[str]:
    if "," not in text:
        return [text]
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if all(len(piece.split()) >= 2 for piece in pieces):
        return pieces
    if len(pieces) == 2 and len(pieces[0].split()) <= 2 and _is_capitalised(pieces[1]):
        if re.fullmatch(r"(?i)jr\.?|sr\.?|ph\.?d\.?|m\.?d\.?|i{2,3}", pieces[1]):
            return [pieces[0]]
        if len(pieces[0].split()) == 1:
            return [f"{pieces[1]} {pieces[0]}"]
    return pieces[:1] if len(pieces) == 2 else pieces


def _is_capitalised(text: str) -> bool:
    return all(word[:1].isupper() for word in text.split())


def _trimmed(name: str) -> str:
    before = ""
    while name != before:
        before = name
        name = _TAIL.sub("", name).strip(' ,;:|·-–—()[]"')
    return name


def _is_name(name: str) -> bool:
    if not 2 <= len(name) <= 60 or _NOT_A_NAME.search(name) or "<" in name:
        return False
    return len(name.split()) <= 6 and any(c.isalpha() for c in name)
