"""A bulletin with every kind of source that works without a network, and a process that builds it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

CONFIG = """
series = "Small Bulletin"
title = "June"
language = "en"
number = 6
day = 2020-06-30
database = "bulletin.db"
text_languages = ["en"]

[signatures]
compiled_by = "Kuaibao"

[reading]
period_days = 60
full_text = false

[[editions]]
language = "zh"
out = "zh"
series = "小快报"
text_languages = ["zh", "en"]

[[sources]]
id = "news"
kind = "feed"
path = "news.xml"

[[sources]]
id = "notes"
kind = "folder"
path = "notes"

[[sources]]
id = "papers"
kind = "folder"
path = "papers.bib"

[[sources]]
id = "calendar"
kind = "ical"
path = "meetings.ics"

[[sources]]
id = "installed"
kind = "packages"
include = ["numpy", "lark"]
section = "tools"
"""
NEWS = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Field notes</title><id>urn:field-notes</id>
<updated>2020-06-20T00:00:00Z</updated>
<entry><id>urn:one</id><title>A model draws pictures</title><link href="https://example.org/one"/>
<updated>2020-06-17T09:00:00Z</updated><summary>The model was shown pixels in a row. It learned to
complete pictures from their upper half. Nobody told it what a picture is. A probe on its middle
layers names what the picture shows.</summary></entry>
<entry xml:lang="zh"><id>urn:two</id><title>图书馆试用自动摘要</title>
<link href="https://example.org/two"/><updated>2020-06-18T09:00:00Z</updated>
<summary>一家图书馆试用自动摘要系统。系统从每篇文章中选出三句话。馆员逐句核对后再发布。</summary></entry>
</feed>
"""
NOTE = """---
title: How the reading room measures its light
date: 2020-06-05
url: https://example.org/light
---

The reading room faces north. Its light is measured every hour by a sensor on the wall.
On most days of June no lamp was needed before eight in the evening.
The librarians keep the figures in a table that anybody may read.
"""
PAPERS = """@article{sparse2020, title={Sparse layers for small machines}, author={Chen, Wen},
year={2020}, month=jun, doi={10.5555/sparse.2020}, journal={Journal of Examples},
abstract={Large models are costly to train. We propose a layer that skips most of its weights.
The layer is trained with an auxiliary loss. Experiments on three data sets compare it with
dense layers. It reaches the same accuracy with a third of the time.}}
"""
MEETINGS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:meeting@example.org
DTSTAMP:20200601T000000Z
DTSTART;VALUE=DATE:20201130
DTEND;VALUE=DATE:20201202
SUMMARY:Meeting on Digital Libraries
LOCATION:Kyoto
URL:https://example.org/meeting
END:VEVENT
END:VCALENDAR
"""
RUNNER = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.pipeline import build

folder, out, kill_stage, kill_done = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])

def die(step):
    if step.stage == kill_stage and step.done >= kill_done:
        os.kill(os.getpid(), signal.SIGKILL)

build(load_config(folder), out, now=datetime(2020, 6, 30, 12, tzinfo=UTC), progress=die)
"""


def make_bulletin(folder: Path, config: str = CONFIG) -> Path:
    (folder / "notes").mkdir(parents=True)
    for name, text in (
        ("bulletin.toml", config),
        ("news.xml", NEWS),
        ("notes/light.md", NOTE),
        ("papers.bib", PAPERS),
        ("meetings.ics", MEETINGS),
    ):
        (folder / name).write_text(text.replace("\n", "\r\n") if name.endswith("ics") else text)
    return folder


def build_apart(folder: Path, out: Path, *, kill_stage: str = "", kill_done: int = 0):
    """Build in a process of its own; it kills itself where it is told to."""
    run = subprocess.run(
        [sys.executable, "-c", RUNNER, str(folder), str(out), kill_stage, str(kill_done)],
        capture_output=True, text=True,
    )  # fmt: skip
    if kill_stage:
        assert run.returncode == -signal.SIGKILL, run.stderr
    else:
        assert run.returncode == 0, run.stderr
    return run


def issue_of(out: Path) -> dict:
    return json.loads((out / "issue.json").read_text())
