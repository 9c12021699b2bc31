"""The wake-up call: LISTEN on a connection of its own, proven alive by pinging itself.

A notification is only a hint that saves the wait for the next poll. The listener knows whether
hints arrive: the keeper sends it a ping through the query pool, and a ping that is not heard means
that this connection is dead, half open, or behind a transaction pooler. Then the worker polls, and
the listener connects anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import psycopg
import structlog

from worker.background import Background, Backoff
from worker.queue.database import CONNECT_PARAMETERS
from worker.queue.rhythm import Rhythm

log = structlog.get_logger()

CHANNEL = "video_worker"
LONGEST_PAUSE = 10.0
"""Seconds between attempts to connect, at most."""

NOTICE_A_LOST_HOST = """
select set_config('tcp_keepalives_idle', '10', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '2', false)
"""
"""Then Postgres ends this session about 20 s after the worker's host has vanished without a word,
and with the session goes the lock. (The system's default is two hours.)"""


class Listener(Background):
    """Calls ``on_jobs`` when there may be a job (one became claimable, or might have, unheard),
    ``on_cancel`` when a user asked for a stop, and ``on_change`` when it has connected, got its
    lock, or gone live or blind: time for a ping and a check-in. All must return at once."""

    def __init__(
        self,
        url: str,
        application_name: str,
        worker_id: UUID,
        rhythm: Rhythm,
        on_jobs: Callable[[], None],
        on_cancel: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        super().__init__()
        self._url = url
        self._application_name = application_name
        self._worker_id = str(worker_id)
        self._ping_deadline = rhythm.ping_deadline
        self._statement_deadline = rhythm.statement
        self._on = {"jobs": on_jobs, "cancel": on_cancel, self._worker_id: self._heard_ping}
        self._on_change = on_change
        self._ping_sent_at: float | None = None
        self._live = False
        self._reported: bool | None = None
        self._locked = False

    @property
    def live(self) -> bool:
        """Whether notifications are known to arrive."""
        return self._live

    @property
    def holds_lock(self) -> bool:
        """Whether this session holds the lock that dies with the process."""
        return self._live and self._locked

    def ping_sent(self) -> None:
        """Note that a ping is on its way (call it before sending)."""
        if self._ping_sent_at is None:
            self._ping_sent_at = time.monotonic()

    def _heard_ping(self) -> None:
        self._ping_sent_at = None
        self._set_live(True)

    def _set_live(self, live: bool, reason: str = "") -> None:
        self._live = live
        if live != self._reported:
            self._reported = live
            if live:
                log.info("listener.live")
            else:
                log.warning("listener.polling", reason=reason)
                self._on["jobs"]()
            self._on_change()

    async def run(self) -> None:
        backoff = Backoff(LONGEST_PAUSE)
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url,
                    **CONNECT_PARAMETERS,
                    prepare_threshold=None,
                    application_name=self._application_name,
                ) as connection:
                    await self._listen(connection, backoff)
            except (psycopg.Error, TimeoutError) as error:
                self._set_live(False, str(error) or "a statement was not answered")
            self._locked = False
            self._ping_sent_at = None
            await backoff.sleep()

    async def _listen(self, connection: psycopg.AsyncConnection, backoff: Backoff) -> None:
        """Handle notifications until a ping is missed."""
        async with asyncio.timeout(self._statement_deadline):
            await connection.execute(NOTICE_A_LOST_HOST)
            await connection.execute(f"listen {CHANNEL}")
            # Pings have a channel per worker: on one for all, each of n workers would hear n.
            await connection.execute(f'listen "{self._worker_id}"')
        self._on_change()
        self._on["jobs"]()  # whatever was announced while nobody listened
        while not self._ping_missed():
            pause = self._ping_deadline / 2
            async for notification in connection.notifies(timeout=pause, stop_after=1):
                if notification.payload in self._on:
                    self._on[notification.payload]()
                backoff.reset()
            if self._live and not self._locked:
                await self._lock(connection)
        self._set_live(False, "a ping through NOTIFY did not arrive")

    async def _lock(self, connection: psycopg.AsyncConnection) -> None:
        """Take the lock that dies with this session. Only a session that is live is our own, not
        one of a transaction pooler's. A former session of ours may still hold it: then later."""
        query = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
        async with asyncio.timeout(self._statement_deadline):
            cursor = await connection.execute(query, (self._worker_id,))
            row = await cursor.fetchone()
        self._locked = row is not None and bool(row[0])
        if self._locked:
            self._on_change()

    def _ping_missed(self) -> bool:
        return (
            self._ping_sent_at is not None
            and time.monotonic() - self._ping_sent_at > self._ping_deadline
        )
