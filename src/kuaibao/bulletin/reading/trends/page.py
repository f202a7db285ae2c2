"""Trends as one HTML page with plots: own SVG, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from kuaibao.bulletin.reading.trends.clusters import Cluster
from kuaibao.bulletin.reading.trends.trends import PhraseTrend, Trends

__all__ = ["trends_page"]

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "tag": "en", "comma": ", ", "title": "Trends", "by_month": "Items by month",
        "rising": "Rising", "falling": "Falling", "phrases": "Key phrases",
        "together": "What goes together", "map": "Map of", "phrase": "Phrase", "n": "Items",
        "months": "By month", "and": "and", "none": "Nothing stands out.",
        "empty": "The archive has no dated items yet.", "strength": "Strength",
        "said": "{n} items, {first} to {last}",
    },
    "zh": {
        "tag": "zh-CN", "comma": "、", "title": "趋势", "by_month": "每月条目数",
        "rising": "上升", "falling": "下降", "phrases": "关键短语",
        "together": "共同出现", "map": "聚类图", "phrase": "短语", "n": "条目",
        "months": "逐月", "and": "与", "none": "没有明显变化。",
        "empty": "档案中还没有带日期的条目。", "strength": "强度",
        "said": "共 {n} 条，{first} 至 {last}",
    },
}  # fmt: skip
_COLOURS = ("#1f6feb", "#c2410c", "#15803d", "#7c3aed", "#b91c1c", "#0e7490", "#a16207", "#be185d",
            "#4d7c0f", "#4338ca", "#9a3412", "#0f766e")  # fmt: skip
_BARS = (880.0, 180.0)
_SPARK = (110.0, 22.0)
_MAP = (880.0, 640.0)


def trends_page(trends: Trends, *, language: str = "en", series: str = "") -> str:
    """The page, in English or Chinese.

    Args:
        trends: What was found.
        language: `en` or `zh`.
        series: Name of the bulletin, for the heading.
    """
    words = _WORDS["zh" if language.startswith("zh") else "en"]
    months = trends.months
    said = words["said"].format(
        n=sum(trends.n_item), first=months[0] if months else "", last=months[-1] if months else ""
    )
    return _template().render(
        w=words,
        heading=f"{series} · {words['title']}" if series else words["title"],
        said=said,
        months=_months(trends),
        rising=_rows(trends.rising),
        falling=_rows(trends.falling),
        phrases=_rows(trends.phrases),
        together=[
            {"a": t.a.lstrip("@"), "b": t.b.lstrip("@"), "n_item": t.n_item,
             "npmi": f"{t.npmi:.2f}"} for t in trends.together
        ],
        clusters=[_cluster(c, n) for n, c in enumerate(trends.clusters)],
    )  # fmt: skip


@cache
def _template() -> Any:
    from jinja2 import Environment

    source = files("kuaibao.bulletin.reading.trends").joinpath("page.html.jinja")
    return Environment(autoescape=True).from_string(source.read_text(encoding="utf-8"))


def _months(trends: Trends) -> list[dict[str, Any]]:
    width, height = _BARS
    most = max(trends.n_item, default=0) or 1
    step = width / max(1, len(trends.months))
    found: list[dict[str, Any]] = []
    for i, (month, n) in enumerate(zip(trends.months, trends.n_item, strict=True)):
        tall = round((height - 22) * n / most, 1)
        found.append(
            {
                "month": month, "n": n, "x": round((i + 0.15) * step, 1), "y": height - tall,
                "width": round(0.7 * step, 1), "height": tall, "middle": round((i + 0.5) * step, 1),
            }
        )  # fmt: skip
    return found


def _rows(rows: Sequence[PhraseTrend]) -> list[dict[str, Any]]:
    return [
        {"phrase": t.phrase, "n_item": t.n_item, "counts": t.counts, "bars": _spark(t.counts)}
        for t in rows
    ]


def _spark(counts: Sequence[int]) -> list[dict[str, float]]:
    width, height = _SPARK
    most, step = max(counts, default=0) or 1, width / max(1, len(counts))
    return [
        {
            "x": round(i * step, 1), "y": round(height - height * n / most, 1),
            "width": round(max(1.0, step - 1), 1), "height": round(height * n / most, 1),
        }
        for i, n in enumerate(counts)
    ]  # fmt: skip


def _cluster(cluster: Cluster, number: int) -> dict[str, Any]:
    width, height = _MAP
    x = sum(d.x for d in cluster.dots) / len(cluster.dots) * width
    below = max(d.y for d in cluster.dots) * height + 22
    return {
        "colour": _COLOURS[number % len(_COLOURS)],
        "terms": cluster.terms[:3],
        "x": round(min(max(x, 140.0), width - 140.0)),
        "y": round(min(below, height - 6)),
        "dots": [
            {
                "x": round(d.x * width),
                "y": round(d.y * height),
                "title": d.title,
                "url": d.url if d.url.startswith(("http://", "https://")) else "",
            }
            for d in cluster.dots
        ],
    }
