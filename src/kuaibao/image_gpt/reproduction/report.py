"""The studies' figures as a page of tables and as plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kuaibao.files import atomic_path, write_json, write_text

__all__ = ["write_report"]

Rows = Sequence[dict[str, Any]]


def write_report(found: Rows, folder: Path, *, figures: str = "figures") -> Path:
    """Write `image-gpt-results.md`, `image-gpt-results.json` and plots; gives the page.

    Args:
        found: What `run_study` gave, one a set and seed; steps may be missing.
        folder: Where the page goes.
        figures: Sub-folder of the plots.
    """
    names = list(dict.fromkeys(row["study"] for row in found))
    parts = [_HEAD]
    for name in names:
        own = [row for row in found if row["study"] == name]
        parts.append(f"## {name}\n\n{_setting(own)}\n")
        parts += [table for table in (_probe_table(own), _low_table(own), _tuned_table(own),
                                      _snapshot_table(own)) if table]  # fmt: skip
        if any("probes" in row for row in own):
            _plot_depth(own, folder / figures / f"igpt-{name}-depth.png", name)
            parts.append(f"![Accuracy by layer]({figures}/igpt-{name}-depth.png)\n")
        if any("snapshots" in row for row in own):
            _plot_loss(own, folder / figures / f"igpt-{name}-loss.png", name)
            parts.append(f"![Probe over loss]({figures}/igpt-{name}-loss.png)\n")
    page = folder / "image-gpt-results.md"
    write_text(page, "\n".join(parts).rstrip() + "\n")
    write_json(folder / "image-gpt-results.json", list(found))
    return page


_HEAD = """# Image GPT: what was measured

