"""Full-text search that finds Chinese words of one and two characters as exactly as English.

Each Han character becomes a word of its own and a run of them in a query becomes a phrase, so no
dictionary decides what can be found. Traditional characters are folded to simplified ones, width
and case to one form; English words are stemmed (Porter). SQLite keeps the index in FTS5,
PostgreSQL in a `tsvector` with a GIN index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from kuaibao.database.errors import SearchSyntaxError

__all__ = ["FullTextIndex", "Hit", "Term", "fold", "parse_query", "space_out"]

HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_HAN_CHARACTER = re.compile(f"([{HAN}])")
_WORD = re.compile(f"[{HAN}]|[^\\W_{HAN}]+", re.UNICODE)
_TOKEN = re.compile(r'(-)?(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
MAX_TERMS = 32
MAX_QUERY = 1000
_FACTS = "facts"
# Of the category Co, which FTS5 takes for letters and no query can hold: a fact is never a word.
_FACT_MARK, _HEX_MARK = "\ue000", "\ue001"


@dataclass(frozen=True)
class Term:
    """One thing to be found: words that stand together, in one column or in any."""

    words: tuple[str, ...]
    column: str = ""
    is_prefix: bool = False
    """The last word is only the beginning of one."""
    is_excluded: bool = False
    is_alternative: bool = False
    """Joined to the term before by OR."""


@dataclass(frozen=True)
class Hit:
    """A row found; the larger the score, the better."""

    key: int
    score: float


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def fold(string: str) -> str:
    """One form for all spellings of a text: NFKC, lower case, simplified characters."""
    normal = unicodedata.normalize("NFKC", string).lower()
    return _converter().convert(normal) if _HAN_CHARACTER.search(normal) else normal


def space_out(string: str) -> str:
    """The folded text with blanks round every Han character: what is indexed."""
    return _HAN_CHARACTER.sub(r" \1 ", fold(string))


def parse_query(query: str, columns: Sequence[str] = ()) -> list[Term]:
    """Read what a person typed.

    `word`, `"a phrase"`, `-not`, `begin*`, `title:word`, `a OR b`; words stand for all of them.
    Everything else is text: no query is an error but an empty or endless one.

    Raises:
        SearchSyntaxError: Nothing to look for, or too much.
    """
    if len(query) > MAX_QUERY:
        raise SearchSyntaxError(f"the query has {len(query)} characters; {MAX_QUERY} are allowed")
    terms: list[Term] = []
    alternative = False
    for minus, column, phrase, word in _TOKEN.findall(query):
        if word == "OR" and not minus and not column:
            alternative = bool(terms)
            continue
        string = phrase or word
        if column and column not in columns:
            string, column = f"{column}:{string}", ""
        words = tuple(_WORD.findall(fold(string)))
        if not words:
            continue
        is_prefix = not phrase and word.endswith("*") and not _HAN_CHARACTER.match(words[-1])
        terms.append(Term(words, column, is_prefix, bool(minus), alternative and not minus))
        alternative = False
    if not any(not t.is_excluded for t in terms):
        raise SearchSyntaxError(
            "the query holds nothing to look for", hint="Give at least one word or character."
        )
    if len(terms) > MAX_TERMS or sum(len(t.words) for t in terms) > 4 * MAX_TERMS:
        raise SearchSyntaxError(f"the query has more than {MAX_TERMS} terms")
    return terms


class FullTextIndex:
    """A searchable table of texts by number.

    Args:
        name: The table's name, a plain identifier.
        columns: The texts' names with their weights in the ranking.
        has_facts: Rows also carry facts: exact values that restrict a search and rank nothing.
    """

    def __init__(self, name: str, columns: Mapping[str, float], *, has_facts: bool = False) -> None:
        assert all(re.fullmatch(r"[a-z_]+", n) for n in (name, *columns))
        assert _FACTS not in columns
        self.name = name
        self.columns = dict(columns)
        self.has_facts = has_facts

    def create(self, connection: Connection) -> None:
        """Make the table; one step of a room's migrations."""
        if _is_sqlite(connection):
            names = ", ".join([*self.columns, *[_FACTS] * self.has_facts])
            connection.exec_driver_sql(
                f"create virtual table {self.name} using fts5({names}, "
                "tokenize = 'porter unicode61 remove_diacritics 2')"
            )
            return
        columns = ", ".join(f"{c} tsvector not null" for c in self.columns)
        columns += f", {_FACTS} text[] not null" if self.has_facts else ""
        connection.exec_driver_sql(
            f"create table {self.name} (key bigint primary key, {columns}, "
            "everything tsvector not null)"
        )
        for column in (*self.columns, "everything", *[_FACTS] * self.has_facts):
            connection.exec_driver_sql(
                f"create index {self.name}_{column} on {self.name} using gin ({column})"
            )

    def drop(self, connection: Connection) -> None:
        """Take the table away; one step of a room's migrations."""
        connection.exec_driver_sql(f"drop table if exists {self.name}")

    def put(
        self,
        connection: Connection,
        rows: Sequence[tuple[int, Mapping[str, str]]],
        facts: Mapping[int, Collection[str]] | None = None,
    ) -> None:
        """Index texts under their numbers, in the place of what was there.

        Args:
            connection: Where.
            rows: Numbers with the text of each column.
            facts: What is true of each number, if the index has facts.
        """
        if not rows:
            return
        is_sqlite = _is_sqlite(connection)
        values: list[dict[str, Any]] = []
        for key, texts in rows:
            value: dict[str, Any] = {"key": key}
            value |= {c: space_out(texts.get(c, "")) for c in self.columns}
            if self.has_facts:
                true = list((facts or {}).get(key, ()))
                value[_FACTS] = " ".join(map(_fact_token, true)) if is_sqlite else true
            values.append(value)
        self.remove(connection, [key for key, _ in rows])
        slots = {c: f":{c}" for c in (*self.columns, *[_FACTS] * self.has_facts)}
        if is_sqlite:
            slots = {"rowid": ":key", **slots}
        else:
            vectors = {c: f"to_tsvector('english', left(:{c}, 250000))" for c in self.columns}
            letters = "ABCD"
            order = sorted(self.columns, key=lambda c: -self.columns[c])
            everything = " || ".join(
                f"setweight({vectors[c]}, '{letters[min(i, 3)]}')" for i, c in enumerate(order)
            )
            slots = {"key": ":key", **slots, **vectors, "everything": everything}
        statement = (
            f"insert into {self.name} ({', '.join(slots)}) values ({', '.join(slots.values())})"
        )
        connection.execute(text(statement), values)

    def remove(self, connection: Connection, keys: Sequence[int]) -> None:
        """Forget texts; numbers that are not there are no error."""
        column = "rowid" if _is_sqlite(connection) else "key"
        statement = text(f"delete from {self.name} where {column} = :key")
        if keys:
            connection.execute(statement, [{"key": key} for key in keys])

    def search(
        self, connection: Connection, query: str, *, limit: int = 20, offset: int = 0
    ) -> list[Hit]:
        """The best rows for a person's query.

        Raises:
            SearchSyntaxError: Nothing to look for, or too much.
        """
        statement, values = self.select(connection, query)
        rows = connection.execute(
            text(f"{statement} order by score desc, key limit :limit offset :offset"),
            {**values, "limit": limit, "offset": offset},
        )
        return [Hit(int(row.key), float(row.score)) for row in rows]

    def select(
        self, connection: Connection, query: str, facts: Sequence[Collection[str]] = ()
    ) -> tuple[str, dict[str, Any]]:
        """A `select` of `key` and `score` with its values, to be joined to other tables.

        Args:
            connection: Where.
            query: What a person typed.
            facts: Of each of these, one must be true of a row.
        """
        terms = parse_query(query, tuple(self.columns))
        if _is_sqlite(connection):
            weights = ", ".join(str(float(w)) for w in self.columns.values())
            weights += ", 0.0" if self.has_facts else ""
            return (
                f"select rowid as key, -bm25({self.name}, {weights}) as score "
                f"from {self.name} where {self.name} match :fts_query",
                {"fts_query": " AND ".join([f"({_fts5(terms)})", *map(_fts5_fact, facts)])},
            )
        condition, values = _tsquery_condition(terms)
        together = " && ".join(f"phraseto_tsquery('english', :{name})" for name in values)
        for number, alternatives in enumerate(facts):
            condition += f" and {_FACTS} && cast(:fact_{number} as text[])"
            values[f"fact_{number}"] = list(alternatives)
        return (
            f"select key, ts_rank(everything, {together}) as score from {self.name} "
            f"where {condition}",
            values,
        )


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _fact_token(fact: str) -> str:
    """One word of the index, neither parted nor stemmed (its end is no letter of English)."""
    if fact.isascii() and fact.isalnum() and fact.islower():
        return f"{_FACT_MARK}{fact}{_FACT_MARK}"
    return f"{_HEX_MARK}{fact.encode().hex()}{_FACT_MARK}"


