"""What the database says of the table or function that a request names.

PostgREST keeps this in a schema cache, which has to be told to reload. Here it is read anew for
each request, so that a migration shows at once.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from devstack.database import Connection
from devstack.rest.errors import RestError


@dataclass(frozen=True)
class Column:
    name: str
    type: str  # as SQL, e.g. `timestamp with time zone`
    default: str | None  # as SQL


@dataclass(frozen=True)
class Relation:
    schema: str
    name: str
    columns: dict[str, Column]
    primary_key: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    schema: str
    name: str
    argument_types: dict[str, str]
    returns_set: bool
    returns_rows: bool
    returns_void: bool


_FIND_RELATION = """
select
  coalesce(
    (select json_agg(json_build_object(
       'name', attname,
       'type', format_type(atttypid, atttypmod),
       'default', (select pg_get_expr(adbin, adrelid) from pg_attrdef
                   where adrelid = attrelid and adnum = attnum and attgenerated = '')
     ) order by attnum)
     from pg_attribute where attrelid = relation.oid and attnum > 0 and not attisdropped),
    '[]') as columns,
  coalesce(
    (select json_agg(attname order by array_position(indkey::int2[], attnum))
     from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
     where indrelid = relation.oid and indisprimary),
    '[]') as primary_key
from pg_class as relation
where relnamespace = (select oid from pg_namespace where nspname = %s)
  and relname = %s and relkind in ('r', 'p', 'v', 'm', 'f')
"""

# Modes: i in, b inout, v variadic, o out, t column of `returns table`. No modes: all are in.
_FIND_FUNCTIONS = """
select
  (select coalesce(json_object_agg(argument.name, format_type(argument.type, null)), '{}')
   from unnest(
     proargnames,
     coalesce(proallargtypes, proargtypes::oid[]),
     coalesce(proargmodes, array_fill('i'::"char", array[pronargs]))
   ) as argument (name, type, mode)
   where mode in ('i', 'b', 'v') and argument.name <> '') as argument_types,
  pronargdefaults as defaults,
  pronargs as arguments,
  proretset as returns_set,
  prorettype = 'void'::regtype as returns_void,
  coalesce(proargmodes && '{o,b,t}'::"char"[], false)
    or (select typtype = 'c' from pg_type where oid = prorettype) as returns_rows
from pg_proc
where pronamespace = (select oid from pg_namespace where nspname = %s)
  and proname = %s and prokind = 'f' and prorettype <> 'trigger'::regtype
"""


async def find_relation(connection: Connection, schema: str, name: str) -> Relation:
    cursor = await connection.execute(_FIND_RELATION, [schema, name])
    row = await cursor.fetchone()
    if row is None:
        message = f"Could not find the table '{schema}.{name}' in the schema cache"
        raise RestError(404, "PGRST205", message)
    columns = {column["name"]: Column(**column) for column in row["columns"]}
    return Relation(schema, name, columns, tuple(row["primary_key"]))


async def find_function(
    connection: Connection, schema: str, name: str, given: Set[str]
) -> Function:
    """The function of that name that takes the given arguments, those with a default aside."""
    cursor = await connection.execute(_FIND_FUNCTIONS, [schema, name])
    candidates = []
    for row in await cursor.fetchall():
        types: dict[str, str] = row["argument_types"]
        required = list(types)[: row["arguments"] - row["defaults"]]
        all_named = len(types) == row["arguments"]
        if all_named and given <= types.keys() and given >= set(required):
            flags = {key: row[key] for key in ("returns_set", "returns_rows", "returns_void")}
            candidates.append(Function(schema, name, types, **flags))
    if not candidates:
        raise _no_function(schema, name, given)
    if len(candidates) > 1:
        message = f"Could not choose the best candidate function between: {candidates}"
        raise RestError(300, "PGRST203", message)
    return candidates[0]


def _no_function(schema: str, name: str, given: Set[str]) -> RestError:
    arguments = ", ".join(sorted(given))
    signature = f"{schema}.{name}({arguments})" if given else f"{schema}.{name} without parameters"
    with_what = f"with parameters {arguments}" if given else "without parameters"
    return RestError(
        404,
        "PGRST202",
        f"Could not find the function {signature} in the schema cache",
        details=f"Searched for the function {schema}.{name} {with_what}, but no matches were"
        " found in the schema cache.",
    )
