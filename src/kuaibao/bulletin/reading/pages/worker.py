"""Pages where they can be killed: the parent's side, and `python -m` for the worker.

A page that stalls the extractor is read once more in linear time, then given up.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from kuaibao.bulletin.killable import WorkerDiedError, WorkerPool, run_worker
from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.reading.pages.page import Page
from kuaibao.errors import InputError

__all__ = ["MAX_BYTES", "extract_page", "stop_workers"]

MAX_BYTES = 15 * 1024 * 1024
TIMEOUT_S = 20.0
_pool = WorkerPool("kuaibao.bulletin.reading.pages.worker")


def extract_page(
    data: bytes,
    *,
    url: str = "",
    content_type: str = "",
    max_bytes: int = MAX_BYTES,
    timeout_s: float = TIMEOUT_S,
) -> Page:
    """Read a page or a PDF. Never raises for what the bytes are and never touches the network.

    Args:
        data: The body as it came.
        url: Where it came from.
        content_type: The `Content-Type` header, for its charset.
        max_bytes: What is longer is cut there (a PDF is refused), and that is a problem.
        timeout_s: The extractor is stopped after this; the page is then read without it.
    """
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return _read_pdf(data, url, max_bytes)
    problems: tuple[str, ...] = ()
    if len(data) > max_bytes:
        problems = (f"longer than {max_bytes} bytes; the rest was not read",)
        data = data[:max_bytes]
    if not data.strip():
        return Page(url=url, problems=("the page is empty",))
    header = {"url": url, "content_type": content_type}
    for is_cheap, limit in ((False, timeout_s), (True, timeout_s / 2)):
        try:
            answer = _pool.ask({**header, "is_cheap": is_cheap}, data, limit)
        except TimeoutError:
            problems = (
                *problems,
                f"the {'reader' if is_cheap else 'extractor'} was stopped after {limit:g} s",
            )
        except WorkerDiedError:
            problems = (*problems, "the extractor died on this page")
        else:
            if isinstance(answer, list):
                page = _from_wire(answer)
                return page._replace(problems=(*problems, *page.problems))
            problems = (*problems, str(answer))
    return Page(url=url, problems=problems)


def stop_workers() -> None:
    """End the idle workers; the next page starts a new one."""
    _pool.stop()


def _read_pdf(data: bytes, url: str, max_bytes: int) -> Page:
    from kuaibao.bulletin.sources.documents import read_pdf
    from kuaibao.text import detect_language

    if len(data) > max_bytes:
        return Page(url=url, problems=(f"a PDF longer than {max_bytes} bytes is not read",))
    try:
        document = read_pdf(data)
    except InputError as error:
        return Page(url=url, problems=(error.message,))
    return Page(
        title=document.title,
        text=document.text,
        authors=document.authors,
        published=document.published,
        language=detect_language(document.text),
        url=url,
        categories=document.categories,
    )


def _from_wire(raw: list[Any]) -> Page:
    page = Page(*raw)
    moment = raw[3]
    return page._replace(
        authors=tuple(page.authors),
        published=PartialDate(
            value=datetime.fromisoformat(moment[0]), precision=moment[1], zone=moment[2]
        )
        if moment
        else None,
        categories=tuple(page.categories),
        problems=tuple(page.problems),
    )


def _answer(body: bytes, url: str, content_type: str, is_cheap: bool) -> tuple[Any, ...]:
    from kuaibao.bulletin.reading.pages.reader import read_page, read_page_cheaply

    page = (read_page_cheaply if is_cheap else read_page)(body, url, content_type)
    moment = page.published
    wire = (moment.value, moment.precision, moment.zone) if moment else None
    return (*page[:3], wire, *page[4:])


if __name__ == "__main__":
    # Imported before it says "ready": not counted against a page.
    for name in ("trafilatura", "kuaibao.bulletin.reading.pages.reader"):
        import_module(name)
    run_worker(_answer)
