"""What a path means in one match of a block: a field, an object, a collection or a namespace.

The first part decides: a header variable, a namespace that was declared earlier in the file, else
a local of the match (or a field of the namespace whose block it is).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kuaibao.diagrams.checking.matching import Collection
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.source import Span

__all__ = [
    "CollectionTarget",
    "CompileProblem",
    "FieldTarget",
    "Frame",
    "NamespaceTarget",
    "ObjectTarget",
    "Target",
    "locate",
    "paths_in",
]


class CompileProblem(Exception):
    """Something in a statement is wrong; `Findings` makes an error with a place of it.

    An empty tag says that the cause has been named elsewhere already.
    """

    def __init__(
        self, tag: str, message: str = "", span: Span = Span(-1, -1), *, word: str = "",
        known: tuple[str, ...] = (), hint: str = "",
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.tag, self.message, self.span = tag, message, span
        self.word, self.known, self.hint = word, known, hint


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a statement runs: one match of one block."""

    scope: str
    """Prefix of its locals: `block:match`, or the name of the namespace."""
    objects: dict[str, str]
    """Header variables (aliases too) and the unique names of their objects."""
    collection: Collection | None
    namespaces: frozenset[str]
    """The namespaces declared up to here."""


class FieldTarget(NamedTuple):
    """`scope.field` or, of a shape, `scope.field.property`; the property is the part."""

    scope: str
    field: str
    part: str

    @property
    def key(self) -> str:
        """The name under which its value is kept."""
        if self.part:
            return f"{self.scope}.{self.field}.{self.part}"
        return f"{self.scope}.{self.field}"


class ObjectTarget(NamedTuple):
    """A Substance object by its unique name."""

    name: str


class CollectionTarget(NamedTuple):
    """What a collector gathered."""

    collection: Collection


class NamespaceTarget(NamedTuple):
    """A namespace itself."""

    name: str


Target = FieldTarget | ObjectTarget | CollectionTarget | NamespaceTarget


def locate(path: tree.Path, frame: Frame) -> Target:
    """What a path (without its indices) means.

    Raises:
        CompileProblem: `UndeclaredSubVarError`, `CollectionMemberAccessError`,
            `NonWellFormedPathError`.
    """
    root, members = path.root, path.members
    key = root.key
    found = frame.objects.get(key)
    if found is not None:
        if not members:
            return ObjectTarget(found)
        scope = f"`{found}`"
    elif frame.collection is not None and frame.collection.name == key:
        for member in members[:1]:
            raise CompileProblem(
                "CollectionMemberAccessError",
                f"{key} is a collection and has no fields of its own",
                path.span,
                hint=f"Write 'listof {member.text} from {key}'.",
            )
        return CollectionTarget(frame.collection)
    elif root.is_substance:
        raise CompileProblem(
            "UndeclaredSubVarError",
            f"{key} is not declared in the header of this block",
            root.span,
            hint=f"Add it to the header, as in 'with Type {key}'.",
        )
    elif root.text in frame.namespaces:
        if not members:
            return NamespaceTarget(root.text)
        scope = root.text
    else:
        if len(members) > 1:
            raise _too_long(path)
        return FieldTarget(frame.scope, root.text, members[0].text if members else "")
    field, *rest = members
    if len(rest) > 1:
        raise _too_long(path)
    return FieldTarget(scope, field.text, rest[0].text if rest else "")


def _too_long(path: tree.Path) -> CompileProblem:
    return CompileProblem(
        "NonWellFormedPathError",
        "a path names a field and at most one property of it",
        path.span,
        hint="Only shapes have properties, and properties have no parts with names.",
    )


def paths_in(value: tree.Value) -> Iterator[tree.Path | tree.ListOf]:
    """All paths and collections that an expression reads, indices included."""
    stack: list[tree.Value] = [value]
    while stack:
        one = stack.pop()
        match one:
            case tree.Path():
                yield one
                stack.extend(one.indices)
            case tree.ListOf():
                yield one
            case tree.NumberOf(path, _) | tree.NameOf(path, _):
                yield path
            case tree.Binary(_, left, right, _):
                stack += (right, left)
            case tree.Negative(operand, _) | tree.Transpose(operand, _):
                stack.append(operand)
            case tree.Call(_, arguments, _) | tree.Term(_, _, arguments, _, _):
                stack.extend(reversed(arguments))
            case (
                tree.ListLiteral(items, _)
                | tree.VectorLiteral(items, _)
                | tree.TupleLiteral(items, _)
            ):
                stack.extend(reversed(items))
            case tree.ShapeLiteral(_, properties, _):
                stack.extend(one.value for one in reversed(properties))
            case tree.Layering(left, _, right, _):
                stack += (*reversed(right), left)
            case _:
                pass
