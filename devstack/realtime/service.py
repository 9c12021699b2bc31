"""What all sockets share: who listens to what, and the stream of the database's changes.

The stream runs from the first join on. When it breaks (the database restarts), every socket is
closed: nobody knows what was missed, and a client that connects anew joins and reads again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from devstack.database import REALTIME_ADMIN, Database
from devstack.keys import Keys
from devstack.realtime.changes import PUBLICATION, Changes
from devstack.realtime.hub import Hub
from devstack.realtime.partitions import keep_partitions, make_partitions
from devstack.realtime.pgoutput import Change, Transaction
from devstack.realtime.replication import ReplicationError, replication

_MESSAGES_PUBLICATION = "supabase_realtime_messages_publication"

_LOOK_SECONDS = 0.001

_log = logging.getLogger(__name__)


class Connected(Protocol):
    def disconnect(self) -> None: ...


class Realtime:
    def __init__(self, database: Database, keys: Keys, dsn: str) -> None:
        """`dsn`: of a role that may read the write-ahead log."""
        self.database = database
        self.keys = keys
        self.hub = Hub()
        self.changes = Changes(database)
        self.sockets: set[Connected] = set()
        self._dsn = dsn
        self._starting = asyncio.Lock()
        self._stream: asyncio.Task[None] | None = None
        self._visible: Transaction | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await make_partitions(self._dsn)
        partitions = asyncio.create_task(keep_partitions(self._dsn))
        try:
            yield
        finally:
            for task in (partitions, self._stream):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def follow(self) -> None:
        """Returns when what commits from now on will be delivered. Raises ReplicationError."""
        async with self._starting:
            if self._stream is None or self._stream.done():
                started = asyncio.get_running_loop().create_future()
                self._stream = asyncio.create_task(self._deliver(started))
                await started

    async def _deliver(self, started: asyncio.Future[None]) -> None:
        publications = (PUBLICATION, _MESSAGES_PUBLICATION)
        try:
            async with replication(self._dsn, publications) as changes:
                started.set_result(None)
                async for change in changes:
                    if self.sockets:
                        await self._wait_until_visible(change.transaction)
                        await self._deliver_one(change)
        except Exception as error:
            if not started.done():
                started.set_exception(error)
                return
            if not isinstance(error, ReplicationError):
                _log.exception("Realtime stopped to follow the database")
            for socket in tuple(self.sockets):
                socket.disconnect()

    async def _wait_until_visible(self, transaction: Transaction) -> None:
        """A commit is in the log a moment before other sessions see it; who hears of it, may look.

        Ids of transactions are not told apart from those of four billion transactions ago.
        """
        if transaction == self._visible:
            return
        while not await self._is_visible(transaction):  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(_LOOK_SECONDS)
        self._visible = transaction

    async def _is_visible(self, transaction: Transaction) -> bool:
        async with self.database.transaction(REALTIME_ADMIN) as connection:
            cursor = await connection.execute(
                "select pg_visible_in_snapshot(%s::text::xid8, pg_current_snapshot()) as it_is",
                [transaction.id],
            )
            return bool((await cursor.fetchone() or {})["it_is"])

    async def _deliver_one(self, change: Change) -> None:
        if (change.schema, change.table) != ("realtime", "messages"):
            await self.changes.publish(change)
        elif change.new is not None and change.new["extension"] == "broadcast":
            message = change.new
            payload = {
                "type": "broadcast",
                "event": message["event"],
                "payload": json.loads(message["payload"] or "null"),
                "meta": {"id": message["id"]},
            }
            self.hub.broadcast(message["topic"] or "", message["private"] == "t", payload)
