"""A progress bar on standard error, for a terminal; silent where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["progress_bar", "progress_bars"]


@contextmanager
def progress_bar(task: str, *, total: int | None = None) -> Generator[Callable[[int], None]]:
    """Show how far a task is.

    Yields:
        A function to be told how many steps of `total` are done.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        number = bar.add_task(task, total=total)
        yield lambda done: bar.update(number, completed=done)


@contextmanager
def progress_bars() -> Generator[Callable[[str, int, int], None]]:
    """Show work whose name and length change as it goes on.

    Yields:
        A function to be told what is being done, how many steps of it are done, and of how many
        (0: unknown).
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        number = bar.add_task("Preparing", total=None)
        yield lambda what, done, total: bar.update(
            number, description=what, completed=done, total=total or None
        )
