"""Pictures of items: gathered from their sources, sorted by an installed engine; one of them leads.

What was found lies in a folder beside bulletin.toml, a file an item, so that a run asks for nothing
twice and an editor's choice stays. The engine is loaded when there is something to look at.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.model import Figure, Item
from kuaibao.bulletin.sources.protocol import Fetches
from kuaibao.bulletin.writing.manuscripts import SOURCE_ID as MANUSCRIPTS
from kuaibao.bulletin.writing.protocols import (
    CoverArtist,
    FigureSorter,
    find_cover_artist,
    find_figure_sorter,
)
from kuaibao.errors import InputError, KuaibaoError
from kuaibao.files import hash_value, write_text

__all__ = ["FOLDER", "ItemPicture", "ItemPictures", "Pictures", "lead_figure", "pictures_of"]

FOLDER = "pictures"
"""Beside `bulletin.toml`."""
CHOSEN = "chosen by an editor"
MAX_BYTES = 10_000_000
_N_ENTRY = 5
_SUFFIX = re.compile(r"\.(png|jpe?g|gif|webp|bmp|tiff?)$", re.IGNORECASE)
_KIND_NAMES = {
    "zh": {"chart": "图表", "diagram": "示意图", "formula": "公式", "logo": "标志",
           "photograph": "照片", "screenshot": "截图"},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ItemPicture:
    """One picture of an item, as it may be printed."""

    url: str
    kind: str
    probability: float
    width: int
    height: int
    image: str
    """A `data:` URI, made small and free of metadata by the sorter."""
    title: str = ""
    same_as: str = ""
    """Address of the picture that it repeats; it is then not offered."""
    is_told: bool = False
    """The kind is an editor's word."""


@dataclass(frozen=True, kw_only=True)
class ItemPictures:
    """An item's pictures, the best lead first."""

    asked: tuple[str, ...] = ()
    """Addresses that were asked for."""
    pictures: tuple[ItemPicture, ...] = ()
    lead: str = ""
    """Address of the one that leads; empty for none."""
    reason: str = ""
    is_chosen: bool = False
    """An editor chose the lead."""
    skipped: tuple[str, ...] = ()
    """What could not be had or read, and why."""
    is_unfinished: bool = False
    """Something could not be fetched: it is asked for again."""
    kinds: tuple[str, ...] = ()

    def picture(self, url: str) -> ItemPicture:
        """The picture from an address.

        Raises:
            InputError: There is none.
        """
        for one in self.pictures:
            if one.url == url:
                return one
        raise InputError(f"the item has no picture '{url[:200]}'")


@dataclass(frozen=True, kw_only=True)
class _Cover:
    image: str
    credit: str
    seed: int


_PICTURES = TypeAdapter(ItemPictures)
_COVER = TypeAdapter(_Cover)


