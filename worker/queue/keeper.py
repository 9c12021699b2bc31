"""What keeps the queue in order: every worker checks in, rescues, prunes and sweeps."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import structlog

from worker.background import Background, happens_within
from worker.errors import DatabaseUnavailableError, VideoWorkerError
from worker.queue.jobs import Jobs
from worker.queue.listener import Listener
from worker.queue.rhythm import Rhythm

log = structlog.get_logger()

PRUNE_INTERVAL = 3600.0
"""Seconds; how long rows are kept is a matter of weeks."""


class Keeper(Background):
    """``remove_orphan(prefix)`` deletes one folder of bucket renders; ``wake`` looks for jobs;
    ``drain`` is called when an admin asked this worker to drain."""

    def __init__(
        self,
        jobs: Jobs,
        rhythm: Rhythm,
        listener: Listener,
        *,
        name: str,
        version: str,
        slots: int,
        wake: Callable[[], None],
        drain: Callable[[], None],
        remove_orphan: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._jobs = jobs
        self._rhythm = rhythm
        self._listener = listener
        self._name = name
        self._version = version
        self._slots = slots
        self._wake = wake
        self._drain = drain
        self._remove_orphan = remove_orphan
        self._pinged_at = -rhythm.ping
        self._pruned_at = time.monotonic()
        self._due = asyncio.Event()
        self.checked_in = asyncio.Event()
        """Set once the database has heard of this worker."""

    def check_in_now(self) -> None:
        """The listener's state has changed: tell the database, and send a ping if it needs one."""
        self._due.set()

    async def run(self) -> None:
        while True:
            self._due.clear()
            try:
                await self._check_in()
                await self._prune()
            except DatabaseUnavailableError:
                pass  # logged once by the database; tried again at the next round
            # Unevenly, so that workers which started together, or saw the database come back
            # together, do not stay in step: commits that notify queue up behind each other.
            pause = self._rhythm.check_in * random.uniform(0.8, 1.0)  # noqa: S311 (jitter)
            await happens_within(self._due, pause)

    async def _check_in(self) -> None:
        now = time.monotonic()
        ping = not self._listener.live or now - self._pinged_at >= self._rhythm.ping
        if ping:
            self._pinged_at = now
            self._listener.ping_sent()
        answer = await self._jobs.check_in(
            name=self._name,
            version=self._version,
            slots=self._slots,
            holds_lock=self._listener.holds_lock,
            ping=ping,
        )
        self.checked_in.set()
        if answer.rescued:
            log.warning("queue.rescued", jobs=answer.rescued)
        if answer.jobs_ready:
            self._wake()
        if answer.next_job_in is not None and answer.next_job_in <= self._rhythm.check_in:
            asyncio.get_running_loop().call_later(answer.next_job_in, self._wake)
        if answer.drain:
            self._drain()
        if answer.orphans_due:
            await self._sweep()

    async def _sweep(self) -> None:
        for prefix in await self._jobs.take_orphans():
            try:
                await self._remove_orphan(prefix)
            except VideoWorkerError as error:
                log.warning("orphan.kept", prefix=prefix, reason=str(error))
                continue
            await self._jobs.clear_orphan(prefix)
            log.info("orphan.removed", prefix=prefix)

    async def _prune(self) -> None:
        if time.monotonic() - self._pruned_at >= PRUNE_INTERVAL:
            self._pruned_at = time.monotonic()
            if pruned := await self._jobs.prune():
                log.info("queue.pruned", rows=pruned)
