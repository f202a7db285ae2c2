"""SVG pictures put into a diagram: only drawing elements, with ids of their own.

A picture comes from outside, so nothing of it may run or load anything: scripts, events, styles
that import, foreign objects and links out of the file are left out. One that cannot be had is
drawn as a crossed frame of its size, and the program tells of it in a warning.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from kuaibao.diagrams.errors import LayoutError
from kuaibao.diagrams.library.context import Canvas
from kuaibao.diagrams.values import Shape
from kuaibao.errors import KuaibaoError

__all__ = [
    "MAX_FETCHED",
    "MAX_IMAGE_BYTES",
    "ImageFolder",
    "inline_svg",
    "missing_frame",
    "missing_pictures",
    "picture_pages",
]

MAX_IMAGE_BYTES = 4_000_000
"""Largest picture file that is put into a diagram."""
MAX_FETCHED = 20
"""Pictures that one program may take from the web, if it may at all."""
_SVG = "{http://www.w3.org/2000/svg}"
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
_ALLOWED_NAMES = """
    svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textPath
    title desc linearGradient radialGradient stop pattern clipPath mask marker image style
    filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix
    feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB
    feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight
    feSpecularLighting feSpotLight feTile feTurbulence switch
"""
_ALLOWED = frozenset(f"{_SVG}{name}" for name in _ALLOWED_NAMES.split())
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"\s]+)['\"]?\s*\)")
_OUTSIDE = re.compile(r"@import|url\(\s*['\"]?(?!#|data:image/)|expression|javascript:", re.I)
_DATA_IMAGE = re.compile(r"\s*data:image/(?:png|jpeg|gif|webp);", re.I)


class ImageFolder:
    """Resolves the `href` of Image shapes inside the folders of a program, and nowhere else.

    A program whose files stand in several folders may also name pictures in the folder that holds
    these, as in `../pictures/a.svg`, unless that is the root or one just below it.
    """

    def __init__(self, *folders: Path, fetch: Callable[[str], bytes] | None = None) -> None:
        """Name the folders.

        Args:
            folders: Where pictures are looked for.
            fetch: Gets the bytes of a web address; without it the web stays closed.
        """
        self.folders = folders
        self._fetch = fetch
        self._fetched: dict[str, bytes] = {}
        self._fences = [folder.resolve() for folder in folders]
        if len(set(self._fences)) > 1:
            common = Path(os.path.commonpath(self._fences))
            if len(common.parts) > 2:
                self._fences.append(common)

    def read(self, href: str) -> bytes:
        """The bytes of a picture.

        Raises:
            LayoutError: It is not in the folders, too large, or on the web and that is closed.
        """
        if href.startswith(("https://", "http://")) and self._fetch is not None:
            return self._from_web(href, self._fetch)
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:", href) or href.startswith("//"):
            raise LayoutError(
                "ImageError",
                f"picture {href!r} is not a file",
                hint="Save it beside the Style file, or allow the web with --web-pictures.",
            )
        for folder in self.folders:
            path = (folder / href).resolve()
            if not any(map(path.is_relative_to, self._fences)) or not path.is_file():
                continue
            if path.stat().st_size > MAX_IMAGE_BYTES:
                raise LayoutError(
                    "ImageError", f"picture {href!r} is larger than {MAX_IMAGE_BYTES} bytes"
                )
            return path.read_bytes()
        raise LayoutError(
            "ImageError",
            f"there is no picture {href!r} in {' or '.join(str(f) for f in self.folders) or '.'}",
        )

    def _from_web(self, address: str, fetch: Callable[[str], bytes]) -> bytes:
        if address not in self._fetched:
            if len(self._fetched) >= MAX_FETCHED:
                raise LayoutError(
                    "ImageError", f"a program takes at most {MAX_FETCHED} pictures from the web"
                )
            self._fetched[address] = b""  # asked for once, whatever comes
            try:
                data = fetch(address)
            except KuaibaoError as error:
                raise LayoutError("ImageError", f"picture {address!r}: {error.message}") from error
            if len(data) <= MAX_IMAGE_BYTES:
                self._fetched[address] = data
        if not self._fetched[address]:
            raise LayoutError("ImageError", f"picture {address!r} could not be had")
        return self._fetched[address]


def missing_pictures(shapes: Iterable[Shape], images: ImageFolder) -> list[str]:
    """A sentence for each Image shape whose picture cannot be put into the diagram."""
    found: dict[str, str] = {}
    for shape in shapes:
        href = shape["href"] if shape.kind == "Image" else None
        if not isinstance(href, str) or href in found:
            continue
        found[href] = ""
        try:
            inline_svg(images.read(href), "", 1.0, 1.0, "")
        except LayoutError as error:
            hint = f" {error.hint}" if error.hint else ""
            found[href] = f"{error.message}: {shape.name} is drawn as an empty frame.{hint}"
    return [sentence for sentence in found.values() if sentence]


def picture_pages(
    shapes: Iterable[Shape], images: ImageFolder
) -> Iterator[tuple[str, str, Canvas]]:
    """For each Image shape with a picture: its name, the picture as SVG, and its size."""
    for shape in shapes:
        if shape.kind != "Image":
            continue
        size = Canvas(max(shape["width"], 1.0), max(shape["height"], 1.0))
        try:
            data = images.read(shape["href"])
            svg = inline_svg(data, "p-", size.width, size.height, shape["preserveAspectRatio"])
        except LayoutError:
            continue
        yield shape.name, svg, size


def missing_frame(href: str, width: float, height: float) -> str:
    """What stands for a picture that cannot be had: a frame of its size, crossed out."""
    w, h = max(width, 0.0), max(height, 0.0)
    title = escape(f"picture {href} is missing", quote=False)
    return (
        f'<g fill="none" stroke="#8a8f98" stroke-dasharray="4 3"><title>{title}</title>'
        f'<rect width="{w:.10g}" height="{h:.10g}"/>'
        f'<path d="M 0 0 L {w:.10g} {h:.10g} M 0 {h:.10g} L {w:.10g} 0"/></g>'
    )


def inline_svg(data: bytes, prefix: str, width: float, height: float, ratio: str) -> str:
    """An SVG file as an element to stand in another: sanitised, ids prefixed, size given.

    Args:
        data: The file.
        prefix: Makes the ids unique in the diagram.
        width: In pixels.
        height: In pixels.
        ratio: `preserveAspectRatio`; empty leaves what the file says.

    Raises:
        LayoutError: The file is not SVG.
    """
    import lxml.etree as lxml_etree  # late: few diagrams hold a picture

    etree: Any = lxml_etree
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True, recover=True,
    )  # fmt: skip
    try:
        root: Any = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise LayoutError("ImageError", f"the picture is not SVG: {error}") from error
    if root is None or root.tag != f"{_SVG}svg":
        raise LayoutError("ImageError", "the picture is not SVG")
    _clean(root, prefix)
    if "viewBox" not in root.attrib:
        old = [_length(root.get(side, "")) for side in ("width", "height")]
        if all(old):
            root.set("viewBox", f"0 0 {old[0]:g} {old[1]:g}")
    root.set("width", f"{max(width, 0.0):.10g}")
    root.set("height", f"{max(height, 0.0):.10g}")
    if ratio:
        root.set("preserveAspectRatio", ratio)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode", with_tail=False)


def _length(text: str) -> float:
    match = re.match(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(?:px)?\s*$", text)
    return float(match[1]) if match else 0.0


def _clean(root: Any, prefix: str) -> None:
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag not in _ALLOWED:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
            continue
        if element.tag == f"{_SVG}style":
            css = element.text or ""
            element.text = "" if _OUTSIDE.search(css) else _own_ids(css, prefix)
        for name, value in list(element.attrib.items()):
            kept = _attribute(str(name), value, prefix)
            if kept is None:
                del element.attrib[name]
            else:
                element.attrib[name] = kept


def _attribute(name: str, value: str, prefix: str) -> str | None:
    if name == "id":
        return prefix + value
    if name in _HREFS:
        if value.strip().startswith("#"):
            return "#" + prefix + value.strip()[1:]
        return value if _DATA_IMAGE.match(value) else None
    if name.lower().startswith("on") or _OUTSIDE.search(value):
        return None
    if name.startswith("{") and "xml/1998" not in name:
        return None
    return _REFERENCE.sub(lambda m: f"url(#{prefix}{m[1]})", value)


def _own_ids(css: str, prefix: str) -> str:
    css = _REFERENCE.sub(lambda m: f"url(#{prefix}{m[1]})", css)
    return re.sub(r"#([A-Za-z_][\w-]*)(?=[^{}]*\{)", lambda m: f"#{prefix}{m[1]}", css)