def _fts5_fact(alternatives: Collection[str]) -> str:
    tokens = " OR ".join(f'"{_fact_token(fact)}"' for fact in alternatives)
    return f"({_FACTS} : ({tokens}))" if tokens else f'({_FACTS} : "{_FACT_MARK}")'


def _fts5(terms: Sequence[Term]) -> str:
    """An FTS5 expression of quoted phrases only: nothing a person types is an operator."""
    groups: list[str] = []
    for term in terms:
        if term.is_excluded:
            continue
        phrase = '"' + " ".join(term.words) + '"' + (" *" if term.is_prefix else "")
        phrase = f"{term.column} : {phrase}" if term.column else phrase
        if term.is_alternative and groups:
            groups[-1] = f"{groups[-1]} OR {phrase}"
        else:
            groups.append(phrase)
    wanted = " AND ".join(f"({group})" for group in groups)
    for term in terms:
        if term.is_excluded:
            phrase = '"' + " ".join(term.words) + '"' + (" *" if term.is_prefix else "")
            wanted = f"({wanted}) NOT ({f'{term.column} : ' if term.column else ''}{phrase})"
    return wanted


def _tsquery_condition(terms: Sequence[Term]) -> tuple[str, dict[str, Any]]:
    groups: list[str] = []
    values: dict[str, Any] = {}
    for i, term in enumerate(terms):
        name = f"term_{i}"
        column = term.column or "everything"
        query = f"phraseto_tsquery('english', :{name})"
        if term.is_prefix and len(term.words) == 1:
            query = f"to_tsquery('simple', :{name}_prefix)"
            values[f"{name}_prefix"] = f"{term.words[0]}:*"
        # Stop words alone make an empty query, which matches nothing: then it asks for nothing.
        condition = f"({column} @@ {query} or numnode({query}) = 0)"
        values[name] = " ".join(term.words)
        if term.is_excluded:
            groups.append(f"not ({column} @@ {query})")
        elif term.is_alternative and groups:
            groups[-1] = f"({groups[-1]} or {condition})"
        else:
            groups.append(condition)
    return " and ".join(groups), values
