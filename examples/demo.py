"""`make demo`: build the example bulletin from what is on this machine, in English and Chinese."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from kuaibao.bulletin.config import BulletinConfig, load_config
from kuaibao.bulletin.pipeline import Step, build
from kuaibao.cli.build import STAGE_NAMES, show
from kuaibao.errors import KuaibaoError

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out" / "demo"
WORK = ROOT / "out" / "demo-work"
SYNOPSIS = ROOT / "models" / "pegasus-synopsis"


def main() -> int:
    """Copy the example to a working folder, build it, say where the issue lies."""
    started = time.perf_counter()
    print("Building the example bulletin: feeds, a bibliography, manuscripts and calendars from")
    print("examples/bulletin, this project's documents, and the packages installed here.")
    print("One source is live (arXiv cs.CL); without a network it is skipped with a notice.")
    folder = _prepare()
    try:
        report = build(_with_model(load_config(folder)), OUT, progress=_tell)
    except KuaibaoError as error:
        print(f"The demo could not be built: {error}", file=sys.stderr)
        return error.exit_code
    show(report)
    print(f"Done in {time.perf_counter() - started:.1f} s. Open:")
    for edition in report.editions:
        for name in ("html", "pdf", "epub"):
            if name in edition.files:
                print(f"  {edition.folder / edition.files[name]}")
    return 0


def _prepare() -> Path:
    """A working copy, so that the example's own folder stays as it is; the store is kept."""
    folder = WORK / "examples" / "bulletin"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (ROOT / "examples" / "bulletin").iterdir():
        target = folder / path.name
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target)
    shutil.copytree(ROOT / "docs", WORK / "docs", dirs_exist_ok=True)
    return folder


def _with_model(config: BulletinConfig) -> BulletinConfig:
    """With the small model that writes a tool's first line, where its weights lie in `models`."""
    if not (SYNOPSIS / "model.safetensors").is_file():
        return config
    writing = replace(config.settings.writing, synopsis=str(SYNOPSIS))
    return replace(config, settings=replace(config.settings, writing=writing))


def _tell(step: Step) -> None:
    if step.done == 0:
        print(f"- {STAGE_NAMES[step.stage]}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
