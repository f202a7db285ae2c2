"""Local SVG pictures put into a diagram: only drawing elements, with ids of their own.

A picture file comes from outside, so nothing of it may run or load anything: scripts, events,
styles that import, foreign objects and links out of the file are left out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from kuaibao.diagrams.errors import LayoutError

__all__ = ["MAX_IMAGE_BYTES", "ImageFolder", "inline_svg"]

MAX_IMAGE_BYTES = 4_000_000
"""Largest picture file that is put into a diagram."""
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

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self._fences = [folder.resolve() for folder in folders]
        if len(set(self._fences)) > 1:
            common = Path(os.path.commonpath(self._fences))
            if len(common.parts) > 2:
                self._fences.append(common)

    def read(self, href: str) -> bytes:
        """The bytes of a picture.

        Raises:
            LayoutError: It is not in the folders, too large, or on the web.
        """
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:", href) or href.startswith("//"):
            raise LayoutError(
                "ImageError",
                f"picture {href!r} is not a file",
                hint="Save it beside the Style file; diagrams load nothing from the web.",
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
