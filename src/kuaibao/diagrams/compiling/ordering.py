"""What is drawn over what: layering as a partial order, lifted through groups, made total.

Unconstrained shapes keep the order in which the program makes them. With a cycle the order is an
approximation: again and again the shape with the fewest that must lie below it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from kuaibao.diagrams.checking.findings import loop_text
from kuaibao.diagrams.errors import DiagramWarning
from kuaibao.diagrams.values import Shape, ShapeListV

__all__ = ["arrange"]


def arrange(
    shapes: Sequence[Shape], layering: Iterable[tuple[str, str]]
) -> tuple[list[Shape], list[Shape], list[DiagramWarning]]:
    """Shapes in draw order, and the roots among them with groups holding their sorted members.

    Args:
        shapes: All shapes in the order of the program; those of kind Group name their members.
        layering: Pairs (below, above) of names.

    Returns:
        All shapes from the lowest to the highest; the shapes in no group, likewise; warnings.
    """
    groups = _Groups(shapes)
    order = _Order([shape.name for shape in shapes])
    for below, above in layering:
        order.add(*groups.lifted(below, above))
    names, cycles = order.total()
    warnings = groups.warnings()
    if cycles:
        shown = "; ".join(loop_text(cycle, " -> ") for cycle in cycles[:3])
        warnings.append(
            DiagramWarning(
                "LayerCycleWarning",
                f"the layering has a cycle ({shown}); shapes are drawn in an approximate order",
            )
        )
    by_name = {shape.name: shape for shape in shapes}
    ranks = {name: rank for rank, name in enumerate(names)}
    for shape in shapes:
        if shape.kind == "Group":
            members = sorted(shape["shapes"], key=lambda one: ranks[one.name])
            shape.properties["shapes"] = ShapeListV(members)
    roots = [by_name[name] for name in names if not groups.parents.get(name)]
    return [by_name[name] for name in names], roots or list(shapes), warnings


class _Groups:
    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.parents: dict[str, list[str]] = {}
        for shape in shapes:
            if shape.kind != "Group":
                continue
            clip = shape["clipPath"].contents
            members: list[Shape] = [clip] if clip is not None else []
            members += [one for one in shape["shapes"] if one is not clip]
            for member in members:
                self.parents.setdefault(member.name, []).append(shape.name)

    def above(self, name: str) -> list[str]:
        """The groups around a shape, outermost first, and the shape itself."""
        path = [name]
        while self.parents.get(path[-1]):
            parent = self.parents[path[-1]][0]
            if parent in path:
                break
            path.append(parent)
        return path[::-1]

    def lifted(self, below: str, above: str) -> tuple[str, str]:
        """The same claim about the first groups (or shapes) in which the two differ."""
        first, second = self.above(below), self.above(above)
        for one, other in zip(first, second, strict=False):
            if one != other:
                return one, other
        return below, above

    def warnings(self) -> list[DiagramWarning]:
        """Shapes in several groups, and groups that hold themselves."""
        found = [
            DiagramWarning(
                "ShapeBelongsToMultipleGroups",
                f"{name} belongs to several groups: {', '.join(parents)}",
            )
            for name, parents in self.parents.items()
            if len(parents) > 1
        ]
        graph = {name: list(parents) for name, parents in self.parents.items()}
        cycle = _cycle(graph)
        if cycle:
            found.append(
                DiagramWarning(
                    "GroupCycleWarning", f"groups form a cycle: {loop_text(cycle, ' -> ')}"
                )
            )
        return found


class _Order:
    def __init__(self, names: Sequence[str]) -> None:
        self.above: dict[str, list[str]] = {name: [] for name in names}
        self.below: dict[str, list[str]] = {name: [] for name in names}

    def add(self, below: str, above: str) -> None:
        if below in self.above and above in self.above:
            self.above[below].append(above)
            self.below[above].append(below)

    def total(self) -> tuple[list[str], list[list[str]]]:
        """All names in order, and the cycles that stood in the way."""
        names = self._sorted()
        if len(names) == len(self.above):
            return names, []
        cycle = _cycle(self.above)
        return self._approximate(), [cycle]

    def _sorted(self) -> list[str]:
        """From the top down with a stack: without pairs this gives the order of the program."""
        waiting = {name: len(higher) for name, higher in self.above.items()}
        stack = [name for name, n in waiting.items() if n == 0]
        names: list[str] = []
        while stack:
            name = stack.pop()
            names.append(name)
            for lower in self.below[name]:
                waiting[lower] -= 1
                if waiting[lower] == 0:
                    stack.append(lower)
        return names[::-1]

    def _approximate(self) -> list[str]:
        rank = {name: index for index, name in enumerate(self.above)}
        n_below = {name: len(lower) for name, lower in self.below.items()}
        heap = [(n, rank[name], name) for name, n in n_below.items()]
        heapq.heapify(heap)
        names: list[str] = []
        done: set[str] = set()
        while heap:
            n, _, name = heapq.heappop(heap)
            if name in done or n != n_below[name]:
                continue
            done.add(name)
            names.append(name)
            for higher in self.above[name]:
                if higher not in done:
                    n_below[higher] -= 1
                    heapq.heappush(heap, (n_below[higher], rank[higher], higher))
        return names


def _cycle(graph: dict[str, list[str]]) -> list[str]:
    """The names of one cycle, the first repeated at the end; empty if there is none."""
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        on_path: dict[str, int] = {}
        stack = [(start, iter(graph.get(start, ())))]
        if start in done:
            continue
        path.append(start)
        on_path[start] = 0
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                path.pop()
                del on_path[name]
                done.add(name)
            elif following in on_path:
                return [*path[on_path[following] :], following]
            elif following not in done:
                on_path[following] = len(path)
                path.append(following)
                stack.append((following, iter(graph.get(following, ()))))
    return []
