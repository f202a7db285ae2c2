"""A gallery in a notebook: pick a layout, drag its shapes; needs the extra `notebook`.

    widget = diagrams.gallery(program, 16).widget()
    widget                                        # the last line of a cell shows it
    widget.chosen.svg()                           # what was picked and dragged

The browser shows and Python lays out: all state is in synced traits, every move is one message.
"""

# traitlets says what a trait holds only at run time.
# pyright: reportIncompatibleUnannotatedOverride=false

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuaibao.diagrams.baking import Baked, baked_path, program_digest, write_baked
from kuaibao.diagrams.dragging import Draggable
from kuaibao.diagrams.program import Layout
from kuaibao.diagrams.trio import read_trio
from kuaibao.errors import InputError, KuaibaoError, MissingExtraError

try:
    import anywidget
    import traitlets
except ModuleNotFoundError as error:
    raise MissingExtraError("notebook", needed_for="the gallery widget") from error

if TYPE_CHECKING:
    from kuaibao.diagrams.galleries import Gallery

__all__ = ["GalleryWidget"]

_HERE = Path(__file__).parent


class GalleryWidget(anywidget.AnyWidget):
    """Layouts as cards; the one that is picked can be dragged and is laid out around its pins."""

    _esm = _HERE / "widget.js"
    _css = _HERE / "widget.css"
    canvas = traitlets.List().tag(sync=True)
    cards = traitlets.List().tag(sync=True)
    current = traitlets.Dict().tag(sync=True)
    pins = traitlets.Dict().tag(sync=True)
    turn = traitlets.Int().tag(sync=True)
    """Counts the answers, so that the browser sends one request at a time."""

    def __init__(self, gallery: Gallery) -> None:
        """Show a gallery."""
        self._gallery = gallery
        self._diagram = Draggable(gallery.program)
        self._layout: Layout | None = None
        canvas = gallery.program.problem.canvas
        shown = [self._diagram.shown(layout, f"w{k}-") for k, layout in enumerate(gallery.layouts)]
        super().__init__(
            canvas=[canvas.width, canvas.height],
            cards=[{"svg": one["svg"], "violation": one["violation"]} for one in shown],
        )
        self.on_msg(self._hear)

    @property
    def chosen(self) -> Layout:
        """The layout that was picked, as it was dragged; the best one before that."""
        return self._layout or self._gallery.layouts[0]

    def pick(self, number: int) -> None:
        """Open a layout of the gallery, by its place from 0.

        Raises:
            InputError: There is no such layout.
        """
        layouts = self._gallery.layouts
        if not 0 <= number < len(layouts):
            raise InputError(f"there is no layout {number}", hint=f"There are {len(layouts)}.")
        self._turned(layouts[number], {})

    def drag(self, pins: dict[str, tuple[float, float]]) -> None:
        """Lay the chosen layout out again around pins (x, y in the diagram) by handles' names.

        Raises:
            InputError: No such handle.
        """
        points = {name: list(point) for name, point in pins.items()}
        inputs = [float(x) for x in self.chosen.result.inputs]
        self._turned(self._diagram.again(inputs, points), points)

    def bake(self, trio: str | Path) -> Path:
        """Keep the choice beside its program, so that the figure never moves again.

        Args:
            trio: The trio file that the gallery was made from.
        """
        path = Path(trio)
        files = read_trio(path)
        inputs, pins = self._diagram.checked(
            [float(x) for x in self.chosen.result.inputs], dict(self.pins)
        )
        kept = baked_path(path)
        write_baked(kept, Baked(program_digest(files), inputs, pins))
        return kept

    def _hear(self, _widget: object, message: Any, _buffers: object) -> None:
        """Answer the browser; what does not fit is left, and the browser told to go on."""
        try:
            match message:
                case {"kind": "pick", "number": int(number)}:
                    self.pick(number)
                case {"kind": "again", "pins": dict(pins)}:
                    self.drag(pins)  # pyright: ignore[reportUnknownArgumentType]
                case {"kind": "back"}:
                    self.current = {}
                    self.turn += 1
                case _:
                    self.turn += 1
        except KuaibaoError:
            self.turn += 1

    def _turned(self, layout: Layout, pins: dict[str, list[float]]) -> None:
        self._layout = layout
        self.pins = pins
        self.current = self._diagram.shown(layout, "e-")
        self.turn += 1
