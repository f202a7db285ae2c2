"""Evidence in a text with form: sentences are found in its HTML and marked as those without are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import lxml.html
from markupsafe import Markup

from kuaibao.bulletin.publishing.view import Sentence

__all__ = ["with_evidence"]

_WHOLE = frozenset({"a", "code", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "th"})
"""Nothing is marked within these: a button in a link or a heading would be one too many."""


def with_evidence(
    html: str, sentences: Sequence[Sentence], mark: Callable[[Sentence, int], str]
) -> Markup:
    """The HTML with each sentence that it holds marked once, at its first place.

    A sentence that markup cuts through is left as it is: the marks are an aid, the text is not
    theirs to change.

    Args:
        html: Cleaned HTML.
        sentences: Those that have something to show.
        mark: Gives the HTML that stands for a sentence, from it and its number.
    """
    if not sentences or not html.strip():
        return Markup(html)
    root = lxml.html.fragment_fromstring(html, create_parent=True)
    waiting = dict(enumerate(sentences))
    for holder, place in list(_texts(root)):
        _mark_text(holder, place, waiting, mark)
    inner = [Markup.escape(root.text or "")]
    inner += [Markup(lxml.html.tostring(child, encoding="unicode")) for child in root]
    return Markup("").join(inner)


def _texts(element: Any) -> Iterator[tuple[Any, str]]:
    """Where text stands, in reading order: an element and `text` or `tail`."""
    if not isinstance(element.tag, str) or element.tag in _WHOLE:
        return
    yield element, "text"
    for child in element:
        yield from _texts(child)
        yield child, "tail"


def _mark_text(
    holder: Any, place: str, waiting: dict[int, Sentence], mark: Callable[[Sentence, int], str]
) -> None:
    while (text := getattr(holder, place) or "") and waiting:
        places = [(text.find(s.text), -len(s.text), n) for n, s in waiting.items()]
        found = min((one for one in places if one[0] >= 0), default=None)
        if found is None:
            return
        start, _, number = found
        sentence = waiting.pop(number)
        made: Any = lxml.html.fragment_fromstring(mark(sentence, number))
        made.tail = text[start + len(sentence.text) :]
        setattr(holder, place, text[:start])
        if place == "text":
            holder.insert(0, made)
        else:
            holder.getparent().insert(holder.getparent().index(holder) + 1, made)
        holder, place = made, "tail"
