"""/rest/v1: each request is one transaction as the caller, so that grants and RLS are real."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import jwt
import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.database import AUTHENTICATOR, Caller, Connection, Database
from devstack.http import bearer_token
from devstack.keys import Keys
from devstack.rest import statements
from devstack.rest.catalog import Relation, find_function, find_relation
from devstack.rest.errors import RestError, from_database, render
from devstack.rest.query import Field, Query, SelectItem
from devstack.rest.requests import (
    ONE_OBJECT,
    counts,
    is_read,
    json_body,
    json_object,
    preferences,
    query_of,
    require_json_accepted,
    schema_of,
    wants_one,
)
from devstack.rest.statements import Statement


def create_app(database: Database, keys: Keys) -> Starlette:
    rest = _Rest(database, keys)
    methods = ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT"]
    return Starlette(
        routes=[
            Route("/rpc/{name}", rest.function, methods=methods),
            Route("/{name}", rest.table, methods=methods),
        ],
        exception_handlers={RestError: render},
    )


@dataclass(frozen=True)
class _Outcome:
    """What a statement came to: a JSON array, the rows in it, and how many there are in all."""

    body: str
    rows: int
    total: int | None


class _Rest:
    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    async def table(self, request: Request) -> Response:
        query = query_of(request)
        async with self._transaction(request) as (connection, schema):
            relation = await find_relation(connection, schema, request.path_params["name"])
            match request.method:
                case "GET" | "HEAD":
                    statement = statements.read(relation, query, count=counts(request))
                    return _page(request, query, await _run(connection, statement))
                case "POST":
                    return await _insert(connection, request, relation, query)
                case "PATCH":
                    return await _update(connection, request, relation, query)
                case "DELETE":
                    _require_filter(query, "DELETE")
                    statement = statements.delete(relation, query)
                    return await _mutate(connection, request, query, statement)
                case method:
                    raise RestError(405, "PGRST117", f"Unsupported HTTP method: {method}")

    async def function(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD", "POST"):
            message = f"Cannot use the {request.method} method on RPC"
            raise RestError(405, "PGRST101", message)
        query = query_of(request, call=is_read(request))
        arguments = json.dumps(query.arguments)
        if not is_read(request) and await request.body():
            arguments, given = await json_object(request)
            query = replace(query, arguments=given)
        async with self._transaction(request) as (connection, schema):
            name = request.path_params["name"]
            function = await find_function(connection, schema, name, query.arguments.keys())
            statement = statements.call(function, arguments, query, count=counts(request))
            outcome = await _run(connection, statement)
            if function.returns_void:
                return Response(status_code=204)
            if not function.returns_set:
                # One value: the only item of the array.
                return _json(request, outcome.body[1:-1], 200)
            return _page(request, query, outcome)

    @asynccontextmanager
    async def _transaction(self, request: Request) -> AsyncIterator[tuple[Connection, str]]:
        """A transaction as the caller, and the schema that the request is about."""
        require_json_accepted(request)
        schema = schema_of(request)
        caller = self._caller(request)
        settings = {
            "request.method": request.method,
            "request.path": request.scope["path"].removeprefix(request.scope["root_path"]),
            "request.headers": json.dumps(dict(request.headers)),
            "request.cookies": json.dumps(request.cookies),
            "search_path": f'"{schema}", extensions',
            "transaction_read_only": "on" if is_read(request) else "off",
        }
        try:
            async with self._database.transaction_as(caller, AUTHENTICATOR, settings) as connection:
                # `set role` does not bring the role's own settings, e.g. its statement_timeout.
                await connection.execute(
                    "select set_config(split_part(setting, '=', 1),"
                    " substr(setting, position('=' in setting) + 1), true)"
                    " from pg_roles, unnest(rolconfig) as setting where rolname = %s",
                    [caller.role],
                )
                yield connection, schema
        except psycopg.Error as error:
            raise from_database(error, anonymous=caller.role == "anon") from error

    def _caller(self, request: Request) -> Caller:
        token = bearer_token(request)
        try:
            return Caller(self._keys.verify(token) if token else {"role": "anon"})
        except jwt.ExpiredSignatureError as error:
            raise _unauthorized("PGRST303", "JWT expired") from error
        except jwt.InvalidTokenError as error:
            message = "JWT cryptographic operation failed"
            raise _unauthorized("PGRST301", message, details=str(error)) from error


async def _insert(
    connection: Connection, request: Request, relation: Relation, query: Query
) -> Response:
    text, body = await json_body(request)
    rows = body if isinstance(body, list) else [body]
    if not all(isinstance(row, dict) for row in rows):
        raise RestError(400, "PGRST102", "The request body is not a JSON object or array of them")
    columns = query.columns
    if columns is None:
        columns = tuple(rows[0]) if rows else ()
        if not all(row.keys() == set(columns) for row in rows):
            raise RestError(400, "PGRST102", "All object keys must match")
    _require_columns(relation, columns)
    if not rows:
        return _mutated(request, _Outcome("[]", 0, 0))
    array = text if isinstance(body, list) else f"[{text}]"
    statement = statements.insert(relation, query, columns, array, preferences(request))
    return await _mutate(connection, request, query, statement, relation)


async def _update(
    connection: Connection, request: Request, relation: Relation, query: Query
) -> Response:
    _require_filter(query, "UPDATE")
    text, body = await json_object(request)
    columns = tuple(body) if query.columns is None else query.columns
    _require_columns(relation, columns)
    if not columns:
        return _mutated(request, _Outcome("[]", 0, 0))
    statement = statements.update(relation, query, columns, text)
    return await _mutate(connection, request, query, statement)


async def _mutate(
    connection: Connection,
    request: Request,
    query: Query,
    statement: Statement,
    inserted_into: Relation | None = None,
) -> Response:
    """Runs an insert, update or delete and answers as `Prefer: return=` asks.

    The statement returns no more than is asked for: RETURNING needs the right to select.
    """
    if query.order or query.offset or query.limit is not None:
        message = "devstack does not order or limit what a mutation changes"
        raise RestError(400, "PGRST100", message)
    location: dict[str, str] = {}
    preference = preferences(request).get("return")
    if preference == "representation":
        outcome = await _run(connection, statements.returning(statement, query.select))
    elif preference == "headers-only" and inserted_into and inserted_into.primary_key:
        key = [SelectItem(Field(name)) for name in inserted_into.primary_key]
        outcome = await _run(connection, statements.returning(statement, key))
        location = _location(inserted_into, json.loads(outcome.body))
    else:
        cursor = await connection.execute(statement.text, statement.parameters)
        outcome = _Outcome("", cursor.rowcount, cursor.rowcount)
    return _mutated(request, outcome, location)


async def _run(connection: Connection, statement: Statement) -> _Outcome:
    cursor = await connection.execute(statement.text, statement.parameters)
    row = await cursor.fetchone()
    assert row is not None, "an aggregate is always one row"
    return _Outcome(row["body"], row["rows"], row["total"])


def _page(request: Request, query: Query, outcome: _Outcome) -> Response:
    first, rows, total = query.offset, outcome.rows, outcome.total
    if total is not None and first > total:
        details = f"An offset of {first} was requested, but there are only {total} rows."
        raise RestError(416, "PGRST103", "Requested range not satisfiable", details=details)
    page = f"{first}-{first + rows - 1}" if rows else "*"
    headers = {"content-range": f"{page}/{'*' if total is None else total}"}
    is_part = total is not None and rows < total
    return _json(request, _array_or_one(request, outcome), 206 if is_part else 200, headers)


def _mutated(
    request: Request, outcome: _Outcome, headers: Mapping[str, str] | None = None
) -> Response:
    headers = {**(headers or {}), "content-range": f"*/{outcome.rows if counts(request) else '*'}"}
    created = request.method == "POST"
    body = _array_or_one(request, outcome)
    if preferences(request).get("return") == "representation":
        return _json(request, body, 201 if created else 200, headers)
    return Response(status_code=201 if created else 204, headers=headers)


def _array_or_one(request: Request, outcome: _Outcome) -> str:
    """The array, or its only item if that is asked for; raises (and so rolls back) without one."""
    if not wants_one(request):
        return outcome.body
    if outcome.rows != 1:
        raise RestError(
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
            details=f"The result contains {outcome.rows} rows",
        )
    return outcome.body[1:-1]


def _json(
    request: Request, body: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    media_type = ONE_OBJECT if wants_one(request) else "application/json"
    return Response(body, status, headers, f"{media_type}; charset=utf-8")


def _location(relation: Relation, rows: list[dict[str, Any]]) -> dict[str, str]:
    if len(rows) != 1:
        return {}
    key = "&".join(f"{name}=eq.{value}" for name, value in rows[0].items())
    return {"location": f"/{relation.name}?{key}"}


def _require_columns(relation: Relation, columns: tuple[str, ...]) -> None:
    for name in columns:
        if name not in relation.columns:
            message = f"Could not find the '{name}' column of '{relation.name}' in the schema cache"
            raise RestError(400, "PGRST204", message)


def _require_filter(query: Query, command: str) -> None:
    """As the extension `safeupdate`, which hosted Supabase loads for the Data API."""
    if not query.conditions:
        raise RestError(400, "21000", f"{command} requires a WHERE clause")


def _unauthorized(code: str, message: str, details: str | None = None) -> RestError:
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return RestError(401, code, message, details, headers={"www-authenticate": challenge})
