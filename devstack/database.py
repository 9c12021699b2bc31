"""Connections to the database: a small pool for each role that a service logs in as."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from devstack.postgres import PASSWORD, SUPERUSER

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

AUTHENTICATOR = "authenticator"
AUTH_ADMIN = "supabase_auth_admin"
STORAGE_ADMIN = "supabase_storage_admin"
REALTIME_ADMIN = SUPERUSER

_CONNECTIONS_PER_LOGIN = 10
# A request gives up after this many seconds of waiting for a connection.
_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Caller:
    """Whom a request runs as: the role and the claims of its JWT."""

    claims: Mapping[str, Any]

    @property
    def role(self) -> str:
        return str(self.claims.get("role", "anon"))

    @property
    def id(self) -> str | None:
        return self.claims.get("sub")


def as_uuid(text: str | None) -> str | None:
    """A user's id for a column of that type: other issuers' JWTs may have ids that are no UUIDs."""
    try:
        return str(UUID(text or ""))
    except ValueError:
        return None


class Database:
    """The pools; `opened()` holds them open for as long as the gateway runs."""

    def __init__(self, url: str) -> None:
        self._pools = {
            login: _pool(make_conninfo(url, user=login, password=PASSWORD))
            for login in (AUTHENTICATOR, AUTH_ADMIN, STORAGE_ADMIN, REALTIME_ADMIN)
        }

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for pool in self._pools.values():
                await stack.enter_async_context(pool)
            yield

    @asynccontextmanager
    async def transaction(self, login: str) -> AsyncIterator[Connection]:
        """A transaction with the login's own rights."""
        async with self._pools[login].connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def transaction_as(
        self, caller: Caller, login: str, settings: Mapping[str, str]
    ) -> AsyncIterator[Connection]:
        """A transaction as the caller: its role, its claims, and `settings`, all local to it."""
        async with self.transaction(login) as connection:
            await act_as(connection, caller, settings)
            yield connection


async def act_as(connection: Connection, caller: Caller, settings: Mapping[str, str]) -> None:
    """Makes the rest of the transaction the caller's."""
    settings = {
        **settings,
        "request.jwt.claims": json.dumps(caller.claims),
        "role": caller.role,
    }
    await connection.execute(
        "select set_config(name, value, true)"
        " from unnest(%s::text[], %s::text[]) as setting (name, value)",
        [list(settings), list(settings.values())],
    )


def _pool(conninfo: str) -> Pool:
    return AsyncConnectionPool(
        conninfo,
        connection_class=Connection,
        kwargs={"row_factory": dict_row, "autocommit": True},
        min_size=0,
        max_size=_CONNECTIONS_PER_LOGIN,
        timeout=_WAIT_SECONDS,
        # Survives a database that was restarted under the stack: what the fault tests do.
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
