"""The process of one diagram: reads an order from standard input, draws, prints the answer as JSON.

A process of its own, because a program may be hostile: it can be stopped, and takes no time from
the models.
"""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["main"]

MAX_MEMORY = 2 * 1024**3
TIME_S = 20.0


def main() -> None:
    """Draw as ordered."""
    _limit_memory()
    order: dict[str, Any] = json.load(sys.stdin)
    json.dump(_answer(order), sys.stdout, ensure_ascii=False)


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    from kuaibao.diagrams import DiagramError, ProgramErrors, Settings, compile

    try:
        program = compile(order["substance"], order["style"], order["domain"])
        settings = Settings(time_limit_s=TIME_S)
        layout = program.layouts(order["candidates"], seed=order["seed"], settings=settings)[0]
        layout.check()
    except ProgramErrors as errors:
        return {"errors": [error.to_json() for error in errors.errors]}
    except DiagramError as error:
        return {"errors": [error.to_json()]}
    return {
        "svg": layout.svg(title=order["title"]),
        "description": program.description,
        "energy": layout.energy,
        "violation": layout.violation,
        "steps": layout.steps,
    }


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))


if __name__ == "__main__":
    main()
