"""SQL of a parsed request.

The only place that composes SQL, and so the only one to search for holes: names go in as quoted
identifiers, values as bound parameters, and the rest is either written here or printed by the
catalog (types, defaults). Postgres makes the JSON, so that numbers, timestamps and nested JSON
arrive as PostgREST sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from devstack.rest.catalog import Column, Function, Relation
from devstack.rest.query import Condition, Field, Filter, OrderTerm, Query, SelectItem

_TARGET = sql.Identifier("devstack_target")
_SOURCE = sql.Identifier("devstack_source")
_BODY = sql.Identifier("devstack_body")
_CALL = sql.Identifier("devstack_call")

# The values of a function that returns no rows: the only column has the name of the table alias.
_VALUES = sql.SQL(
    "select coalesce(json_agg(result), '[]')::text as body, count(*) as rows, count(*) as total"
    " from {}"
).format(_CALL)

_COMPARISONS = {
    "eq": "=",
    "neq": "<>",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "like": "like",
    "ilike": "ilike",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
}
_IS = {
    "null": "is null",
    "not_null": "is not null",
    "true": "is true",
    "false": "is false",
    "unknown": "is unknown",
}


@dataclass
class Statement:
    """Composed SQL and the values that its placeholders bind."""

    text: sql.Composed = field(default_factory=lambda: sql.Composed([]))
    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: object) -> sql.Composable:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return sql.Placeholder(name)


def read(relation: Relation, query: Query, *, count: bool) -> Statement:
    statement = Statement()
    statement.text = _page(statement, _qualified(relation), query, count=count)
    return statement


def call(function: Function, arguments: str, query: Query, *, count: bool) -> Statement:
    """Calls a function with the members of a JSON object as its named arguments."""
    statement = Statement()
    given = [Column(name, function.argument_types[name], None) for name in query.arguments]
    source = sql.SQL("{}({})").format(
        _qualified(function),
        _list(sql.SQL("{} => {}.{}").format(_name(c.name), _BODY, _name(c.name)) for c in given),
    )
    if given:
        source = sql.SQL("json_to_record({}::json) as {} ({}), lateral {}").format(
            statement.bind(arguments), _BODY, _typed(given), source
        )
    result = _page(statement, _CALL, query, count=count) if function.returns_rows else _VALUES
    statement.text = sql.SQL(
        "with {} as materialized (select result.* from {} as result) {}"
    ).format(_CALL, source, result)
    return statement


def insert(
    relation: Relation, query: Query, columns: tuple[str, ...], body: str, prefer: dict[str, str]
) -> Statement:
    """Inserts a JSON array of objects; absent members are null, or defaults if so preferred."""
    statement = Statement()
    typed = [relation.columns[name] for name in columns]
    rows = sql.SQL("{}::json").format(statement.bind(body))
    function = "json_to_recordset"
    if prefer.get("missing") == "default":
        function = "jsonb_to_recordset"
        rows = sql.SQL(
            "(select jsonb_agg(jsonb_build_object({}) || item)"
            " from jsonb_array_elements(({})::jsonb) as item)"
        ).format(_defaults(statement, typed), rows)
    if typed:
        values = sql.SQL("({}) select {} from {}({}) as {} ({})").format(
            _list(map(_name, columns)),
            _list(map(_name, columns)),
            sql.SQL(function),
            rows,
            _BODY,
            _typed(typed),
        )
    else:
        values = sql.Composed([sql.SQL("default values")])
    statement.text = sql.SQL("insert into {} as {} {} {}").format(
        _qualified(relation), _TARGET, values, _on_conflict(relation, query, columns, prefer)
    )
    return statement


def update(relation: Relation, query: Query, columns: tuple[str, ...], body: str) -> Statement:
    statement = Statement()
    typed = [relation.columns[name] for name in columns]
    statement.text = sql.SQL(
        "update {} as {} set {} from json_to_record({}::json) as {} ({}){}"
    ).format(
        _qualified(relation),
        _TARGET,
        _list(sql.SQL("{} = {}.{}").format(_name(c), _BODY, _name(c)) for c in columns),
        statement.bind(body),
        _BODY,
        _typed(typed),
        _where(statement, query.conditions),
    )
    return statement


def delete(relation: Relation, query: Query) -> Statement:
    statement = Statement()
    statement.text = sql.SQL("delete from {} as {}{}").format(
        _qualified(relation), _TARGET, _where(statement, query.conditions)
    )
    return statement


def returning(statement: Statement, select: Iterable[SelectItem]) -> Statement:
    """The mutation with what it changed as JSON."""
    columns = _list(_select_item(statement, item) for item in select)
    statement.text = sql.SQL(
        "with {source} as ({mutation} returning {columns})"
        " select coalesce(json_agg({source}), '[]')::text as body, count(*) as rows,"
        " count(*) as total from {source}"
    ).format(source=_SOURCE, mutation=statement.text, columns=columns)
    return statement


def _page(
    statement: Statement, source: sql.Composable, query: Query, *, count: bool
) -> sql.Composed:
    where = _where(statement, query.conditions)
    total = sql.SQL("(select count(*) from {} as {}{})").format(source, _TARGET, where)
    return sql.SQL(
        "select coalesce(json_agg({name}), '[]')::text as body, count(*) as rows, {total} as total"
        " from (select {columns} from {source} as {target}{where}{order}"
        " limit {limit} offset {offset}) as {name}"
    ).format(
        name=_SOURCE,
        total=total if count else sql.SQL("null::bigint"),
        columns=_list(_select_item(statement, item) for item in query.select),
        source=source,
        target=_TARGET,
        where=where,
        order=_order(statement, query.order),
        limit=statement.bind(query.limit),
        offset=statement.bind(query.offset),
    )


def _where(statement: Statement, conditions: Iterable[Condition]) -> sql.Composable:
    terms = [_condition(statement, condition) for condition in conditions]
    return sql.SQL(" where ") + sql.SQL(" and ").join(terms) if terms else sql.SQL("")


def _condition(statement: Statement, condition: Condition) -> sql.Composable:
    if isinstance(condition, Filter):
        text = _filter(statement, condition)
    else:
        terms = [_condition(statement, part) for part in condition.conditions]
        text = sql.SQL("({})").format(sql.SQL(f" {condition.operator} ").join(terms))
    return sql.SQL("not ({})").format(text) if condition.negated else text


def _filter(statement: Statement, condition: Filter) -> sql.Composable:
    column, value = _field(statement, condition.field), condition.value
    if isinstance(value, tuple):
        array = statement.bind(_array_literal(value))
        return sql.SQL("{} = any ({})").format(column, array)
    if condition.operator == "is":
        return sql.SQL("{} {}").format(column, sql.SQL(_IS[value]))
    if condition.operator in ("like", "ilike"):
        value = value.replace("*", "%")
    comparison = sql.SQL(_COMPARISONS[condition.operator])
    return sql.SQL("{} {} {}").format(column, comparison, statement.bind(value))


def _select_item(statement: Statement, item: SelectItem) -> sql.Composable:
    if item.field == Field("*"):
        return sql.SQL("{}.*").format(_TARGET)
    text = _field(statement, item.field)
    if item.cast:
        text = sql.SQL("cast({} as {})").format(text, sql.SQL(item.cast))
    keys = [step for _, step in item.field.path if isinstance(step, str)]
    name = item.alias or (keys[-1] if keys else item.field.name)
    return sql.SQL("{} as {}").format(text, _name(name))


def _order(statement: Statement, terms: Iterable[OrderTerm]) -> sql.Composable:
    keys = [
        sql.SQL("{} {} {}").format(
            _field(statement, term.field),
            sql.SQL(term.direction),
            sql.SQL(f"nulls {term.nulls}" if term.nulls else ""),
        )
        for term in terms
    ]
    return sql.SQL(" order by ") + _list(keys) if keys else sql.SQL("")


def _field(statement: Statement, item: Field) -> sql.Composable:
    column: sql.Composable = sql.SQL("{}.{}").format(_TARGET, _name(item.name))
    if item.path:
        column = sql.SQL("to_jsonb({})").format(column)
    for arrow, step in item.path:
        kind = "int" if isinstance(step, int) else "text"
        column += sql.SQL(f" {arrow} {{}}::{kind}").format(statement.bind(step))
    return sql.SQL("({})").format(column) if item.path else column


def _on_conflict(
    relation: Relation, query: Query, columns: tuple[str, ...], prefer: dict[str, str]
) -> sql.Composable:
    resolution = prefer.get("resolution")
    target = query.on_conflict or relation.primary_key
    if resolution is None or not target:
        return sql.SQL("")
    assignments = _list(sql.SQL("{} = excluded.{}").format(_name(c), _name(c)) for c in columns)
    merge = sql.SQL("update set {}").format(assignments)
    return sql.SQL("on conflict ({}) do {}").format(
        _list(map(_name, target)),
        sql.SQL("nothing") if resolution == "ignore-duplicates" else merge,
    )


def _defaults(statement: Statement, columns: Iterable[Column]) -> sql.Composable:
    return _list(
        sql.SQL("{}::text, {}").format(statement.bind(c.name), _trusted(c.default))
        for c in columns
        if c.default is not None
    )


def _qualified(item: Relation | Function) -> sql.Composable:
    return sql.SQL("{}.{}").format(_name(item.schema), _name(item.name))


def _typed(columns: Iterable[Column]) -> sql.Composable:
    return _list(sql.SQL("{} {}").format(_name(c.name), _trusted(c.type)) for c in columns)


def _list(items: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(items)


def _name(name: str) -> sql.Composable:
    # psycopg looks for placeholders inside identifiers, too.
    return sql.Identifier(name.replace("%", "%%"))


def _trusted(text: str) -> sql.Composable:
    """SQL that the catalog itself printed."""
    return sql.SQL(text.replace("%", "%%"))


def _array_literal(items: Iterable[str]) -> str:
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"
