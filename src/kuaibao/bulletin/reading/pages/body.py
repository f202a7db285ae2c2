"""The article of a page: trafilatura, its second look where the first found little, and a broom."""

from __future__ import annotations

import re
from typing import Any

from kuaibao.bulletin.reading.pages.mending import (
    drop_comments,
    posts_of_thread,
    wrap_loose_text,
)
from kuaibao.bulletin.reading.pages.regions import as_html, flatten_layout_tables, whole_region
from kuaibao.bulletin.sources.markup import plain_text

__all__ = ["article_text", "tidy_article"]

N_HEAD = 4
"""Paragraphs among which a title and a byline are looked for."""
SHORT = 250
"""Characters: an article that is shorter was perhaps not found."""
_ABSTRACT = re.compile(r"(?i)^abstract\s*(?:[:：.]\s*|$)")
_HAN = re.compile("[\u4e00-\u9fff]")
_BYLINE = re.compile(
    r"^(?:文\s*[/／|｜丨].{1,40}|.{0,30}(?:来源|作者|记者|编辑|责编|发布时间|发表时间|发布日期|更新时间|时间|日期|编译|编译者|"
    r"浏览次数|阅读次数|点击数?|字号|字体|分享到?)\s*[:：】\]].{0,80}|(?:https?://\S+\s*)?(?:19|20)\d{2}\s*[-年./]\s*\d{1,2}\s*[-月./]\s*\d{1,2}日?.{0,60})$"
)
_FOOT = re.compile(
    r"^[\s（(【\[]*(?:责任编辑|责编|编辑|审核|校对|监制|上一[篇条页]|下一[篇条页]|相关(?:新闻|阅读|链接|文章)|分享到|"
    r"扫一扫|返回(?:顶部|首页|列表)|打印(?:本页)?|关闭(?:窗口)?|我要(?:纠错|评论)|免责声明|版权声明|声明|特别声明|"
    r"微信扫码|微信扫一扫|点击(?:查看|进入)|关注我们)\s*(?:[:：】\]）)|].{0,120}|.{0,10})$|^阅读\s*\d[\d万+,.]*(?:\s|$).{0,30}$"
)
_BEHIND = re.compile(
    r"^(?:- )?[\s（(【\[]*(?:(?:责任编辑|责编|编辑)\s*[:：].{1,30}|"
    r"(?:相关|热门|精彩|推荐|延伸|更多|最新|网友|热点|为您|点击|跟[贴帖])"
    r"(?:推荐|阅读|新闻|文章|报道|链接|评论|排行|视频|资讯)|猜你喜欢|大家都在看|分享到)[）)】\]:：]{0,2}$"
)
_BEHIND_LATIN = re.compile(
    r"(?i)^(?:- )?(?:related (?:articles?|stories|posts|content)|"
    r"you (?:may|might) also (?:like|be interested in)|recommended (?:for you|stories|articles)|"
    r"more from .{1,40}|most (?:read|popular|viewed|shared)|read next|trending(?: now)?|"
    r"more stories|latest (?:news|stories))\s*:?$"
)
"""Headings of what follows an article on its page."""
_FOOT_LATIN = re.compile(
    r"(?i)^(?:share (?:this|on)\b.{0,60}|follow us\b.{0,60}|read more:?|"
    r"related (?:articles?|stories)|advertisement|sign up (?:for|to)\b.{0,80}|"
    r"subscribe\b.{0,60}|all rights reserved\.?|"
    r"(?:©|copyright)\s.{0,100}|leave a (?:comment|reply)|tags?:.{0,100}|filed under:?.{0,100}|"
    r"(?:posted|published|last (?:updated?|modified)|updated)\b.{0,12}\b\d.{0,24}|"
    r"print|email|tweet|comments?)$"
)


