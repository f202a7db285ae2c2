"""What a piece is written from: its item, the entry that is read, the sentences of the original."""

from __future__ import annotations

from dataclasses import dataclass

from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import NotFoundError
from kuaibao.bulletin.desk.pieces import Piece
from kuaibao.bulletin.desk.series import Series
from kuaibao.bulletin.model import Entry, Item
from kuaibao.bulletin.store import get_items
from kuaibao.bulletin.writing import entry_for, entry_language
from kuaibao.text import Sentence, split_sentences

__all__ = ["Original", "original_of"]

MAX_SOURCE = 60_000
MAX_SENTENCES = 400


@dataclass(frozen=True, kw_only=True)
class Original:
    """The text that a piece is compiled or translated from."""

    item: Item
    entry: Entry
    entry_index: int
    language: str
    text: str
    sentences: tuple[Sentence, ...]


def original_of(desk: Desk, series: Series, piece: Piece) -> Original:
    """The original of a piece: in the series' languages if there is one, else whatever there is.

    Raises:
        NotFoundError: The item is no longer in the collection.
    """
    key = ("original", piece.item_id, series.series_id, piece.changed_at)
    if key in desk.cache:
        return desk.cache[key]
    items = get_items(desk.store, [piece.item_id])
    if not items:
        raise NotFoundError(f"the item {piece.item_id} is not in the collection")
    item = items[0]
    wanted = series.text_languages or (series.language, "*")
    index = entry_for(item, wanted)
    index = entry_for(item, ("*",)) if index is None else index
    entry = item.entries[index or 0]
    text = entry.summary if entry.kind == "paper" and entry.summary else ""
    text = (text or max((entry.content, entry.summary), key=len))[:MAX_SOURCE]
    original = Original(
        item=item, entry=entry, entry_index=index or 0, language=entry_language(entry), text=text,
        sentences=tuple(split_sentences(text)[:MAX_SENTENCES]),
    )  # fmt: skip
    if len(desk.cache) > 2000:
        desk.cache.clear()
    desk.cache[key] = original
    return original
