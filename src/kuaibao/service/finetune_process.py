"""The process of one fine-tuning job: reads an order, trains, writes `result.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from kuaibao.files import write_json

__all__ = ["main"]


def main(order_file: str) -> None:
    """Fine-tune as ordered; a second run of the same order goes on from its last checkpoint."""
    from kuaibao.gpt import finetune

    order: dict[str, Any] = json.loads(Path(order_file).read_text(encoding="utf-8"))
    folder = Path(order["folder"])
    report = finetune(
        model=order["model"],
        training_file=order["training_file"],
        validation_file=order["validation_file"] or None,
        folder=folder / "model",
        work_folder=folder / "run",
        **order["hyperparameters"],
    )
    write_json(folder / "result.json", report)


if __name__ == "__main__":
    main(sys.argv[1])