class Pictures:
    """The folder of sorted pictures and covers.

    Args:
        folder: Where they lie.
        manuscripts: Where the pictures of people's own texts lie.
        limit: Pictures of an item at most.
        sorter: Makes the engine that sorts.
        artist: Makes the one that draws covers.
    """

    def __init__(
        self, folder: Path, manuscripts: Path, limit: int, sorter: Callable[[], FigureSorter],
        artist: Callable[[], CoverArtist],
    ) -> None:  # fmt: skip
        self.folder, self.manuscripts, self.limit = folder, manuscripts, limit
        self._make_sorter, self._make_artist = sorter, artist
        self._sorter: FigureSorter | None = None

    @property
    def sorter(self) -> FigureSorter:
        """The engine, loaded once.

        Raises:
            InputError: It is not installed, or has no model.
            MissingExtraError: It lacks what it needs.
        """
        if self._sorter is None:
            self._sorter = self._make_sorter()
        return self._sorter

    def of(self, item_id: str) -> ItemPictures | None:
        """What is known of an item's pictures; None before they were gathered."""
        try:
            return _PICTURES.validate_json(self._file(item_id).read_bytes())
        except (OSError, ValidationError):  # a damaged file is made anew
            return None

    def gather(self, item: Item, fetcher: Fetches) -> ItemPictures:
        """Fetch and sort an item's pictures, unless that is done.

        Raises:
            KuaibaoError: The engine can't be had.
        """
        titles = dict(list(_addresses(item))[: self.limit])
        known = self.of(item.item_id)
        if known is not None and known.asked == tuple(titles) and not known.is_unfinished:
            return known
        data: dict[str, bytes] = {}
        skipped: list[str] = []
        for address in titles:
            try:
                data[address] = self._read(address, fetcher)
            except KuaibaoError as error:
                known_name = address in error.message
                skipped.append(error.message if known_name else f"{address}: {error.message}")
        told = {p.url: p.kind for p in known.pictures if p.is_told} if known else {}
        found = self._sorted(data, titles, told)
        found = dataclasses.replace(
            found, asked=tuple(titles), skipped=(*skipped, *found.skipped),
            is_unfinished=bool(skipped),
        )  # fmt: skip
        if known is not None and known.is_chosen and known.lead in ("", *data):
            found = dataclasses.replace(found, lead=known.lead, reason=CHOSEN, is_chosen=True)
        self._keep(item.item_id, found)
        return found

    def tell_kind(self, item_id: str, url: str, kind: str) -> ItemPictures:
        """An editor's word on a picture: the engine learns it, the item's pictures are sorted anew.

        Raises:
            InputError: No such picture, or an unknown kind.
        """
        known = self._known(item_id)
        self.sorter.learn(_bytes(known.picture(url).image), kind)
        told = {p.url: p.kind for p in known.pictures if p.is_told} | {url: kind}
        data = {p.url: _bytes(p.image) for p in known.pictures}
        found = self._sorted(data, {p.url: p.title for p in known.pictures}, told)
        found = dataclasses.replace(
            found, asked=known.asked, skipped=known.skipped, is_unfinished=known.is_unfinished
        )
        if known.is_chosen:
            found = dataclasses.replace(found, lead=known.lead, reason=CHOSEN, is_chosen=True)
        self._keep(item_id, found)
        return found

    def choose_lead(self, item_id: str, url: str) -> ItemPictures:
        """An editor's choice of the lead, from which the engine learns; an empty address for none.

        Raises:
            InputError: No such picture.
        """
        known = self._known(item_id)
        if url:
            chosen_kind = known.picture(url).kind
            if known.lead and not known.is_chosen and known.picture(known.lead).kind != chosen_kind:
                self.sorter.prefer(chosen_kind, known.picture(known.lead).kind)
        chosen = dataclasses.replace(known, lead=url, reason=CHOSEN, is_chosen=True)
        self._keep(item_id, chosen)
        return chosen

    def cover(self, series: str, number: int) -> Figure | None:
        """The strip of an issue, if it was drawn."""
        try:
            drawn = _COVER.validate_json(self._cover_file(series, number).read_bytes())
        except (OSError, ValidationError):
            return None
        return Figure(image=drawn.image, source=drawn.credit)

    def draw_cover(self, series: str, number: int, seed: int) -> Figure:
        """Draw the strip of an issue.

        Args:
            series: Of the issue.
            number: Its running number.
            seed: Another one gives another strip.

        Raises:
            KuaibaoError: The engine can't be had, or can't draw.
        """
        artist = self._make_artist()
        image = _data_uri("image/png", artist.draw(seed))
        drawn = _Cover(image=image, credit=artist.credit, seed=seed)
        write_text(self._cover_file(series, number), _COVER.dump_json(drawn).decode())
        return Figure(image=image, source=drawn.credit)

    def _known(self, item_id: str) -> ItemPictures:
        known = self.of(item_id)
        if known is None:
            raise InputError("the item's pictures were not gathered yet")
        return known

    def _sorted(
        self, data: Mapping[str, bytes], titles: Mapping[str, str], told: Mapping[str, str]
    ) -> ItemPictures:
        if not data:
            return ItemPictures()
        found = self.sorter.sort(data, told)
        pictures = [
            ItemPicture(
                url=f.file, title=titles.get(f.file, ""), kind=f.kind, same_as=f.same_as,
                probability=round(float(f.probability), 4), width=f.width, height=f.height,
                image=_data_uri(*self.sorter.shown(data[f.file])), is_told=f.file in told,
            )
            for f in found.figures
        ]  # fmt: skip
        return ItemPictures(
            pictures=tuple(pictures), lead=found.lead, reason=found.reason,
            skipped=tuple(found.skipped), kinds=tuple(self.sorter.kinds),
        )  # fmt: skip

    def _read(self, address: str, fetcher: Fetches) -> bytes:
        if urlsplit(address).scheme in ("http", "https"):
            return fetcher.get(address, max_bytes=MAX_BYTES, obey_robots=True).body
        path = (self.manuscripts / address).resolve()
        if not path.is_relative_to(self.manuscripts.resolve()):
            raise InputError("lies outside the folder of manuscripts")
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"larger than {MAX_BYTES // 10**6} MB")
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"can't be read: {error.strerror or error}") from error

    def _keep(self, item_id: str, found: ItemPictures) -> None:
        write_text(self._file(item_id), _PICTURES.dump_json(found).decode())

    def _file(self, item_id: str) -> Path:
        return self.folder / "items" / f"{hash_value(item_id)[:32]}.json"

    def _cover_file(self, series: str, number: int) -> Path:
        return self.folder / "covers" / f"{hash_value([series, number])[:32]}.json"


def pictures_of(config: BulletinConfig) -> Pictures | None:
    """A bulletin's pictures; None if `[pictures]` wants none."""
    own = config.settings.pictures
    if not (own.lead or own.cover):
        return None
    folder = config.folder / FOLDER
    model = str(config.folder / own.model) if (config.folder / own.model).is_dir() else own.model
    model = model if own.model else ""
    return Pictures(
        folder, config.folder / config.settings.writing.manuscripts, own.limit,
        lambda: find_figure_sorter(own.engine, model, str(folder)),
        lambda: find_cover_artist(own.engine, model),
    )  # fmt: skip


def lead_figure(item: Item, found: ItemPictures | None, *, title: str, language: str) -> Figure:
    """The lead picture as it is printed; an empty figure for none."""
    if found is None or not found.lead:
        return Figure()
    lead = found.picture(found.lead)
    entry = next(
        (e for e in item.entries if any(c.url == lead.url for c in e.enclosures)), item.lead
    )
    is_own = entry.source_id == MANUSCRIPTS  # the people who sign the text brought it
    kind = _KIND_NAMES.get(language, {}).get(lead.kind, lead.kind)
    return Figure(
        image=lead.image, alt=f"{kind}: {lead.title or title}", caption=lead.title,
        source=entry.venue or ("" if is_own else entry.source_id),
        source_url="" if is_own else entry.url, licence=entry.licence,
    )  # fmt: skip


def _addresses(item: Item) -> Iterable[tuple[str, str]]:
    """Address and title of what the item's sources enclose as pictures."""
    for entry in item.entries[:_N_ENTRY]:
        for one in entry.enclosures:
            is_picture = one.media_type.lower().startswith("image/") or (
                not one.media_type and _SUFFIX.search(urlsplit(one.url).path)
            )
            if is_picture and one.media_type.lower() != "image/svg+xml":
                yield one.url, one.title


def _data_uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _bytes(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])
