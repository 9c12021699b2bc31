"""Claims jobs for the free slots: at once when woken; while nobody can wake it, at every poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID, uuid4

import structlog

from worker.background import Background, Backoff, happens_within
from worker.errors import DatabaseUnavailableError
from worker.queue.jobs import Job, Jobs
from worker.queue.rhythm import Rhythm

log = structlog.get_logger()


class Claimer(Background):
    """Keeps ``slots`` jobs running. ``work`` is started as a task for every claimed job;
    ``when_empty`` is called when nothing can be claimed and nothing runs here any more."""

    def __init__(
        self,
        jobs: Jobs,
        rhythm: Rhythm,
        slots: int,
        work: Callable[[Job], Coroutine[Any, Any, None]],
        notifications_arrive: Callable[[], bool],
        when_empty: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._jobs = jobs
        self._rhythm = rhythm
        self._slots = slots
        self._work = work
        self._notifications_arrive = notifications_arrive
        self._when_empty = when_empty
        self._wake = asyncio.Event()
        self._drain_asked = asyncio.Event()
        self.running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There may be a job: look now."""
        self._wake.set()

    async def drain(self) -> None:
        """Claim nothing more. A claim that is under way comes to its end first: to cut it off could
        leave jobs leased that nobody works on."""
        self._drain_asked.set()
        self._wake.set()
        if self._task is not None:
            await self._task

    async def run(self) -> None:
        while not self._drain_asked.is_set():
            # Cleared before the query: a notification that lands while it runs is not lost.
            self._wake.clear()
            await self._fill_slots()
            if not self.running:
                self._when_empty()
            await happens_within(
                self._wake, None if self._notifications_arrive() else self._rhythm.poll
            )

    async def _fill_slots(self) -> None:
        """One claim is enough: fewer jobs than asked for means that there are no more."""
        if free := self._slots - len(self.running):
            for job in await self._claim([uuid4() for _ in range(free)]):
                self._start(job)

    async def _claim(self, tokens: list[UUID]) -> list[Job]:
        """Claim, through outages. The reply may be lost but the claim done, so it is the same
        tokens that are asked for again."""
        backoff = Backoff()
        while True:
            try:
                return await self._jobs.claim(tokens)
            except DatabaseUnavailableError:
                if await happens_within(self._drain_asked, backoff.next_pause()):
                    return []

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(self._work(job), name=f"job {job.job_id}")
        self.running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("job.crashed", exc_info=error)
