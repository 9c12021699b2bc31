"""What the database says about a changed row: its JSON, whether a filter fits, who may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from devstack.database import Caller, Connection, act_as
from devstack.realtime.pgoutput import Row

# As in a filter of a subscription, and as in SQL.
OPERATORS = {
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "in": "= any",
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str  # as clients see it: int4
    sql_type: str  # as SQL takes it: integer
    is_key: bool


@dataclass(frozen=True)
class Table:
    schema: str
    name: str
    columns: Mapping[str, Column]
    has_rls: bool
    # By role, those columns that it may select.
    selectable: Mapping[str, frozenset[str]]

    @property
    def key(self) -> list[Column]:
        return [column for column in self.columns.values() if column.is_key]


@dataclass(frozen=True)
class Filter:
    column: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.column}={self.operator}.{self.value}"


async def describe_table(
    connection: Connection, schema: str, name: str, roles: Sequence[str]
) -> Table | None:
    """The table as it is now; None if it is gone. Raises psycopg.Error for an unknown role."""
    cursor = await connection.execute(
        """
        select attname as name, typname as type, format_type(atttypid, atttypmod) as sql_type,
          coalesce(attnum = any (conkey), false) as is_key, relrowsecurity as has_rls,
          array(
            select role from unnest(%s::text[]) as role
            where has_column_privilege(role, attrelid, attnum, 'select')
          ) as roles
        from pg_attribute
        join pg_class on pg_class.oid = attrelid
        join pg_type on pg_type.oid = atttypid
        left join pg_constraint on conrelid = attrelid and contype = 'p'
        where attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))
          and attnum > 0 and not attisdropped
        order by attnum
        """,
        [list(roles), schema, name],
    )
    rows = await cursor.fetchall()
    if not rows:
        return None
    fields = ("name", "type", "sql_type", "is_key")
    return Table(
        schema,
        name,
        {row["name"]: Column(*(row[field] for field in fields)) for row in rows},
        rows[0]["has_rls"],
        {role: frozenset(row["name"] for row in rows if role in row["roles"]) for role in roles},
    )


async def row_as_json(connection: Connection, table: Table, row: Row) -> dict[str, Any]:
    """The values as `to_jsonb` writes them; a column that was dropped since is left out."""
    values = [
        sql.SQL("({}, to_jsonb({}::{}))").format(name, value, sql.SQL(table.columns[name].sql_type))
        for name, value in row.items()
        if name in table.columns
    ]
    cursor = await connection.execute(
        sql.SQL(
            "select jsonb_object_agg(name, value) as json from (values {}) as row (name, value)"
        ).format(sql.SQL(", ").join(values))
    )
    return (await cursor.fetchone() or {})["json"] or {}


async def filter_fits(connection: Connection, table: Table, wanted: Filter, row: Row) -> bool:
    """False also where the row has no such value: a DELETE has the key only.

    Raises psycopg.Error where the filter's value is not of the column's type.
    """
    if wanted.column not in row or wanted.column not in table.columns:
        return False
    sql_type = table.columns[wanted.column].sql_type
    value = wanted.value
    if wanted.operator == "in":
        sql_type += "[]"
        value = "{" + value.removeprefix("(").removesuffix(")") + "}"
    query = sql.SQL("select {left}::{left_type} {operator} ({right}::{right_type}) as fits").format(
        left=row[wanted.column],
        left_type=sql.SQL(table.columns[wanted.column].sql_type),
        operator=sql.SQL(OPERATORS[wanted.operator]),
        right=value,
        right_type=sql.SQL(sql_type),
    )
    cursor = await connection.execute(query)
    return bool((await cursor.fetchone() or {})["fits"])


async def is_visible(connection: Connection, table: Table, row: Row, caller: Caller) -> bool:
    """Selects the row again by its key as the caller: policies decide, on what is there now.

    What the transaction does afterwards, it does as the caller.
    """
    await act_as(connection, caller, {})
    key = [
        sql.SQL("{} = {}::{}").format(
            sql.Identifier(column.name), row[column.name], sql.SQL(column.sql_type)
        )
        for column in table.key
    ]
    cursor = await connection.execute(
        sql.SQL("select from {} where {}").format(
            sql.Identifier(table.schema, table.name), sql.SQL(" and ").join(key)
        )
    )
    return await cursor.fetchone() is not None
