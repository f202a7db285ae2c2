"""From `DataParallel` in one process to `torchrun` with `DistributedDataParallel`, as an edit.

DataParallel copies the model to each device at each step, gathers all outputs on the first device
and computes the loss there. A process a device needs none of that.
"""

from __future__ import annotations

import ast

__all__ = ["distributed", "last_import_line"]

_HEAD = """import atexit
import contextlib
import gc
import io
import multiprocessing
import os
import sys

import torch.distributed
from torch.utils.data.distributed import DistributedSampler

if multiprocessing.parent_process() is None:  # not again in a worker that imports this file
    torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    atexit.register(torch.distributed.destroy_process_group)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def leave_process_group(status=None):
    # The model still holds its process group: taking the interpreter down as usual could abort in
    # one of the group's threads, and torchrun would report a failure.
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    if not status:
        torch.distributed.barrier()  # nobody leaves while another one still trains
    atexit._run_exitfuncs()
    for one in [sys.stdout, sys.stderr, *gc.get_objects()]:
        if issubclass(type(one), io.IOBase):  # files that are still open
            with contextlib.suppress(OSError, ValueError):
                one.flush()
    os._exit(status or 0)
"""

_TAIL = """
if __name__ == "__main__":
    leave_process_group()
"""
_LEAVE = "leave_process_group"


def distributed(source: str) -> str | None:
    """The script for `torchrun --nproc-per-node N`; None when it holds no `DataParallel(...)`.

    A loader's batch is divided by the number of processes, as DataParallel divides it by the number
    of devices, and shuffling goes through a `DistributedSampler`; call its `set_epoch` for another
    order in each epoch. `sys.exit(...)` at the end of the script, or of its `if __name__ ==
    "__main__":`, becomes a clean end too; one inside of a function leaves as it always did.

    Raises:
        SyntaxError: The source is no Python.
    """
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    wrapped = [call for call in calls if _name(call) == "DataParallel" and call.args]
    if not wrapped:
        return None
    text = _Text(source)
    edits: list[tuple[int, int, str]] = []
    for call in wrapped:
        model = text.of(call.args[0])
        new = f"torch.nn.parallel.DistributedDataParallel({model})"
        edits.append((*text.span(call), new))
    for call in calls:
        if _name(call) == "DataLoader":
            edits += _loader_edits(text, call)
    edits += _exit_edits(text, tree.body)
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new + source[end:]
    at = last_import_line(tree)
    lines = source.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:at], _HEAD, *lines[at:], _TAIL])


def last_import_line(tree: ast.Module) -> int:
    """The last line of the imports at the head of a script; 0 when it begins otherwise."""
    at = 0
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            at = node.end_lineno or node.lineno
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    return at


def _exit_edits(text: _Text, statements: list[ast.stmt]) -> list[tuple[int, int, str]]:
    """`sys.exit` and its like where the script itself, and no function of it, calls them."""
    edits: list[tuple[int, int, str]] = []
    for statement in statements:
        if isinstance(statement, ast.If):
            edits += _exit_edits(text, [*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            if text.of(call.func) in ("sys.exit", "exit", "quit"):
                edits.append((*text.span(call.func), _LEAVE))
        elif isinstance(statement, ast.Raise) and statement.exc and statement.cause is None:
            start, raised = text.span(statement)[0], statement.exc
            if isinstance(raised, ast.Call) and text.of(raised.func) == "SystemExit":
                edits.append((start, text.span(raised.func)[1], _LEAVE))
            elif text.of(raised) == "SystemExit":
                edits.append((start, text.span(raised)[1], f"{_LEAVE}()"))
    return edits


def _loader_edits(text: _Text, call: ast.Call) -> list[tuple[int, int, str]]:
    named = {k.arg: k.value for k in call.keywords}
    data = call.args[0] if call.args else named.get("dataset")
    size = named.get("batch_size") or (call.args[1] if len(call.args) > 1 else None)
    if data is None or "batch_sampler" in named:
        return []
    edits: list[tuple[int, int, str]] = []
    if size is not None:
        share = f"max(1, ({text.of(size)}) // torch.distributed.get_world_size())"
        edits.append((*text.span(size), share))
    if "sampler" in named:
        return edits
    shuffle = named.get("shuffle")
    sampler = f"sampler=DistributedSampler({text.of(data)}, shuffle="
    if shuffle is not None:
        keyword = next(k for k in call.keywords if k.arg == "shuffle")
        edits.append((*text.span(keyword), sampler + text.of(shuffle) + ")"))
    else:
        last = max([*call.args, *[k.value for k in call.keywords]], key=lambda n: text.span(n))
        end = text.span(last)[1]
        edits.append((end, end, f", {sampler}False)"))
        edits = _joined(edits)
    return edits


def _joined(edits: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """An insertion right behind a replacement becomes part of it."""
    *rest, (start, end, new) = edits
    for i, (a, b, text) in enumerate(rest):
        if b == start == end:
            rest[i] = (a, b, text + new)
            return rest
    return edits


def _name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


class _Text:
    """Offsets of nodes in a source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lines = source.splitlines(keepends=True)

    def span(self, node: ast.expr | ast.keyword | ast.stmt) -> tuple[int, int]:
        """Start and end of a node, in characters."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self._at(node.lineno, node.col_offset), self._at(end_line, end_column)

    def _at(self, line: int, column: int) -> int:
        before = sum(len(text) for text in self._lines[: line - 1])
        return before + len(self._lines[line - 1].encode()[:column].decode())

    def of(self, node: ast.expr) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.source[start:end]
