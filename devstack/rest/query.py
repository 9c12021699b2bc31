"""PostgREST's query grammar: what `?select=...&id=eq.1&or=(a.gt.2,b.is.null)&order=c.desc` says.

Parsing knows nothing of SQL: its result is data, and rest/statements.py alone makes SQL of it.
Left out: resource embedding, aggregates, full-text search, and the modifiers `any` and `all`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeVar

from devstack.rest.errors import RestError

_RESERVED = ("select", "order", "limit", "offset", "columns", "on_conflict")
_LOGIC = ("and", "or", "not.and", "not.or")

_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[\w $]|-(?!>))+)')
_ARROW = re.compile(r"->>?")
_INDEX = re.compile(r"-?\d+(?=->|::|[.,)]|$)")
_CAST = re.compile(r"::([A-Za-z_]\w*(?:\[\])?)")
_OPERATOR = re.compile(r"(eq|neq|gt|gte|lt|lte|like|ilike|in|is|cs|cd|ov)\.")
_IS_VALUE = re.compile(r"null|not_null|true|false|unknown", re.IGNORECASE)
_LIST_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,)]*)')
# In a logic tree a value ends at a comma, which arrays and JSON have inside their braces.
_LOGIC_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|(\{.*?\}(?=[,)])|[^,)]*)')
_AGGREGATE = re.compile(r"(?:^|[.,:])(?:count|sum|avg|min|max)\(\)")

T = TypeVar("T")


@dataclass(frozen=True)
class Field:
    """A column, or with `path` a value inside it, by steps ("->" or "->>", key or index)."""

    name: str
    path: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True)
class Filter:
    field: Field
    operator: str
    value: str | tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Group:
    operator: Literal["and", "or"]
    conditions: tuple[Condition, ...]
    negated: bool = False


Condition = Filter | Group


@dataclass(frozen=True)
class SelectItem:
    field: Field
    alias: str | None = None
    cast: str | None = None


@dataclass(frozen=True)
class OrderTerm:
    field: Field
    direction: str = ""
    nulls: str = ""


@dataclass(frozen=True)
class Query:
    select: tuple[SelectItem, ...]
    conditions: tuple[Condition, ...]
    order: tuple[OrderTerm, ...]
    limit: int | None
    offset: int
    columns: tuple[str, ...] | None
    on_conflict: tuple[str, ...] | None
    # Arguments of a function, which a query string may hold beside filters.
    arguments: dict[str, str]


def parse_query(parameters: Iterable[tuple[str, str]], *, call: bool = False) -> Query:
    """Parses a query string; with `call`, what is no filter is an argument. Raises RestError."""
    reserved: dict[str, str] = {}
    conditions: list[Condition] = []
    arguments: dict[str, str] = {}
    for key, value in parameters:
        if key in _RESERVED:
            reserved[key] = value
        elif key in _LOGIC:
            conditions.append(_parse(key + value, "logic tree", _Parser.condition))
        elif call and not _OPERATOR.match(value.removeprefix("not.")):
            arguments[key] = value
        else:
            field = _parse(key, "column name", _Parser.field)
            conditions.append(_Parser(value, "filter").filter(field))

    def names(key: str) -> tuple[str, ...] | None:
        return _parse(reserved[key], key, _Parser.names) if key in reserved else None

    return Query(
        select=_select(reserved.get("select") or "*"),
        conditions=tuple(conditions),
        order=_parse(reserved["order"], "order", _Parser.order) if "order" in reserved else (),
        limit=_number(reserved.get("limit")),
        offset=_number(reserved.get("offset")) or 0,
        columns=names("columns"),
        on_conflict=names("on_conflict"),
        arguments=arguments,
    )


def _select(text: str) -> tuple[SelectItem, ...]:
    if _AGGREGATE.search(text):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    if "(" in text:
        raise RestError(
            400,
            "PGRST200",
            "devstack does not embed related resources",
            details=f"The select parameter was: {text}",
            hint="Query the related table by itself, or through a view or a function.",
        )
    return _parse(text, "select parameter", _Parser.select)


def _number(text: str | None) -> int | None:
    # PostgREST ignores what is no number.
    return int(text) if text and text.isdecimal() else None


def _parse(text: str, what: str, rule: Callable[[_Parser], T]) -> T:
    parser = _Parser(text, what)
    result = rule(parser)
    parser.end()
    return result


class _Parser:
    """A recursive-descent parser: each rule takes its text off the front, or fails."""

    def __init__(self, text: str, what: str) -> None:
        self._text = text
        self._what = what
        self._position = 0

    def end(self) -> None:
        if self._position < len(self._text):
            self._fail("end of input")

    def select(self) -> tuple[SelectItem, ...]:
        return self._separated(self._select_item)

    def names(self) -> tuple[str, ...]:
        return self._separated(self._name)

    def order(self) -> tuple[OrderTerm, ...]:
        return self._separated(self._order_term)

    def field(self) -> Field:
        return self._path_of(self._name())

    def filter(self, field: Field) -> Filter:
        """`[not.]operator.value` up to the end of the text."""
        condition = self._filter(field, in_tree=False)
        self.end()
        return condition

    def condition(self) -> Condition:
        """`[not.]and(...)`, `[not.]or(...)` or `field.[not.]operator.value`."""
        start = self._position
        negated = self._takes("not.")
        for operator in ("and", "or"):
            if self._takes(f"{operator}("):
                conditions = self._separated(self.condition)
                self._expect(")")
                return Group(operator, conditions, negated)
        self._position = start
        field = self.field()
        self._expect(".")
        return self._filter(field, in_tree=True)

    def _filter(self, field: Field, *, in_tree: bool) -> Filter:
        negated = self._takes("not.")
        operator = self._match(_OPERATOR)
        if operator is None:
            self._fail('"not" or operator (eq, gt, ...)')
        value: str | tuple[str, ...]
        match operator[1]:
            case "in":
                self._expect("(")
                value = self._list()
                self._expect(")")
            case "is":
                is_value = self._match(_IS_VALUE)
                if is_value is None:
                    self._fail("null, not_null, true, false or unknown")
                value = is_value[0].lower()
            case _ if in_tree:
                value = self._text_or_quoted(_LOGIC_VALUE)
            case _:
                value = self._text[self._position :]
                self._position = len(self._text)
        return Filter(field, operator[1], value, negated)

    def _list(self) -> tuple[str, ...]:
        if self._text.startswith(")", self._position):
            return ()
        return self._separated(lambda: self._text_or_quoted(_LIST_ITEM))

    def _select_item(self) -> SelectItem:
        if self._takes("*"):
            return SelectItem(Field("*"))
        alias, name = None, self._name()
        if not self._text.startswith("::", self._position) and self._takes(":"):
            alias, name = name, self._name()
        field = self._path_of(name)
        cast = self._match(_CAST)
        return SelectItem(field, alias, cast[1] if cast else None)

    def _order_term(self) -> OrderTerm:
        field = self.field()
        direction = next((d for d in ("asc", "desc") if self._takes(f".{d}")), "")
        nulls = next((n for n in ("first", "last") if self._takes(f".nulls{n}")), "")
        return OrderTerm(field, direction, nulls)

    def _path_of(self, name: str) -> Field:
        path: list[tuple[str, str | int]] = []
        while arrow := self._match(_ARROW):
            index = self._match(_INDEX)
            path.append((arrow[0], int(index[0]) if index else self._name()))
        return Field(name, tuple(path))

    def _name(self) -> str:
        name = self._text_or_quoted(_NAME).strip()
        return name or self._fail("a name")

    def _text_or_quoted(self, pattern: re.Pattern[str]) -> str:
        match = self._match(pattern)
        if match is None:
            return ""
        quoted, plain = match.groups()
        return plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)

    def _separated(self, rule: Callable[[], T]) -> tuple[T, ...]:
        items = [rule()]
        while self._takes(","):
            items.append(rule())
        return tuple(items)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._position)
        if match:
            self._position = match.end()
        return match

    def _takes(self, text: str) -> bool:
        found = self._text.startswith(text, self._position)
        if found:
            self._position += len(text)
        return found

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            self._fail(f'"{text}"')

    def _fail(self, expected: str) -> NoReturn:
        found = self._text[self._position : self._position + 1]
        raise RestError(
            400,
            "PGRST100",
            f'"failed to parse {self._what} ({self._text})" (line 1, column {self._position + 1})',
            details=f"unexpected {f'{found!r}' if found else 'end of input'} expecting {expected}",
        )
