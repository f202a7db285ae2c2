"""Charts of a report as inline SVG: shares, ladder, steps, timeline, memory, advice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

__all__ = ["COLORS", "advice_chart", "bars", "memory_chart", "shares_bar", "steps_chart",
           "timeline_chart"]  # fmt: skip

COLORS = {
    "disk": "#8c564b",
    "decode": "#d1495b",
    "transform": "#edae49",
    "collate": "#f2cc8f",
    "transfer": "#9c6ade",
    "memory": "#7b2d26",
    "wait": "#d1495b",
    "host_to_device": "#30638e",
    "forward": "#00798c",
    "loss": "#66a182",
    "between": "#66a182",
    "backward": "#2e86ab",
    "optimizer": "#8f9779",
    "synchronization": "#ff7f51",
    "python": "#6c757d",
    "startup": "#b56576",
}
_WIDTH = 860
_Words = Callable[[str], str]
"""A word in the page's language."""


def _svg(height: float, body: str, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(label)}" '
        f'preserveAspectRatio="xMinYMin meet">{body}</svg>'
    )


def _text(x: float, y: float, value: str, *, anchor: str = "start", kind: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} class="{kind}">{escape(value)}</text>'


def _rect(x: float, y: float, w: float, h: float, color: str, title: str) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.1f}" width="{max(w, 0.4):.2f}" height="{h:.1f}" rx="2" '
        f'fill="{color}"><title>{escape(title)}</title></rect>'
    )


def milliseconds(seconds: float) -> str:
    """A duration for reading."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def shares_bar(stalls: dict[str, dict[str, float]], t: _Words = str) -> str:
    """One stacked bar of where a step's time goes."""
    ordered = sorted(stalls.items(), key=lambda item: -item[1]["mid"])
    total = sum(share["mid"] for _, share in ordered) or 1.0
    x, body = 0.0, ""
    for name, share in ordered:
        width = _WIDTH * share["mid"] / total
        if width < 1:
            continue
        body += _rect(
            x, 0, width - 1, 34, COLORS.get(name, "#888"), f"{t(name)} {share['mid']:.1%}"
        )
        if width > _width_of(t(name)) + 12:
            body += _text(x + 8, 22, t(name), kind="inside")
        x += width
    return _svg(36, body, t("where a step's time goes"))


def _width_of(text: str) -> float:
    """Rough width of a label; Han characters are twice as wide."""
    return sum(15.0 if ord(letter) > 0x2E7F else 9.0 for letter in text)


def bars(rows: Sequence[tuple[str, float, str, str]], label: str) -> str:
    """Horizontal bars: name, value, text beside the bar, color."""
    rows = [row for row in rows if row[1] > 0]
    if not rows:
        return ""
    most = max(row[1] for row in rows)
    body = ""
    for i, (name, value, shown, color) in enumerate(rows):
        y = 26.0 * i
        width = max(1.5, 480 * value / most)
        body += _text(208, y + 16, name, anchor="end")
        body += _rect(218, y + 3, width, 18, color, f"{name}: {shown}")
        body += _text(226 + width, y + 17, shown, kind="soft")
    return _svg(26.0 * len(rows) + 2, body, label)


def steps_chart(steps: list[dict[str, Any]], t: _Words = str) -> str:
    """Each step's time in order, by kind: what the alternation saw."""
    if len(steps) < 2:
        return ""
    walls = sorted(step["wall"] for step in steps)
    top = walls[min(len(walls) - 1, int(len(walls) * 0.98))] * 1.15 or 1.0
    height, left = 190.0, 64.0
    body = _axis(left, height, top)
    colors = {"real": "#d1495b", "repeat": "#00798c", "treated": "#66a182", "threads": "#edae49",
              "device": "#30638e", "unchecked": "#9c6ade"}  # fmt: skip
    for i, step in enumerate(steps):
        x = left + 8 + (_WIDTH - left - 16) * i / max(1, len(steps) - 1)
        y = height - 20 - (height - 36) * min(1.0, step["wall"] / top)
        title = f"step {i}, {step['mode']}: {milliseconds(step['wall'])}"
        body += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colors.get(step["mode"], "#888")}" '
            f'fill-opacity="0.8"><title>{escape(title)}</title></circle>'
        )
    present = [mode for mode in colors if any(step["mode"] == mode for step in steps)]
    names = {"real": "real batch", "repeat": "batch repeated", "treated": "treated",
             "threads": "as many threads as cores", "device": "device batch repeated",
             "unchecked": "without anomaly detection"}  # fmt: skip
    return _svg(height, body, t("time of each step")) + legend(
        [(t(names[mode]), colors[mode]) for mode in present]
    )


def _axis(left: float, height: float, top: float) -> str:
    body = ""
    for part in (0.0, 0.5, 1.0):
        y = height - 20 - (height - 36) * part
        body += f'<line x1="{left}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        body += _text(left - 8, y + 4, milliseconds(top * part) if part else "0", anchor="end",
                      kind="soft")  # fmt: skip
    return body


