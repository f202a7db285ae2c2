"""A template: an instruction, labels, a pool of solved examples, and which of them are shown."""

from __future__ import annotations

import json
import math
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from kuaibao.errors import InputError, did_you_mean
from kuaibao.text import words

__all__ = ["Example", "Selection", "Template", "parse_template"]

How = Literal["first", "nearest", "fixed"]

MAX_EXAMPLES = 500
MAX_TEXT = 20_000
_FIELDS = (
    "instruction", "input_label", "output_label", "separator", "stop", "max_tokens", "examples",
    "selection", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A task solved by a person."""

    input: str
    output: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which examples of the pool stand before a question."""

    how: How = "first"
    """`first`: as they stand; `nearest`: those that share most words with the question; `fixed`:
    those of `places`."""
    n_example: int = 4
    places: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Template:
    """What makes a prompt of a question.

    The prompt is the instruction, the shown examples, and the question, each as
    `LABEL: text`; the best example stands last, next to the question.
    """

    instruction: str = ""
    input_label: str = "Input"
    output_label: str = "Output"
    separator: str = "\n\n"
    stop: str = "\n"
    """Ends an answer."""
    max_tokens: int = 64
    examples: tuple[Example, ...] = ()
    selection: Selection = field(default_factory=Selection)
    note: str = ""
    """What is to be known of this version."""

    def shown_for(self, text: str, *, without: int | None = None) -> list[Example]:
        """The examples before a question, the best last.

        Args:
            text: The question.
            without: Place of an example that may not be shown: the question itself, when a pool
                is evaluated on its own.
        """
        places = [i for i in range(len(self.examples)) if i != without]
        chosen = self.selection
        if chosen.how == "fixed":
            places = [i for i in chosen.places if i != without][: chosen.n_example]
        elif chosen.how == "nearest":
            ranked = _nearest(text, [self.examples[i].input for i in places])
            places = [places[i] for i in ranked[: chosen.n_example]][::-1]
        else:
            places = places[: chosen.n_example]
        return [self.examples[i] for i in places]

    def render(self, text: str, shown: Sequence[Example]) -> str:
        """The prompt."""
        head = [self.instruction.strip()] if self.instruction.strip() else []
        solved = [self._pair(e.input, " " + e.output.strip()) for e in shown]
        return self.separator.join([*head, *solved, self._pair(text, "")])

    def _pair(self, given: str, answer: str) -> str:
        return f"{self.input_label}: {given.strip()}\n{self.output_label}:{answer}"

    def to_json(self) -> str:
        """The form that `parse_template` reads."""
        return json.dumps(asdict(self), ensure_ascii=False)


def _nearest(text: str, others: Sequence[str]) -> list[int]:
    """Places by shared words, rare ones weighing more (cosine of tf-idf); ties keep their order."""
    bags = [Counter(words(other)) for other in others]
    n_with = Counter(word for bag in bags for word in bag)
    weight = {word: math.log(1 + len(bags) / n) for word, n in n_with.items()}
    asked = Counter(words(text))

    def closeness(bag: Counter[str]) -> float:
        shared = sum(asked[w] * n * weight[w] ** 2 for w, n in bag.items())
        return shared / (math.sqrt(sum((n * weight[w]) ** 2 for w, n in bag.items())) or 1.0)

    return sorted(range(len(bags)), key=lambda i: (-closeness(bags[i]), i))


def parse_template(text: str, *, is_toml: bool = False) -> Template:
    """Read a template from JSON or TOML.

    Raises:
        InputError: Not of that form; names the field.
    """
    try:
        value: Any = tomllib.loads(text) if is_toml else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the template is not {'TOML' if is_toml else 'JSON'}: {error}") from error
    if not isinstance(value, dict):
        raise InputError("a template is an object of fields")
    for name in value:
        if name not in _FIELDS:
            raise InputError(
                f"unknown field {name!r} in a template", hint=did_you_mean(str(name), _FIELDS)
            )
    texts = {
        n: _text(value, n)
        for n in ("instruction", "input_label", "output_label", "separator", "stop", "note")
        if n in value
    }
    examples = tuple(_example(one, i) for i, one in enumerate(_list(value, "examples")))
    max_tokens = _number(value, "max_tokens", 64, 1, 4096)
    selection = _selection(value.get("selection", {}), len(examples))
    return Template(**texts, max_tokens=max_tokens, examples=examples, selection=selection)


def _text(value: dict[str, Any], name: str) -> str:
    text = value[name]
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise InputError(f"{name}: a text of at most {MAX_TEXT} characters is wanted")
    return text


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > MAX_EXAMPLES:
        raise InputError(f"{name}: a list of at most {MAX_EXAMPLES} is wanted")
    return found


def _number(value: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    number = value.get(name, default)
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise InputError(f"{name}: a number from {low} to {high} is wanted, got {number!r}")
    return number


def _example(value: Any, place: int) -> Example:
    if not isinstance(value, dict) or not {"input", "output"} <= value.keys():
        raise InputError(f"example {place + 1} needs 'input' and 'output'")
    return Example(_text(value, "input"), _text(value, "output"))


def _selection(value: Any, n_example: int) -> Selection:
    if not isinstance(value, dict) or not value.keys() <= {"how", "n_example", "places"}:
        raise InputError("selection: 'how', 'n_example' and 'places' are known")
    how = value.get("how", "first")
    if how not in get_args(How):
        raise InputError(
            f"selection: unknown way {how!r}", hint=did_you_mean(str(how), get_args(How))
        )
    places = _list(value, "places")
    if any(not isinstance(i, int) or not 0 <= i < n_example for i in places):
        raise InputError(f"selection: places lie between 0 and {n_example - 1}")
    n = _number(value, "n_example", min(4, n_example), 0, MAX_EXAMPLES)
    return Selection(how=how, n_example=n, places=tuple(places))
