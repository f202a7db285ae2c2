"""Real pairs that every Debian system can fetch: package descriptions and their synopses.

60,000 programs are described there twice: by a paragraph or more, and by one line. The loader asks
apt for the lists (into a folder of its own: nothing of the system changes, no root needed), groups
packages by their source package, so that siblings such as `-dev` and `-doc` never stand on both
sides of a split, and writes JSON lines.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from kuaibao.errors import InputError
from kuaibao.files import write_text
from kuaibao.loading.debian import descriptions, packages, update_lists

__all__ = ["Split", "debian_cache", "fetch_debian_pairs", "split_of"]

MIN_WORDS = 12
"""A description that is hardly longer than its synopsis is no document."""

Split = str
"""`train`, `validation` or `test`."""


def debian_cache() -> Path:
    """Where the pairs lie between runs: `KUAIBAO_CACHE`, or the user's cache folder."""
    import platformdirs

    own = os.environ.get("KUAIBAO_CACHE")
    return (Path(own) if own else platformdirs.user_cache_path("kuaibao")) / "debian"


def split_of(group: str) -> Split:
    """90 % train, 5 % validation, 5 % test, by a hash of the source package's name."""
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    return "train" if place < 0.9 else "validation" if place < 0.95 else "test"


def fetch_debian_pairs(folder: Path) -> Path:
    """Fetch the pairs into `folder/debian.jsonl`, unless they are there.

    Each line has `id`, `group`, `split`, `document` and `summary`.

    Raises:
        InputError: This is no Debian system, or its archive can't be reached.
    """
    file = folder / "debian.jsonl"
    if file.is_file():
        return file
    lists = update_lists(folder / "apt")
    sources = _sources(lists)
    seen: set[str] = set()
    lines: list[str] = []
    for package, synopsis, description in sorted(descriptions(lists)):
        if description in seen or len(description.split()) < MIN_WORDS:
            continue
        seen.add(description)
        group = sources.get(package, package)
        pair = {
            "id": package,
            "group": group,
            "split": split_of(group),
            "document": description,
            "summary": synopsis,
        }
        lines.append(json.dumps(pair, ensure_ascii=False))
    if not lines:
        raise InputError(
            "apt gave no English package descriptions", hint="Is the archive reachable?"
        )
    write_text(file, "\n".join(lines) + "\n")
    return file


def _sources(lists: Path) -> dict[str, str]:
    """Each package's source package, by whose name siblings are known."""
    return {
        fields["Package"]: fields.get("Source", fields["Package"]).split(" ")[0]
        for fields in packages(lists)
    }
