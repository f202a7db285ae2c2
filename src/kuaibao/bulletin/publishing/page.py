"""The issue as one web page that holds all it needs: styles, script, drawings, search."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kuaibao.bulletin.publishing.evidence import with_evidence
from kuaibao.bulletin.publishing.view import IssueView, ItemView

__all__ = ["PageLink", "environment", "render_page", "template_text"]


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """Another form of the issue that lies beside the page."""

    href: str
    title: str
    type: str = ""
    rel: str = ""
    """Empty where it is only listed at the foot."""


_MAX_HAN = 8
"""So many Chinese characters stand on one line of any screen at the usual size of the head."""


def render_page(issue: IssueView, links: Sequence[PageLink] = ()) -> str:
    """The whole HTML document; it loads nothing from anywhere.

    Its content security policy allows exactly the one style sheet and the one script it holds,
    by their hashes; what an item brings can't run even if it got past the sanitiser.
    """
    css = template_text("page.css") + issue.look.page_rules() + _long_masthead(issue.series)
    script = template_text("page.js")
    words = {**issue.words.words("page"), "colon": issue.words.word("punctuation.colon")}
    return (
        environment()
        .get_template("page.html")
        .render(
            issue=issue,
            w=issue.words.tables,
            links=links,
            css=css,
            script=script,
            page_words=_json_for_script(words),
            policy=(
                "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
                f"style-src {_hash_source(css)}; script-src {_hash_source(script)}"
            ),
        )
    )


@cache
def environment() -> Environment:
    """The templates of every rendering: escaped by default, unknown names are errors."""
    made = Environment(
        loader=PackageLoader("kuaibao.bulletin.publishing"),
        autoescape=True,  # in every template, whatever its suffix
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    functions: dict[str, Any] = {
        "lang": _language_attribute, "cover_size": _cover_size, "marked": _marked,
    }  # fmt: skip
    made.globals.update(functions)
    return made


def template_text(name: str) -> str:
    """A file of the templates folder as it is."""
    folder = resources.files("kuaibao.bulletin.publishing") / "templates"
    return (folder / name).read_text("utf-8")


def _language_attribute(tag: str) -> Markup:
    return Markup(' lang="{}"').format(tag) if tag else Markup("")


def _marked(html: str, item: ItemView, cited: Callable[..., str], part: int) -> Markup:
    """A part of a body with the evidence of its sentences (`cited` is the macro that shows it)."""
    prefix = f"{item.anchor}-b{part}"
    return with_evidence(html, item.cited, lambda s, n: cited(s, item, f"{prefix}-{n}"))


def _hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _json_for_script(value: object) -> str:
    """JSON that can't end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _long_masthead(title: str) -> str:
    """A rule that keeps a long Chinese head on one line: a browser would tear its words."""
    n_han = sum(ord(character) > 0x2E80 for character in title)
    if n_han <= _MAX_HAN or n_han < len(title) / 2:
        return ""
    size = f"min(clamp(2.1rem, 7.2vw, 4.6rem), (100vw - 2.5rem) / {1.12 * len(title):.1f})"
    return f".masthead .series {{ font-size: max(1.15rem, {size}); }}\n"


def _cover_size(title: str) -> int:
    """A type size in which `title` fits a cover 500 units wide."""
    width = sum(1.0 if ord(character) > 0x2E80 else 0.55 for character in title)
    return int(min(72, 500 / max(1.0, width)))
