"""What the team has published, as pairs of a source's text and what a person made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from kuaibao.bulletin.model import Issue, IssueItem
from kuaibao.bulletin.writing.manuscripts import SOURCE_ID
from kuaibao.errors import InputError

__all__ = ["BackPair", "back_pairs", "read_issue_files"]

MAX_FILE_BYTES = 200_000_000
MIN_CHARACTERS = 40
"""A shorter source text is no document."""
_ISSUE: TypeAdapter[Issue] = TypeAdapter(Issue)


@dataclass(frozen=True, kw_only=True)
class BackPair:
    """One printed item."""

    item_id: str
    language: str
    document: str
    """The source's longest text."""
    summary: str
    """What was printed of it."""


def read_issue_files(folder: Path) -> list[Issue]:
    """Every published `issue.json` in a folder and below.

    Raises:
        InputError: One is damaged or too large.
    """
    issues: list[Issue] = []
    for path in sorted(folder.rglob("issue.json")):
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path} is larger than {MAX_FILE_BYTES // 10**6} MB")
        try:
            issues.append(_ISSUE.validate_json(path.read_bytes()))
        except ValidationError as error:
            raise InputError(f"{path} is no issue: {error.errors()[0]['msg']}") from error
    return issues


def back_pairs(issues: Iterable[Issue], *, include_machine: bool = False) -> list[BackPair]:
    """The pairs of all issues, each item and language once, as it was printed last.

    Args:
        issues: In any order.
        include_machine: Also texts that no person wrote or proofread: a model that learns them
            learns another machine's habits.
    """
    pairs: dict[tuple[str, str], BackPair] = {}
    for issue in sorted(issues, key=lambda issue: (issue.day, issue.running_number)):
        for section in issue.sections:
            for printed in section.items:
                pair = _pair(printed, include_machine)
                if pair is not None:
                    pairs[pair.item_id, pair.language] = pair
    return list(pairs.values())


def _pair(printed: IssueItem, include_machine: bool) -> BackPair | None:
    draft = printed.draft
    is_persons = not draft.is_machine or any(s.role == "proofread" for s in printed.signatures)
    if not is_persons and not include_machine:
        return None
    parts = draft.sentences or tuple(s for _, own in draft.fields for s in own)
    summary = " ".join(" ".join(s.text.split()) for s in parts)
    texts = [max((e.content, e.summary), key=len) for e in printed.item.entries
             if e.source_id != SOURCE_ID]  # fmt: skip
    document = max(texts, key=len, default="")
    # A text that stands in its source as it is taught nothing but to copy it.
    if not summary or len(document) < MIN_CHARACTERS or summary == document:
        return None
    return BackPair(
        item_id=draft.item_id, language=draft.language, document=document, summary=summary
    )
