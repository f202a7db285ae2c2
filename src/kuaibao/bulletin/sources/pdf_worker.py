"""`python -m kuaibao.bulletin.sources.pdf_worker`: PDF on standard input, JSON on standard output.

PDFium is C++ over hostile input: it runs here, under a memory limit, where a crash costs one file.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from kuaibao.bulletin.killable import limit_memory

MAX_PAGES = 200
MAX_TEXT = 2_000_000

_HYPHEN = re.compile("(?<=[a-z])[\ufffe\x02\xad]\r?\n?|(?<=[a-z])-\r?\n(?=[a-z])")
_LINE = re.compile(r"(?<![.!?:。！？：\n])\n(?=[^\n])")


def read(data: bytes) -> dict[str, str]:
    """Title, author, date, keywords and text, paragraphs parted by blank lines."""
    import pypdfium2

    document: Any = pypdfium2.PdfDocument(data)
    metadata: dict[str, str] = document.get_metadata_dict()
    pages: list[str] = []
    size = 0
    for index in range(min(len(document), MAX_PAGES)):
        page = document[index]
        text: str = page.get_textpage().get_text_bounded()
        page.close()
        pages.append(text.replace("\r\n", "\n"))
        size += len(text)
        if size > MAX_TEXT:
            break
    return {
        "title": metadata.get("Title", ""),
        "author": metadata.get("Author", ""),
        "created": metadata.get("CreationDate", ""),
        "keywords": metadata.get("Keywords", ""),
        "text": _paragraphs("\n\n".join(pages))[:MAX_TEXT],
    }


def _paragraphs(text: str) -> str:
    """Join the lines of a paragraph: a line that ends a sentence may end one."""
    return re.sub(r"\n{2,}", "\n\n", _LINE.sub(_joint, _HYPHEN.sub("", text))).strip()


def _joint(match: re.Match[str]) -> str:
    """Chinese lines join without a blank."""
    text, place = match.string, match.start()
    before = text[place - 1] if place else " "
    after = text[place + 1] if place + 1 < len(text) else " "
    return "" if before > "\u2e7f" and after > "\u2e7f" else " "


if __name__ == "__main__":
    limit_memory()
    found = read(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(found).encode())
