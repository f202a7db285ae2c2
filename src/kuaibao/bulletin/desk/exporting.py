"""The published issues as a static site: a folder that any web server can hand out."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.issues import list_issues
from kuaibao.bulletin.desk.publication import issue_folder
from kuaibao.bulletin.desk.series import list_series
from kuaibao.errors import InputError
from kuaibao.files import atomic_path, write_text

__all__ = ["export_site"]

_NUMBER = {
    "en": "{year}, No. {number} ({running} in all)",
    "zh": "{year} 年第 {number} 期（总第 {running} 期）",
}

_STYLE = (
    ":root{color-scheme:light dark}body{max-width:44rem;margin:3rem auto;padding:0 1.2rem;"
    "font:1.05rem/1.6 Georgia,'Noto Serif','Noto Serif CJK SC',serif}"
    "h1{font-size:1.6rem;border-bottom:2px solid}li{margin:.6rem 0}ol{list-style:none;padding:0}"
)


def export_site(desk: Desk, out: Path) -> list[Path]:
    """Copy the files of every published issue below `out` and write an index of them.

    Raises:
        InputError: `out` lies inside the folder that it would copy from.
    """
    root = out.absolute()
    if root.is_relative_to(desk.out.absolute()) or desk.out.absolute().is_relative_to(root):
        raise InputError(f"{out} overlaps the folder of the issues", hint="Choose another folder.")
    written: list[Path] = []
    parts: list[str] = []
    for series in list_series(desk):
        rows: list[str] = []
        for issue in list_issues(desk, series_id=series.series_id, state="published"):
            source = issue_folder(desk, issue)
            place = source.relative_to(desk.out)
            for form, name in issue.files.items():
                if form == "mail" or not (source / name).is_file():
                    continue
                target = root / place / name
                with atomic_path(target) as temporary:
                    shutil.copyfile(source / name, temporary)
                written.append(target)
            number = _NUMBER[series.language].format(
                year=issue.year, number=issue.number, running=issue.running_number
            )
            address = html.escape(f"{place.as_posix()}/index.html", quote=True)
            title = html.escape(issue.title or number)
            rows.append(f'<li><a href="{address}">{title}</a><br>{number} · {issue.day}</li>')
        if rows:
            tag = "zh-CN" if series.language == "zh" else "en"
            name = html.escape(series.name)
            parts.append(f'<section lang="{tag}"><h1>{name}</h1><ol>{"".join(rows)}</ol></section>')
    index = root / "index.html"
    write_text(
        index,
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Kuaibao</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n",
    )
    return [*written, index]
