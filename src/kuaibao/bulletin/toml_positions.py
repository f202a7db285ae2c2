"""Where in a TOML file each key and value stands, so that an error can point at it.

The standard parser gives values without places. This scanner runs only over text that the parser
has accepted, and therefore needs no error handling of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kuaibao.errors import Place

__all__ = ["Positions", "Span", "TomlPath"]

TomlPath = tuple[str | int, ...]
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_ESCAPED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class Span:
    """Offsets in the text: of the key (or table header) and of the value."""

    key: tuple[int, int]
    value: tuple[int, int]


class Positions:
    """The places of everything in a valid TOML text, by path.

    Args:
        text: What `tomllib` has read without complaint.
        file: The name that places are given.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.spans: dict[TomlPath, Span] = {}
        self._arrays: dict[TomlPath, int] = {}
        self._at = 0
        self._scan()

    def place(self, path: TomlPath, *, at_key: bool = False) -> Place:
        """The place of the value at `path`, or of the nearest thing around it."""
        wanted = path
        while wanted and wanted not in self.spans:
            wanted = wanted[:-1]
        if wanted not in self.spans:
            return Place(file=self.file)
        span = self.spans[wanted]
        start, end = span.key if at_key or wanted != path else span.value
        return self.place_at(start, end)

    def place_at(self, start: int, end: int) -> Place:
        """The place of a stretch of the text; only its first line is underlined."""
        begin = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", start)
        line = self.text[begin : stop if stop >= 0 else len(self.text)].rstrip("\r")
        return Place(
            file=self.file,
            line=self.text.count("\n", 0, start) + 1,
            column=start - begin + 1,
            source_line=line,
            length=max(1, min(end, begin + len(line)) - start),
        )

    def _scan(self) -> None:
        table: TomlPath = ()
        while True:
            self._blank()
            if self._at >= len(self.text):
                return
            if self.text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> TomlPath:
        start = self._at
        is_array = self.text.startswith("[[", start)
        self._at += 2 if is_array else 1
        keys = self._keys()
        self._blank()
        self._at += 2 if is_array else 1
        path: TomlPath = ()
        for i, key in enumerate(keys):
            path = (*path, key)
            if is_array and i == len(keys) - 1:
                self._arrays[path] = self._arrays.get(path, -1) + 1
                self._forget_below((*path, self._arrays[path]))
            if path in self._arrays:
                path = (*path, self._arrays[path])
        self.spans[path] = Span((start, self._at), (start, self._at))
        return path

    def _forget_below(self, path: TomlPath) -> None:
        for known in [k for k in self._arrays if k[: len(path)] == path]:
            del self._arrays[known]

    def _pair(self, table: TomlPath) -> None:
        start = self._at
        path: TomlPath = (*table, *self._keys())
        key = (start, self._at)
        self._blank()
        self._at += 1  # the equals sign
        self._blank()
        begin = self._at
        self._value(path)
        self.spans[path] = Span(key, (begin, self._at))
        for n in range(len(table) + 1, len(path)):
            self.spans.setdefault(path[:n], Span(key, key))

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._blank()
            keys.append(self._key())
            end = self._at
            self._blank()
            if not self.text.startswith(".", self._at):
                self._at = end
                return keys
            self._at += 1

    def _key(self) -> str:
        for pattern, quoted in ((_BARE, False), (_ESCAPED, True), (_LITERAL, True)):
            if match := pattern.match(self.text, self._at):
                self._at = match.end()
                return match.group()[1:-1] if quoted else match.group()
        raise AssertionError("not a TOML key")

    def _value(self, path: TomlPath) -> None:
        text, at = self.text, self._at
        if text.startswith(('"""', "'''"), at):
            self._long_string(text[at])
        elif text[at] in "\"'":
            match = (_ESCAPED if text[at] == '"' else _LITERAL).match(text, at)
            assert match
            self._at = match.end()
        elif text[at] == "[":
            self._array(path)
        elif text[at] == "{":
            self._inline_table(path)
        else:
            match = _SCALAR.match(text, at)
            assert match
            self._at = at + len(match.group().rstrip())

    def _long_string(self, quote: str) -> None:
        self._at += 3
        while not self.text.startswith(quote * 3, self._at):
            self._at += 2 if quote == '"' and self.text[self._at] == "\\" else 1
        self._at += 3
        while self.text.startswith(quote, self._at):  # up to two quotes may stand before the end
            self._at += 1

    def _array(self, path: TomlPath) -> None:
        self._at += 1
        index = 0
        while True:
            self._blank()
            if self.text[self._at] == "]":
                self._at += 1
                return
            if self.text[self._at] == ",":
                self._at += 1
                continue
            begin = self._at
            self._value((*path, index))
            self.spans[(*path, index)] = Span((begin, self._at), (begin, self._at))
            index += 1

    def _inline_table(self, path: TomlPath) -> None:
        self._at += 1
        while True:
            self._blank()
            if self.text[self._at] == "}":
                self._at += 1
                return
            if self.text[self._at] == ",":
                self._at += 1
                continue
            self._pair(path)

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self._at)
        assert match
        self._at = match.end()
