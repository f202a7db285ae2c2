"""Drawings from outside made safe to stand inside a page, an e-book or a PDF.

An allow-list of elements and attributes (SVG 1.1 static, without scripting, animation, foreign
content and outside references); style attributes become presentation attributes, because a strict
content security policy refuses them; ids get a prefix, because several drawings share one page.
"""

from __future__ import annotations

import re
from typing import Any

import lxml.etree as etree

from kuaibao.bulletin.publishing.cleaning import clean_text

__all__ = ["MAX_SVG_CHARACTERS", "clean_svg"]

MAX_SVG_CHARACTERS = 4_000_000
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"

_ELEMENTS = {
    "svg", "g", "defs", "symbol", "use", "path", "rect", "circle", "ellipse", "line",
    "polyline", "polygon", "text", "tspan", "textPath", "title", "desc", "marker",
    "linearGradient", "radialGradient", "stop", "clipPath", "mask", "pattern",
}  # fmt: skip
_ATTRIBUTES = {
    "id", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx",
    "ry", "fx", "fy", "d", "points", "transform", "preserveAspectRatio", "refX", "refY",
    "markerWidth", "markerHeight", "markerUnits", "orient", "gradientUnits",
    "gradientTransform", "spreadMethod", "offset", "clipPathUnits", "maskUnits",
    "maskContentUnits", "patternUnits", "patternContentUnits", "patternTransform", "dx", "dy",
    "rotate", "textLength", "lengthAdjust", "startOffset", "method", "spacing", "pathLength",
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity",
    "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "opacity", "color", "stop-color", "stop-opacity", "clip-path",
    "clip-rule", "mask", "marker-start", "marker-mid", "marker-end", "font-family", "font-size",
    "font-style", "font-weight", "font-variant", "text-anchor", "dominant-baseline",
    "alignment-baseline", "baseline-shift", "letter-spacing", "word-spacing", "text-decoration",
    "display", "visibility", "overflow", "paint-order", "vector-effect", "shape-rendering",
    "text-rendering", "role", "aria-label", "aria-hidden",
}  # fmt: skip
_REFERENCE = re.compile(r"url\(\s*['\"]?([^'\")]*)['\"]?\s*\)", re.IGNORECASE)
_PIXELS = re.compile(r"\s*(\d+(?:\.\d+)?)(?:px)?\s*$")
_NAME = re.compile(r"[^\w.-]")


def clean_svg(source: str, *, prefix: str = "") -> str:
    """A safe copy of an SVG document without XML declaration; "" if it is none.

    Args:
        source: The document, at most `MAX_SVG_CHARACTERS` long.
        prefix: Put before every id and every reference to one.
    """
    if not source.strip() or len(source) > MAX_SVG_CHARACTERS:
        return ""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(clean_text(source).encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    if _local_name(root) != "svg":
        return ""
    copy = _copied(root, prefix)
    if not copy.get("viewBox") and (box := _box_of_size(copy)):
        copy.set("viewBox", box)
    return etree.tostring(copy, encoding="unicode")


def _copied(root: Any, prefix: str) -> Any:
    """A copy of what the allow-list knows; an unknown element goes with all it holds."""
    top: Any = etree.Element(f"{{{_SVG}}}svg", nsmap={None: _SVG})
    pending: list[tuple[Any, Any]] = [(root, top)]
    while pending:  # not recursive: depth comes from outside
        original, copy = pending.pop()
        _copy_attributes(original, copy, prefix)
        copy.text = original.text
        for child in original:
            if _local_name(child) in _ELEMENTS:
                twin = etree.SubElement(copy, f"{{{_SVG}}}{_local_name(child)}")
                twin.tail = child.tail
                pending.append((child, twin))
    return top


def _copy_attributes(original: Any, copy: Any, prefix: str) -> None:
    values: dict[str, str] = {str(name): str(value) for name, value in original.attrib.items()}
    for declaration in values.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        if name.strip() in _ATTRIBUTES:
            values[name.strip()] = value.strip()
    for name, value in sorted(values.items()):
        if name in {"href", _XLINK}:
            if value.startswith("#"):
                copy.set("href", "#" + prefix + _NAME.sub("_", value[1:]))
        elif name == "id":
            copy.set("id", prefix + _NAME.sub("_", value))
        elif name in _ATTRIBUTES and (safe := _local_references(value, prefix)) is not None:
            copy.set(name, safe)


def _local_references(value: str, prefix: str) -> str | None:
    """`value` with its `url(#id)` prefixed; None if one points outside the document."""
    targets = _REFERENCE.findall(value)
    if any(not target.startswith("#") for target in targets) or (
        not targets and "url(" in value.lower()
    ):
        return None
    return _REFERENCE.sub(lambda m: f"url(#{prefix}{_NAME.sub('_', m.group(1)[1:])})", value)


def _local_name(element: Any) -> str:
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    space, _, name = tag.rpartition("}")
    return name if space in {"", "{" + _SVG} else ""


def _box_of_size(root: Any) -> str:
    """A view box from width and height, so that the drawing can shrink on a phone."""
    sizes = [
        re.match(r"\s*(\d+(?:\.\d+)?)(?:px)?\s*$", root.get(n, "")) for n in ("width", "height")
    ]
    return f"0 0 {sizes[0].group(1)} {sizes[1].group(1)}" if sizes[0] and sizes[1] else ""
