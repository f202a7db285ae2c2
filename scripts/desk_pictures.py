"""Takes a picture of every page of the desk: two languages, two widths, two themes.

    python scripts/desk_pictures.py OUT [--only PATTERN] [--axe] [--sheets]

The pages show a made-up newsroom with something on each of them (`tests/web/plenty.py`). OUT gets
one PNG a page and, with `--sheets`, contact sheets; `--axe` writes what axe-core finds.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "web"), str(ROOT / "tests" / "bulletin" / "desk")]

LOOKS = tuple(itertools.product(("en", "zh"), (1280, 390), ("light", "dark")))


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="a pattern of addresses or of looks")
    parser.add_argument("--axe", action="store_true")
    parser.add_argument("--sheets", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright
    from plenty import CONFIG, enrich
    from serving import Serving

    with (
        tempfile.TemporaryDirectory() as folder,
        Serving(Path(folder), 3, config=CONFIG) as serving,
        sync_playwright() as tools,
    ):
        rich = enrich(serving)
        chromium = tools.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        taken = list(_take(chromium, rich, options))
        chromium.close()
    if options.sheets:
        for look in LOOKS:
            _sheets(options.out, look, [path for own, path in taken if own == look])
    print(f"{len(taken)} pictures in {options.out}")


def _take(chromium: Any, rich: Any, options: argparse.Namespace) -> Iterator[tuple[Any, Path]]:
    from plenty import pages

    number = 0
    for language, width, theme in LOOKS:
        for role, addresses in pages(rich).items():
            context = _context(chromium, rich.serving, role, language, width, theme)
            page = context.new_page()
            for address in addresses:
                number += 1
                name = re.sub(r"\W+", "-", address).strip("-")[:40]
                path = options.out / f"{language}-{width}-{theme}-{role or 'nobody'}-{name}.png"
                if not re.search(options.only, f"{address} {path.name}"):
                    continue
                page.goto(rich.serving.base + address)
                page.wait_for_load_state()
                page.screenshot(path=path, full_page=True)
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    print(f"wider than the screen: {path.name}")
                if options.axe:
                    _examine(page, path.name)
                yield (language, width, theme), path
            context.close()


def _context(chromium: Any, serving: Any, role: str, language: str, width: int, theme: str) -> Any:
    from kuaibao.web.access import SESSION_COOKIE

    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    cookies = {"kuaibao_language": language, "kuaibao_theme": theme}
    cookies |= {SESSION_COOKIE: serving.session_of(role)} if role else {}
    context.add_cookies(
        [{"name": name, "value": value, "url": serving.base} for name, value in cookies.items()]
    )
    return context


def _examine(page: Any, name: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for found in Axe().run(page).response["violations"]:
        nodes = [node["html"][:140] for node in found["nodes"][:2]]
        print(f"{name}: {found['impact']} {found['id']} {nodes}")


def _sheets(out: Path, look: tuple[str, int, str], paths: list[Path]) -> None:
    """Twelve pages a sheet, each cut after two screens."""
    from PIL import Image

    columns, cell = (4, 480) if look[1] > 600 else (8, 240)
    height = int(cell * (1.5 if look[1] > 600 else 3))
    for part in range(0, len(paths), columns * 2):
        sheet = Image.new("RGB", (columns * cell, 2 * height), "white")
        for n, path in enumerate(paths[part : part + columns * 2]):
            with Image.open(path) as picture:
                shown = picture.convert("RGB")
                shown = shown.resize((cell - 6, round(shown.height * (cell - 6) / shown.width)))
                shown = shown.crop((0, 0, cell - 6, min(shown.height, height - 6)))
                sheet.paste(shown, ((n % columns) * cell, (n // columns) * height))
        name = "-".join(map(str, look))
        sheet.save(out / f"sheet-{name}-{part // (columns * 2)}.png")


if __name__ == "__main__":
    main()