def article_text(tree: Any, html: str, url: str, described: str) -> str:
    """The main text, paragraphs parted by blank lines; "" if there is none.

    Args:
        tree: The page as lxml read it, for what the extractor misses.
        html: The same as text.
        url: Where it came from.
        described: The text that the page's own JSON-LD gives (`articleBody`), if any.
    """
    is_mended = drop_comments(tree) | wrap_loose_text(tree) | flatten_layout_tables(tree)
    if is_mended:
        html = as_html(tree)
    text = _extract(html, url)
    if (whole := whole_region(tree, text)) and len(again := _extract(whole, url)) > len(text):
        text = again
    if len(text) < SHORT:
        text = max(text, _extract(html, url, favor_recall=True), key=len)
    body = plain_text(described) if "<" in described else described.strip()
    if len(body) > SHORT and len(text) < 0.5 * len(body):
        text = body
    if len(text) < SHORT:
        text = max(text, _densest(tree), key=len)
    text = max(text, posts_of_thread(tree, text), key=len)
    return re.sub(r"\s*\n\s*", "\n\n", text).strip()


def _extract(html: str, url: str, **options: Any) -> str:
    import trafilatura

    found = trafilatura.extract(
        html, url=url or None, include_comments=False, include_tables=True, **options
    )
    return found or ""


def _densest(tree: Any) -> str:
    """The element with most text in its own paragraphs: for pages of plain `div`s and tables."""
    best, best_size = None, 0
    for element in tree.iter("article", "main", "section", "div", "td", "body"):
        own = " ".join([element.text or "", *(child.tail or "" for child in element)])
        size = len(" ".join(own.split()))
        for child in element.iterchildren("p", "br", "span", "font", "strong", "b"):
            size += len(" ".join("".join(child.itertext()).split()))
        links = sum(len("".join(a.itertext())) for a in element.iterchildren("a"))
        if size - 2 * links > best_size:
            best, best_size = element, size - 2 * links
    if best is None or best_size < 40:
        return ""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

    return plain_text(etree.tostring(best, encoding="unicode", method="html", with_tail=False))


def tidy_article(text: str, title: str) -> str:
    """Without the title, byline and buttons that stand in front of or behind the article."""
    lines = [line for raw in text.split("\n\n") if (line := _without_cells(raw)).strip()]
    is_chinese = len(_HAN.findall(text[:2000])) > 50
    head = [
        line for line in lines[:N_HEAD]
        if line.strip() != title and not (is_chinese and _is_byline(line.removeprefix(title)))
    ]  # fmt: skip
    lines = _before_the_rest(_from_abstract(head) + lines[N_HEAD:], is_chinese)
    while len(lines) > 1 and _is_foot(lines[-1], is_chinese):
        del lines[-1]
    return "\n\n".join(lines)


def _before_the_rest(lines: list[str], is_chinese: bool) -> list[str]:
    """Cut where a heading begins what follows every article, if an article stands before it."""
    behind = _BEHIND if is_chinese else _BEHIND_LATIN
    n_before = 0
    for i, line in enumerate(lines):
        if n_before >= SHORT and len(line) < 60 and behind.match(line.strip()):
            rest = sum(map(len, lines[i:]))
            return lines[:i] if rest < 2 * n_before else lines
        n_before += len(line)
    return lines


def _from_abstract(head: list[str]) -> list[str]:
    """A paper's page begins with its abstract: subject, date and title before it are left out."""
    for i, line in enumerate(head):
        if match := _ABSTRACT.match(line):
            return [line[match.end() :], *head[i + 1 :]] if line[match.end() :] else head[i + 1 :]
        if len(line) > 200:
            break
    return head


def _without_cells(line: str) -> str:
    """A row of a table that only sets the page: the text of its one cell."""
    if "|" not in line:
        return line
    cells = [cell.strip() for cell in line.split("|") if cell.strip()]
    return cells[0] if len(cells) == 1 else line if cells else ""


def _is_byline(line: str) -> bool:
    return len(line) < 120 and bool(_BYLINE.match(line.strip())) and not line.endswith("。")


def _is_foot(line: str, is_chinese: bool) -> bool:
    line = line.strip().removeprefix("- ")
    return bool(_FOOT.match(line) if is_chinese else _FOOT_LATIN.match(line))
