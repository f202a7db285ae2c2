"""Title, authors, date, site of a page: JSON-LD, meta elements, then what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import urljoin, urlsplit

from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.reading.pages.dates import (
    date_in_address,
    date_in_chinese,
    first_moment,
    parse_moment,
)
from kuaibao.bulletin.reading.pages.people import (
    clean_names,
    names_in_byline,
    names_in_chinese,
)
from kuaibao.bulletin.reading.pages.structured import Node, articles, first_text, names_of
from kuaibao.bulletin.sources.markup import one_line, plain_text

__all__ = ["Head"]

_TITLE_NAMES = (
    "citation_title", "articletitle", "og:title", "dc.title", "dcterms.title", "twitter:title",
    "parsely-title", "sailthru.title", "title",
)  # fmt: skip
_AUTHOR_NAMES = ("citation_author", "dc.creator", "dcterms.creator", "dc.contributor.author",
                 "article:author", "author", "byl", "parsely-author", "sailthru.author",
                 "article:author_name", "og:article:author", "article.author", "creator",
                 "citation_authors", "bepress_citation_author", "eprints.creators_name",
                 "twitter:data1")  # fmt: skip
_DATE_NAMES = (
    "article:published_time", "citation_publication_date", "citation_date", "citation_online_date",
    "og:published_time", "og:article:published_time", "dc.date.issued", "dcterms.issued", "dc.date",
    "dcterms.created", "dcterms.date", "dc.date.created", "datepublished", "date", "pubdate",
    "publishdate", "publish-date", "publish_date", "publication_date", "pub_date",
    "parsely-pub-date",
    "sailthru.date", "article.published", "published-date", "cxenseparse:recs:publishtime",
    "originalpublicationdate", "bt:pubdate", "timestamp", "weibo:article:create_at", "pdate",
    "release_date", "prism.publicationdate", "article:published", "displaydate", "ptime",
    "bepress_citation_date", "eprints.date", "og:release_date", "rnews:datepublished", 
    "firstcreatetime",
)  # fmt: skip
_LATER_DATE_NAMES = ("article:modified_time", "og:updated_time", "dateModified", "lastmod",
                     "last-modified", "dcterms.modified")  # fmt: skip
_SITE_NAMES = (
    "og:site_name", "sitename", "application-name", "citation_journal_title", "dc.publisher",
    "citation_publisher", "apple-mobile-web-app-title",
)  # fmt: skip
_DATE_MARK = re.compile(
    r"(?i)(?:^|[^a-z])(?:date|time|pubdate|pub-time|publish|published|posted|entry-date|timestamp|"
    r"dateline|riqi|shijian)"
)
_AUTHOR_MARK = re.compile(r"(?i)(?:^|[^a-z])(?:author|byline|by-line|writer|creator|zuozhe)")
_SOURCE_MARK = re.compile(r"来\s*源\s*[:：]\s*([^\s\u3000|｜/，,（()）]{2,30})")
_SEPARATOR = re.compile(
    r"\s+[|\-–—:»·•]{1,2}\s+|\s*[_|｜]+\s*|\s*——?\s*(?=[\u4e00-\u9fff])"
    r"|\s*-\s*(?=[\u4e00-\u9fff]{2,20}$)"
)
_CHINESE_SITE = re.compile(
    "(?:网|网站|官网|在线|频道|门户|中心|大学|学院|研究院|研究所|图书馆|日报|晚报|新闻|部|局|委员会)$"
)
_HAN = re.compile("[\u4e00-\u9fff]")
_LABEL = re.compile(r"^(?:\[\d{4}\.\d{4,5}(?:v\d+)?\]\s*|Title:\s*)")
"""What arXiv's pages write in front of a title."""
MAX_ELEMENTS = 30_000


