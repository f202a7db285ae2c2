"""Chinese fonts on this machine, found by their files alone: fontconfig need not be there.

Looked for in this order: the file named by `KUAIBAO_CJK_FONT`, the folders where systems keep
fonts, packages that carry fonts. Roles are those of Chinese typesetting (W3C clreq, section 2.2):
Song for text, Hei for headings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

__all__ = ["INSTALL_HINT", "CjkFont", "find_cjk_font", "find_cjk_fonts"]

Role = Literal["song", "hei"]

INSTALL_HINT = (
    "Install one: `apt-get install fonts-noto-cjk` (Debian, Ubuntu), "
    "`dnf install google-noto-serif-cjk-fonts google-noto-sans-cjk-fonts` (Fedora), "
    "`pip install 'kuaibao[fonts]'` (any system), "
    "or name a font file in KUAIBAO_CJK_FONT."
)

# File name (lower case, without suffix) → family and role, best first.
_KNOWN: dict[str, tuple[str, Role]] = {
    "notoserifcjk-regular": ("Noto Serif CJK SC", "song"),
    "notoserifcjksc-regular": ("Noto Serif CJK SC", "song"),
    "sourcehanserifsc-regular": ("Source Han Serif SC", "song"),
    "sourcehanserif-regular": ("Source Han Serif SC", "song"),
    "sourcehanserifcn-regular": ("Source Han Serif CN", "song"),
    "notoserifsc-regular": ("Noto Serif SC", "song"),
    "notoserifsc[wght]": ("Noto Serif SC", "song"),
    "notoserifsc-variablefont_wght": ("Noto Serif SC", "song"),
    "songti": ("Songti SC", "song"),
    "simsun": ("SimSun", "song"),
    "uming": ("AR PL UMing CN", "song"),
    "notosanscjk-regular": ("Noto Sans CJK SC", "hei"),
    "notosanscjksc-regular": ("Noto Sans CJK SC", "hei"),
    "sourcehansanssc-regular": ("Source Han Sans SC", "hei"),
    "sourcehansans-regular": ("Source Han Sans SC", "hei"),
    "sourcehansanscn-regular": ("Source Han Sans CN", "hei"),
    "notosanssc-regular": ("Noto Sans SC", "hei"),
    "notosanssc[wght]": ("Noto Sans SC", "hei"),
    "notosanssc-variablefont_wght": ("Noto Sans SC", "hei"),
    "pingfang": ("PingFang SC", "hei"),
    "hiragino sans gb": ("Hiragino Sans GB", "hei"),
    "msyh": ("Microsoft YaHei", "hei"),
    "wqy-microhei": ("WenQuanYi Micro Hei", "hei"),
    "wqy-zenhei": ("WenQuanYi Zen Hei", "hei"),
    "droidsansfallbackfull": ("Droid Sans Fallback", "hei"),
    "droidsansfallback": ("Droid Sans Fallback", "hei"),
    "simhei": ("SimHei", "hei"),
}
_RANK = {name: rank for rank, name in enumerate(_KNOWN)}
_SUFFIXES = {".ttf", ".ttc", ".otf", ".otc"}
_PACKAGES = ("pylopdf_fonts_zh_cn", "mplfonts")
_MAX_FILES = 20_000
_MAX_DEPTH = 6


@dataclass(frozen=True, kw_only=True)
class CjkFont:
    """A font file that holds simplified Chinese."""

    family: str
    path: Path
    role: Role = "hei"


def find_cjk_font(role: Role | None = None) -> CjkFont | None:
    """The best Chinese font of this machine, or None.

    Args:
        role: `song` (serif, text) or `hei` (sans serif, headings); another role's font is better
            than none. None means whichever is best.
    """
    fonts = find_cjk_fonts()
    return next((font for font in fonts if role in {None, font.role}), fonts[0] if fonts else None)


def find_cjk_fonts() -> tuple[CjkFont, ...]:
    """All known Chinese fonts of this machine, best first; the search is done once a process."""
    return _search(os.environ.get("KUAIBAO_CJK_FONT", ""), *font_folders())


def font_folders() -> tuple[Path, ...]:
    """Where this system keeps fonts; only folders that exist."""
    home = Path.home()
    if sys.platform == "darwin":
        folders = ["/System/Library/Fonts", "/Library/Fonts", home / "Library/Fonts"]
    elif sys.platform == "win32":
        windows = os.environ.get("WINDIR", r"C:\Windows")
        folders = [Path(windows) / "Fonts", home / "AppData/Local/Microsoft/Windows/Fonts"]
    else:
        data = os.environ.get("XDG_DATA_HOME") or home / ".local/share"
        folders = [
            "/usr/share/fonts",
            "/usr/local/share/fonts",
            Path(data) / "fonts",
            home / ".fonts",
        ]
    return tuple(path for folder in folders if (path := Path(folder)).is_dir())


@cache
def _search(named: str, *folders: Path) -> tuple[CjkFont, ...]:
    found: dict[str, Path] = {}
    for file in _font_files((*folders, *_package_folders())):
        if (name := file.stem.lower()) in _KNOWN:
            found.setdefault(name, file)
    fonts = [
        CjkFont(family=_KNOWN[name][0], path=found[name], role=_KNOWN[name][1])
        for name in sorted(found, key=_RANK.__getitem__)
    ]
    if named and (chosen := _named_font(Path(named))):
        fonts.insert(0, chosen)
    return tuple(fonts)


def _named_font(path: Path) -> CjkFont | None:
    """The font file that a setting names; its family is read by the typesetter."""
    if not path.is_file():
        return None
    known = _KNOWN.get(path.stem.lower())
    if known:
        return CjkFont(family=known[0], path=path, role=known[1])
    import typst

    inside = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(path.parent)]
    ).fonts()
    same = [font.family for font in inside if font.path and Path(font.path) == path]
    simplified = [family for family in same if family.endswith((" SC", " CN", " GB"))]
    family = next(iter([*simplified, *same]), "")
    return CjkFont(family=family, path=path) if family else None


def _package_folders() -> Iterator[Path]:
    for package in _PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(folder)


def _font_files(folders: tuple[Path, ...]) -> Iterator[Path]:
    """Font files in sorted order, not deeper and not more than is sane."""
    pending = [(folder, 0) for folder in reversed(folders)]
    n_seen = 0
    while pending and n_seen < _MAX_FILES:
        folder, depth = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name, reverse=True)
        except OSError:
            continue
        for entry in entries:
            n_seen += 1
            if entry.is_dir() and depth < _MAX_DEPTH:
                pending.append((Path(entry.path), depth + 1))
            elif os.path.splitext(entry.name)[1].lower() in _SUFFIXES and entry.is_file():
                yield Path(entry.path)
