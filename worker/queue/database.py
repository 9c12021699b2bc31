"""Connections to Postgres, and one place that tells an outage from a mistake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from worker.errors import DatabaseUnavailableError

log = structlog.get_logger()

CONNECT_PARAMETERS: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 10,
    # A peer that vanished without a word is noticed after about 20 s.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
CONNECTION_DEADLINE = 8.0
"""Seconds to wait for a free connection of the pool, and after which a series of attempts to
connect begins anew. (The pool's own default lets their pauses grow to minutes.)"""


class LockedError(DatabaseUnavailableError):
    """Somebody else held a lock for longer than ``lock_timeout``. The database itself is fine."""


class Database:
    """A small pool that works through a transaction pooler too: autocommit, nothing prepared.

    Every query is one statement in its own transaction. One that is not answered within
    ``deadline`` seconds counts as an outage.
    """

    def __init__(self, url: str, application_name: str, deadline: float, size: int = 2) -> None:
        self._url = url
        self._deadline = deadline
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[DictRow]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=CONNECTION_DEADLINE,
            reconnect_timeout=CONNECTION_DEADLINE,
            kwargs=CONNECT_PARAMETERS
            | {
                "application_name": application_name,
                "prepare_threshold": None,
                "row_factory": dict_row,
            },
        )
        self._reachable = True

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        await self._pool.close()

    async def rows(self, query: str, parameters: Sequence[object] = ()) -> list[DictRow]:
        """Run one statement and return its rows.

        Raises ``DatabaseUnavailableError`` when the database could not be reached, went away, is
        read-only or is out of connections, ``LockedError`` when a lock was not to be had in time,
        and psycopg's own error for everything else.
        """
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._pool.connection() as connection,
            ):
                cursor = await connection.execute(query, parameters)
                result = await cursor.fetchall() if cursor.description else []
        except psycopg.errors.LockNotAvailable as error:
            raise LockedError(str(error)) from error
        except (
            psycopg.OperationalError,  # also: cannot connect now, too many connections, timeouts
            psycopg.InterfaceError,
            psycopg.errors.InternalError_,  # how Supavisor says that its own database is away
            psycopg.errors.ReadOnlySqlTransaction,
            PoolTimeout,
            TimeoutError,
        ) as error:
            reason = str(error) or type(error).__name__
            if self._reachable:
                self._reachable = False
                # A pool that has no connection does not say why it got none.
                why = await self._connect_error() if isinstance(error, PoolTimeout) else reason
                log.warning("database.unavailable", reason=why)
            raise DatabaseUnavailableError(reason) from error
        if not self._reachable:
            self._reachable = True
            log.info("database.back")
        return result

    async def value(self, query: str, parameters: Sequence[object] = ()) -> Any:
        """Run a statement that returns one row, and return its first column."""
        (row,) = await self.rows(query, parameters)
        return next(iter(row.values()))

    async def _connect_error(self) -> str:
        try:
            connection = await psycopg.AsyncConnection.connect(self._url, connect_timeout=5)
        except psycopg.Error as error:
            return str(error)
        await connection.close()
        return "no connection was free in time"

    @property
    def reachable(self) -> bool:
        """Whether the last statement was answered."""
        return self._reachable