class Head:
    """Everything that a page tells of itself.

    Args:
        tree: The page as lxml read it.
        url: Where it came from; empty if unknown.
    """

    def __init__(self, tree: Any, url: str = "") -> None:
        self.tree = tree
        self.meta: dict[str, list[str]] = {}
        for node in tree.iter("meta"):
            name = (node.get("property") or node.get("name") or node.get("itemprop") or "").strip()
            content = node.get("content")
            if name and content and content.strip():
                self.meta.setdefault(name.lower(), []).append(content.strip())
        scripts = [node.text or "" for node in tree.iter("script") if _is_json_ld(node)]
        self.nodes: list[Node] = articles(scripts[:50])
        self.given_url = url
        self.url = self._url()
        self.site = self._site()
        self.visible_top = self._visible_top()

    def first(self, *names: str) -> str:
        """The first of some meta elements that is there."""
        return next((self.meta[name][0] for name in names if name in self.meta), "")

    def described(self, name: str) -> Any:
        """A property of the article in the page's JSON-LD."""
        return next((node[name] for node in self.nodes if node.get(name)), None)

    def title(self) -> str:
        """The headline, without the name of the site."""
        headings, written = self._headings(), self._written_title()
        given = self.described("headline") or (
            self.described("name") if self.nodes and not written else ""
        )
        candidates = [plain_text(first_text(given)), *(self.first(n) for n in _TITLE_NAMES)]
        best = next((one_line(plain_text(c)) for c in candidates if c and c.strip()), "")
        for heading in headings:
            folded = heading.casefold()
            if best and (
                best.casefold().startswith(folded)
                or folded.startswith(best.casefold().rstrip(".… "))
            ):
                return heading
            if not best and written.casefold().startswith(folded):
                return heading
        if best:
            return self._without_site(best, is_sure=False)
        if written:
            return self._without_site(written, is_sure=not headings)
        return headings[0] if headings else self._subheading()

    def _headings(self) -> list[str]:
        found = (_LABEL.sub("", one_line("".join(h.itertext()))) for h in self._elements("h1"))
        return [heading for heading in found if 3 < len(heading) < 300]

    def _written_title(self) -> str:
        title = self.tree.find(".//title")
        return _LABEL.sub("", one_line("".join(title.itertext()))) if title is not None else ""

    def _subheading(self) -> str:
        return next((one_line("".join(h.itertext())) for h in self._elements("h2", "h3")), "")

    def _without_site(self, title: str, *, is_sure: bool) -> str:
        parts = _SEPARATOR.split(title)
        marks = _SEPARATOR.findall(title)
        if len(parts) < 2:
            return title
        host = urlsplit(self.url).hostname or ""
        names = {self.site.casefold(), host.removeprefix("www.").casefold()} - {""}
        while len(parts) > 1 and self._is_site(parts[-1], names, host, is_sure, parts):
            if not _CHINESE_SITE.search(parts.pop()):
                is_sure = False  # one guess is enough
        if len(parts) > 1 and parts[0].casefold() in names:
            return title[len(parts[0]) :].lstrip(" |-–—:»·•_｜")
        kept = parts[0]
        for mark, part in zip(marks, parts[1:], strict=False):
            kept += mark + part
        return kept.strip()

    @staticmethod
    def _is_site(part: str, names: set[str], host: str, is_sure: bool, parts: list[str]) -> bool:
        folded = part.casefold().strip()
        if folded in names or (host and folded.replace(" ", "") in host.replace("-", "")):
            return True
        if is_sure and _CHINESE_SITE.search(part) and len(part) <= 20:
            return True
        is_short = len(part) <= 12 if _HAN.search(part) else len(part.split()) <= 4
        return is_sure and is_short and sum(map(len, parts[:-1])) > 1.2 * len(part)

    def authors(self) -> tuple[str, ...]:
        """Whoever wrote it, each once."""
        described = [n for node in self.nodes for n in names_of(node.get("author"))]
        if found := clean_names(described, site=self.site):
            return found
        for name in _AUTHOR_NAMES:
            if found := clean_names(self.meta.get(name, ()), site=self.site):
                return found
        return clean_names(self._shown_authors(), site=self.site)

    def _shown_authors(self) -> Iterator[str]:
        """Bylines as the page shows them."""
        for node in self._elements("a", "span", "div", "p", "address", "cite", "em", "li"):
            marks = f"{node.get('rel', '')} {node.get('itemprop', '')}"
            if "author" in marks.split():
                inner = node.find(".//*[@itemprop='name']")
                yield one_line("".join((node if inner is None else inner).itertext()))[:120]
        if names := names_in_chinese(self.visible_top):
            yield from names
            return
        for node in self._elements("span", "div", "p", "a", "address", "li", "td", "h4", "h5"):
            marks = f"{node.get('class', '')} {node.get('id', '')}"
            if _AUTHOR_MARK.search(marks) and "comment" not in marks.lower():
                line = one_line("".join(node.itertext()))
                if 2 < len(line) < 120 and (names := names_in_byline(line)):
                    yield from names
                    return

    def published(self) -> PartialDate | None:
        """When it came out, as precisely as the page says it."""
        month_first = (
            not self._language().lower().startswith(("de", "fr", "es", "it", "pt", "ru", "en-gb"))
        )
        candidates = [
            first_text(self.described(n)) for n in ("datePublished", "dateCreated", "uploadDate")
        ]
        candidates += [v for name in _DATE_NAMES for v in self.meta.get(name, ())[:1]]
        if found := first_moment(candidates, month_first=month_first):
            return found
        shown = list(self._shown_dates())
        labelled = date_in_chinese(self.visible_top)
        if found := labelled or first_moment(shown, month_first=month_first):
            return found
        if found := date_in_address(self.url) or date_in_address(self.given_url):
            return found
        later = [first_text(self.described("dateModified"))]
        later += [v for name in _LATER_DATE_NAMES for v in self.meta.get(name.lower(), ())[:1]]
        return first_moment(later, month_first=month_first) or self._searched_date()

    def _searched_date(self) -> PartialDate | None:
        """The day that a search of the whole page finds most likely."""
        from htmldate import find_date

        found = find_date(deepcopy(self.tree), original_date=True, url=self.url or None)
        return parse_moment(found) if found else None

    def _shown_dates(self) -> Iterator[str]:
        marked: list[str] = []
        for node in self._elements(
            "time", "abbr", "span", "div", "p", "em", "i", "td", "li", "small"
        ):
            if node.get("itemprop") in ("datePublished", "dateCreated"):
                yield node.get("content") or node.get("datetime") or "".join(node.itertext())
            elif node.tag == "time" and (node.get("datetime") or node.get("pubdate") is not None):
                marks = f"{node.get('class', '')} {node.get('itemprop', '')}".lower()
                if "updated" not in marks.split() and "modified" not in marks:
                    marked.append(node.get("datetime") or "".join(node.itertext()))
            elif _DATE_MARK.search(f"{node.get('class', '')} {node.get('id', '')}"):
                text = one_line("".join(node.itertext()))
                if 5 < len(text) < 120:
                    marked.append(node.get("title") or text if node.tag == "abbr" else text)
        yield from marked[:20]

    def origin(self) -> str:
        """Whom a Chinese page names as its source."""
        named = self.first("source", "article:source", "contentsource", "mediaid")
        match = _SOURCE_MARK.search(self.visible_top)
        return (
            one_line(named)
            if named and not named.startswith("http")
            else match.group(1)
            if match
            else ""
        )

    def language(self) -> str:
        """Primary subtag that the page declares; "" if it declares none."""
        return re.split(r"[-_]", self._language().strip().lower())[0][:3]

    def _language(self) -> str:
        root = self.tree.find(".") if self.tree.tag != "html" else self.tree
        html = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
        own = first_text(self.described("inLanguage"))
        return (
            html
            or own
            or self.first(
                "og:locale", "content-language", "dc.language", "language", "citation_language"
            )
        )

    def summary(self) -> str:
        """What the page gives as its description."""
        given = self.first("og:description", "description", "dc.description", "twitter:description",
                           "citation_abstract")  # fmt: skip
        return one_line(plain_text(given or first_text(self.described("description"))))

    def categories(self) -> tuple[str, ...]:
        """Keywords and tags."""
        keywords = self.described("keywords")
        words = (
            keywords
            if isinstance(keywords, list)
            else re.split(r"[,;，；、]", first_text(keywords))
        )
        named = [*(w for w in words if isinstance(w, str)), *self.meta.get("article:tag", ())]
        for name in ("citation_keywords", "news_keywords", "keywords"):
            named += [w for v in self.meta.get(name, ()) for w in re.split(r"[,;，；、]", v)]
        return tuple(dict.fromkeys(w for w in map(one_line, named) if 1 < len(w) < 60))[:30]

    def licence(self) -> str:
        """The address of a licence."""
        for node in self.tree.iter("link", "a"):
            if "license" in (node.get("rel") or "").split() and node.get("href"):
                return urljoin(self.url, node.get("href"))
        return first_text(self.described("license")) or self.first(
            "dc.rights.license", "dcterms.license"
        )

    def image(self) -> str:
        """The picture that stands for the page."""
        found = self.first("og:image", "twitter:image")
        image = self.described("image")
        url = image.get("url") if isinstance(image, dict) else image
        address = found or first_text(url)
        return _joined(self.url, address) if address else ""

    def _url(self) -> str:
        for node in self.tree.iter("link"):
            if "canonical" in (node.get("rel") or "").lower().split() and node.get("href"):
                return _joined(self.given_url, node.get("href"))
        return (
            _joined(self.given_url, self.first("og:url", "citation_abstract_html_url"))
            or self.given_url
        )

    def _site(self) -> str:
        publisher = next(iter(names_of(self.described("publisher"))), "")
        named = self.first("og:site_name") or publisher or self.first(*_SITE_NAMES)
        if named:
            return one_line(plain_text(named))
        host = urlsplit(self.url or self.given_url).hostname or ""
        return self._site_in_title() or host.removeprefix("www.")

    def _site_in_title(self) -> str:
        """What the title says beside the heading ("Heading | Section | Site"); WeChat's account."""
        account = self.tree.find(".//*[@id='js_name']")
        if account is not None and (name := one_line("".join(account.itertext()))):
            return name
        written = self._written_title()
        for heading in self._headings():
            rest = written.removeprefix(heading)
            if rest != written and (mark := _SEPARATOR.match(rest)):
                name = _SEPARATOR.split(rest[mark.end() :])[-1].strip()
            elif (rest := written.removesuffix(heading)) != written and rest.strip():
                parts = _SEPARATOR.split(rest)
                name = parts[0].strip() if len(parts) > 1 and not parts[-1].strip() else ""
            else:
                continue
            is_name = len(name) <= 20 if _HAN.search(name) else len(name.split()) <= 5
            if is_name and re.search(r"[^\W\d_]{2}", name):
                return name
        return ""

    def _visible_top(self) -> str:
        """The first text that is shown, where bylines stand; scripts and menus' links left out."""
        parts: list[str] = []
        size = 0
        for node in self._elements():
            if node.tag in ("script", "style", "noscript", "template", "option", "title", "a"):
                text = node.tail
            else:
                text = f"{node.text or ''} {node.tail or ''}" if node.tag != "head" else ""
            if text and (text := one_line(text)):
                parts.append(text)
                size += len(text)
            if size > 4_000:
                break
        return " ".join(parts)

    def _elements(self, *tags: str) -> Iterator[Any]:
        for n, node in enumerate(self.tree.iter(*tags) if tags else self.tree.iter()):
            if n > MAX_ELEMENTS:
                return
            if isinstance(node.tag, str):
                yield node


def _is_json_ld(node: Any) -> bool:
    return "ld+json" in (node.get("type") or "").lower()


def _joined(base: str, address: Any) -> str:
    try:
        return urljoin(base, address.strip()) if isinstance(address, str) else ""
    except ValueError:
        return ""
