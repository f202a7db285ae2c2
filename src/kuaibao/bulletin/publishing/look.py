"""The colour of a series, in every form of its issues; it is no part of what an issue says."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

from kuaibao.errors import InputError

__all__ = ["DEFAULT_ACCENT", "Look", "contrast"]

DEFAULT_ACCENT, _DEFAULT_LINE = "#a81e16", "#c23a2e"
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_DARKEST_PAPER, _DARK_PAPER = "#f3eee3", "#202329"
"""Grounds that heads and links stand on in `page.css`: the least light by day, by night."""
_READABLE = 4.5
"""WCAG 2.2, criterion 1.4.3: contrast of text."""


@dataclass(frozen=True)
class Look:
    """How a series looks."""

    accent: str = DEFAULT_ACCENT
    """Of heads, rules and links on paper."""

    @classmethod
    def of(cls, accent: str) -> Look:
        """The look with a colour; the house's vermilion if it is empty.

        Raises:
            InputError: It is no colour, or too light to be read on paper.
        """
        colour = accent.strip().lower() or DEFAULT_ACCENT
        if not _COLOUR.fullmatch(colour):
            raise InputError(f"{accent[:40]!r} is no colour", hint="Write it as #a81e16.")
        if contrast(colour, _DARKEST_PAPER) < _READABLE:
            raise InputError(
                f"the colour {colour} is too light to be read on paper", hint="Take a darker one."
            )
        return cls(colour)

    @property
    def on_dark(self) -> str:
        """The same hue, light enough for a dark ground."""
        hue, light, depth = colorsys.rgb_to_hls(*_channels(self.accent))
        colour = self.accent
        while contrast(colour, _DARK_PAPER) < _READABLE:
            light = min(1.0, light + 0.02)
            rgb = colorsys.hls_to_rgb(hue, light, depth)
            colour = "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)
        return colour

    def page_rules(self) -> str:
        """What the page's style sheet says besides; nothing for the house's own colour."""
        if self.accent == DEFAULT_ACCENT:
            return ""
        light = f"--red: {self.accent}; --red-line: {self.accent};"
        dark = f"--red: {self.on_dark}; --red-line: {self.on_dark};"
        by_night = "@media (prefers-color-scheme: dark)"
        return (
            f":root {{ {light} }}\n:root[data-theme=dark] {{ {dark} }}\n"
            f"{by_night} {{ :root:not([data-theme=light]) {{ {dark} }} }}\n"
            f"@media print {{ :root:root:root:root {{ {light} }} }}\n"
        )

    def coloured(self, css: str) -> str:
        """A style sheet written in the house's colour, in this one."""
        if self.accent == DEFAULT_ACCENT:
            return css
        return css.replace(DEFAULT_ACCENT, self.accent).replace(_DEFAULT_LINE, self.accent)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "relative luminance")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue
