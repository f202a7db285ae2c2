"""The report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from kuaibao.doctor import charts
from kuaibao.doctor.page_words import LANGUAGES, translator
from kuaibao.errors import InputError

__all__ = ["render_page"]

_RUNGS = (
    ("S0_device_batch", "S0 one device batch again"),
    ("S1_host_batch", "S1 one host batch again"),
    ("S2_stored_samples", "S2 stored samples, collated"),
    ("S3_bytes_in_memory", "S3 bytes from RAM"),
    ("S4_warm_files", "S4 warm files"),
    ("S5_evicted_files", "S5 evicted files"),
)
_MEANING = {
    "healthy": "Nothing in this loop is worth a cure.",
    "undecided": "The measurements spread too widely, or too little was seen, to name one cause.",
    "disk": "The loop waits for bytes from the disk.",
    "decode": "The loop waits for samples to be decoded.",
    "transform": "The loop waits for samples to be transformed in Python.",
    "collate": "The loop waits for samples to be put together into batches.",
    "transfer": "The loop waits for batches to come from the workers to its process.",
    "host_to_device": "Copies to the device take the time.",
    "forward": "The forward pass takes far longer than its work needs.",
    "loss": "The loss takes the time, not the model.",
    "backward": "The backward pass takes far longer than its work needs.",
    "optimizer": "The optimiser's step takes the time.",
    "synchronization": "The loop keeps asking for single values, or prints.",
    "python": "The loop's own Python takes the time.",
    "memory": "Memory holds the loop up: it grows, or is mapped anew for each batch.",
    "startup": "Starting takes the time: of workers, of each epoch, or of the script.",
}


def render_page(report: dict[str, Any], language: str = "en") -> str:
    """The page of a report (see `schema.json`).

    Args:
        report: As `doctor run --json` gives it.
        language: `en` or `zh`.

    Raises:
        InputError: There is no page in this language.
    """
    if language not in LANGUAGES:
        raise InputError(
            f"there is no report in the language {language!r}",
            hint=f"Known: {', '.join(LANGUAGES)}.",
        )
    t = translator(language)
    said = report.get("translations", {}).get(language, {})
    folder = Path(__file__).parent
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    template = environment.from_string((folder / "page.html.jinja").read_text(encoding="utf-8"))
    stalls = sorted(report["stalls"].items(), key=lambda item: -item[1]["mid"])
    return template.render(
        report=report,
        language={"en": "en", "zh": "zh-CN"}[language],
        t=t,
        say=lambda text: said.get(text, text),
        meaning=t(_MEANING[report["verdict"]]),
        stalls=[(name, share) for name, share in stalls if share["mid"] >= 0.002],
        colors=charts.COLORS,
        shares_bar=charts.shares_bar(report["stalls"], t),
        ladder=_ladder(report, t),
        rates_chart=_rates(report, t),
        steps_chart=charts.steps_chart(report["steps"], t),
        timeline=charts.timeline_chart(report["timeline"], t),
        memory_chart=charts.memory_chart(report["memory"].get("samples", []), t),
        advice_chart=charts.advice_chart(report["advice"], t),
        bytes=charts.megabytes,
        environment=[(k, _shown(v)) for k, v in report["environment"].items() if v != {}],
    )


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return value


def _ladder(report: dict[str, Any], t: Callable[[str], str]) -> str:
    colors = ("#30638e", "#00798c", "#f2cc8f", "#edae49", "#d1495b", "#8c564b")
    rows = [
        (t(name), report["ladder"].get(key) or 0.0, charts.milliseconds(report["ladder"][key]), c)
        for (key, name), c in zip(_RUNGS, colors, strict=True)
        if report["ladder"].get(key)
    ]
    return charts.bars(rows, t("the ladder of ablations, seconds a batch"))


def _rates(report: dict[str, Any], t: Callable[[str], str]) -> str:
    names = (
        ("samples_per_s", "as it runs", "#d1495b"),
        ("compute_samples_per_s", "if data cost nothing", "#00798c"),
        ("preparation_samples_per_s", "one process prepares", "#edae49"),
        ("cold_preparation_samples_per_s", "the same, files evicted", "#8c564b"),
    )
    rates = report["rates"]
    rows = [
        (t(name), float(rates[key]), f"{rates[key]:.4g} {t('samples/s')}", color)
        for key, name, color in names
        if rates.get(key)
    ]
    return charts.bars(rows, t("rates"))
