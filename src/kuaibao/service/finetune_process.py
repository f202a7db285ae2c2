"""The process of one fine-tuning job: reads an order, trains, writes `result.json`."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from kuaibao.files import write_json

__all__ = ["end_with_parent", "main"]


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


def end_with_parent() -> None:
    """End this process when the service goes, however it goes: its pipe to us then closes.

    Otherwise a killed service would leave a trainer behind, and the next start a second one.
    """

    def watch() -> None:
        # By the file's number: a thread that waits in `sys.stdin` breaks the interpreter's own end.
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    main(sys.argv[1])