def timeline_chart(segments: list[list[Any]], t: _Words = str) -> str:
    """The first steps as a strip of coloured stretches, in rows of equal length."""
    segments = [s for s in segments if s[2] > s[1]]
    if not segments:
        return ""
    spans = sorted(s[2] - s[1] for s in segments)
    end = segments[-1][2]
    length = min(end, max(spans[-1] * 1.5, end / 5, 1e-4))
    rows = min(5, math.ceil(end / length))
    left, body = 64.0, ""
    scale = (_WIDTH - left) / length
    for row in range(rows):
        y, first, last = 32.0 * row, row * length, (row + 1) * length
        body += _text(left - 8, y + 18, milliseconds(first) if first else "0", anchor="end",
                      kind="soft")  # fmt: skip
        body += f'<rect x="{left}" y="{y + 2}" width="{_WIDTH - left}" height="24" class="lane"/>'
        for region, start, stop in segments:
            a, b = max(start, first), min(stop, last)
            if b > a:
                name = "loss or python" if region == "between" else region
                title = f"{t(name)}: {milliseconds(stop - start)}"
                body += _rect(left + (a - first) * scale, y + 2, (b - a) * scale, 24,
                              COLORS.get(region, "#888"), title)  # fmt: skip
    seen = list(dict.fromkeys(s[0] for s in segments))
    names = [(t("loss or python" if n == "between" else n), COLORS.get(n, "#888")) for n in seen]
    return _svg(32.0 * rows + 2, body, t("timeline of the first steps")) + legend(names)


def legend(names: list[tuple[str, str]]) -> str:
    """Names with their colors."""
    items = "".join(
        f'<span><i style="background:{color}"></i>{escape(name)}</span>' for name, color in names
    )
    return f'<p class="legend">{items}</p>'


def memory_chart(samples: list[dict[str, float]], t: _Words = str) -> str:
    """Memory of the loop's process and of its workers over time."""
    if len(samples) < 3:
        return ""
    height, left = 170.0, 84.0
    top = max(max(s["main_bytes"], s["worker_bytes"]) for s in samples) * 1.1 or 1.0
    last = samples[-1]["seconds"] or 1.0
    body = ""
    for part in (0.0, 0.5, 1.0):
        y = height - 20 - (height - 36) * part
        body += f'<line x1="{left}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        body += _text(left - 8, y + 4, megabytes(top * part), anchor="end", kind="soft")
    colors = {"main_bytes": "#00798c", "worker_bytes": "#9c6ade"}
    for key, color in colors.items():
        points = " ".join(
            f"{left + (_WIDTH - left - 8) * s['seconds'] / last:.1f},"
            f"{height - 20 - (height - 36) * s[key] / top:.1f}"
            for s in samples
        )
        body += f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
    body += _text(_WIDTH, height - 4, f"{last:.3g} s", anchor="end", kind="soft")
    return _svg(height, body, t("memory over time")) + legend(
        [
            (t("the loop's process"), colors["main_bytes"]),
            (t("its workers"), colors["worker_bytes"]),
        ]
    )


def megabytes(size: float) -> str:
    """Bytes for reading, in powers of ten."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size:.0f} B"


def advice_chart(advice: list[dict[str, Any]], t: _Words = str) -> str:
    """Predicted and achieved speed-ups with their ranges, on a logarithmic axis from 1x."""
    shown = [one for one in advice if one["predicted_speedup"]["mid"] > 1]
    if not shown:
        return ""
    ends = [one[key]["high"] for one in shown for key in ("predicted_speedup", "achieved_speedup")
            if one[key]]  # fmt: skip
    most = max(2.0, *ends) * 1.05
    left, right = 218.0, _WIDTH - 90.0

    def x_of(value: float) -> float:
        share = math.log(max(value, 0.8) / 0.8) / math.log(most / 0.8)
        return left + (right - left) * min(1.0, share)

    marks = [m for m in (1, 2, 5, 10, 20, 50, 100, 200, 500) if m <= most]
    height = 40.0 * len(shown) + 24
    body = "".join(
        f'<line x1="{x_of(m):.1f}" x2="{x_of(m):.1f}" y1="0" y2="{height - 20}" class="grid"/>'
        + _text(x_of(m), height - 4, f"{m}×", anchor="middle", kind="soft")
        for m in marks
    )
    for i, one in enumerate(shown):
        y = 40.0 * i
        body += _text(left - 12, y + 22, one["cure"], anchor="end")
        body += _range(x_of, y + 12, one["predicted_speedup"], "#30638e", t("predicted"))
        if one["achieved_speedup"]:
            body += _range(x_of, y + 26, one["achieved_speedup"], "#66a182", t("achieved"))
    names = [(t("predicted"), "#30638e")]
    if any(one["achieved_speedup"] for one in shown):
        names.append((t("achieved"), "#66a182"))
    return _svg(height, body, t("predicted and achieved speed-ups")) + legend(names)


def _range(x_of: Any, y: float, value: dict[str, float], color: str, name: str) -> str:
    low, mid, high = (x_of(value[key]) for key in ("low", "mid", "high"))
    text = f"{value['mid']:.3g}×"
    title = f"{name} {value['mid']:.2f}x ({value['low']:.2f} to {value['high']:.2f})"
    return (
        f'<g><line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{color}" '
        f'stroke-width="4" stroke-opacity="0.4" stroke-linecap="round"/>'
        f'<circle cx="{mid:.1f}" cy="{y}" r="5" fill="{color}"/>'
        + _text(high + 10, y + 4, text, kind="soft")
        + f"<title>{escape(title)}</title></g>"
    )