Made by `kuaibao reproduce igpt`. Every accuracy is of the test part; layers, and when a supervised
network stops, are chosen on the validation part. One seed a column; what stands in brackets is a
95 % interval (Wilson's over test pictures, Student's over five draws of labels).
"""


def _setting(own: Rows) -> str:
    run = next((row["autoregressive"] for row in own if "autoregressive" in row), None)
    if run is None:
        return "Not begun."
    figures = run["figures"]
    minutes = run["seconds"] / 60
    return (
        f"{run['n_parameter'] / 1e6:.2f} million parameters, {run['n_pixel'] / 1e6:.1f} million "
        f"pixels seen in {minutes:.1f} minutes of a busy machine; held-out loss "
        f"{figures['loss']:.3f} nats a pixel, {figures['bits_per_dimension']:.3f} bits a dimension "
        f"(first seed)."
    )


def _show(value: dict[str, Any]) -> str:
    accuracy = value.get("test", value.get("accuracy"))
    low, high = value.get("interval") or (value["low"], value["high"])
    assert accuracy is not None
    return f"{100 * accuracy:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _table(title: str, own: Rows, lines: list[tuple[str, list[str]]]) -> str:
    kept = [(name, cells) for name, cells in lines if any(cells)]
    if not kept:
        return ""
    head = "| " + title + " | " + " | ".join(f"seed {row['seed']}" for row in own) + " |"
    rule = "|---|" + "---|" * len(own)
    body = [
        "| " + name + " | " + " | ".join(c or "—" for c in cells) + " |" for name, cells in kept
    ]
    return "\n".join([head, rule, *body]) + "\n"


def _probe_table(own: Rows) -> str:
    lines: list[tuple[str, list[str]]] = []
    for label, key in (
        ("raw pixels", "raw pixels"),
        ("PCA", "PCA"),
        ("small CNN, all labels", "CNN"),
    ):
        lines.append((label, [_show(r["baselines"][key]) if "baselines" in r else "" for r in own]))
    for pool in ("mean", "quadrants"):
        lines.append((f"random network, {pool} pool", [
            _best(r["baselines"]["random network"][pool]) if "baselines" in r else "" for r in own
        ]))  # fmt: skip
    for step, name in (("probes", "autoregressive"), ("bert-probes", "BERT")):
        for pool in ("mean", "quadrants", "mean, 5 masks"):
            lines.append((f"{name}, {pool}" + (" pool" if "," not in pool else ""), [
                _best(r[step][pool]) if step in r and pool in r[step] else "" for r in own
            ]))  # fmt: skip
    return _table("linear probe, all labels (%)", own, lines)


def _best(report: dict[str, Any]) -> str:
    return f"{_show(report)}, layer {report['best_layer']}"


def _low_table(own: Rows) -> str:
    counts = list(dict.fromkeys(n for row in own for n in row.get("low", {})))
    lines: list[tuple[str, list[str]]] = []
    for n in counts:
        low = [row.get("low", {}).get(n) for row in own]
        for pool in ("mean", "quadrants"):
            lines.append((f"{n}: features, {pool} pool",
                          [_show(x["features"][pool]) if x else "" for x in low]))  # fmt: skip
        lines.append((f"{n}: raw pixels", [_show(x["raw pixels"]) if x else "" for x in low]))
        lines.append((f"{n}: small CNN (one draw)", [_show(x["CNN"]) if x else "" for x in low]))
    return _table("few labels a class (%)", own, lines)


def _tuned_table(own: Rows) -> str:
    names = list(dict.fromkeys(n for row in own for n in row.get("tuned", {})))
    lines = [
        (name, [_show(row["tuned"][name]["test"]) if "tuned" in row else "" for row in own])
        for name in names
    ]
    return _table("fine-tuned on 25 labels a class (%)", own, lines)


def _snapshot_table(own: Rows) -> str:
    lines: list[tuple[str, list[str]]] = []
    steps = [s["step"] for row in own[:1] for s in row.get("snapshots", {}).get("rows", [])]
    for i, step in enumerate(steps):
        cells: list[str] = []
        for row in own:
            rows = row.get("snapshots", {}).get("rows", [])
            shown = f"{rows[i]['loss']:.3f} nats → {_show(rows[i])}" if i < len(rows) else ""
            cells.append(shown)
        lines.append((f"step {step}", cells))
    return _table("held-out loss → probe of the middle (%)", own, lines)


def _axes() -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    return figure.add_subplot(), FigureCanvasAgg(figure)


def _plot_depth(own: Rows, path: Path, name: str) -> None:
    axes, canvas = _axes()
    colors = {"autoregressive": "tab:blue", "BERT": "tab:orange", "random network": "tab:gray"}
    for row in own:
        lines = {"autoregressive": row.get("probes"), "BERT": row.get("bert-probes"),
                 "random network": row.get("baselines", {}).get("random network")}  # fmt: skip
        for kind, pools in lines.items():
            for pool, style in (("mean", "o-"), ("quadrants", "s:")):
                if pools:
                    layers = pools[pool]["layers"]
                    axes.plot([s["layer"] for s in layers],
                              [100 * s["test"] for s in layers], style,
                              color=colors[kind], alpha=0.8, markersize=4,
                              label=f"{kind}, {pool}" if row is own[0] else None)  # fmt: skip
    base = own[0].get("baselines")
    for kind, color in (("raw pixels", "black"), ("PCA", "tab:green"), ("CNN", "tab:red")):
        if base:
            value = base[kind].get("test", base[kind].get("accuracy"))
            axes.axhline(100 * value, color=color, linewidth=0.9, linestyle="--", label=kind)
    axes.set_xlabel("layer")
    axes.set_ylabel("linear probe, test accuracy (%)")
    axes.set_title(f"{name}: accuracy by layer")
    axes.figure.legend(fontsize=7, ncols=4, loc="outside lower center")
    with atomic_path(path) as part:
        canvas.print_png(part)


def _plot_loss(own: Rows, path: Path, name: str) -> None:
    axes, canvas = _axes()
    for row in own:
        rows = row.get("snapshots", {}).get("rows", [])
        axes.plot([r["loss"] for r in rows], [100 * r["accuracy"] for r in rows], "o-",
                  label=f"seed {row['seed']}")  # fmt: skip
    axes.invert_xaxis()
    axes.set_xlabel("held-out loss (nats a pixel), better to the right")
    axes.set_ylabel("linear probe, test accuracy (%)")
    axes.set_title(f"{name}: probe over generative loss")
    axes.legend()
    with atomic_path(path) as part:
        canvas.print_png(part)
