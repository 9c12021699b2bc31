"""The heartbeat of one claimed job.

Beats go on from the claim until the last byte is uploaded and the outcome is written, also while
the worker drains: a draining worker is not a dead one.
"""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import structlog

from worker.background import Background, happens_within
from worker.errors import DatabaseUnavailableError
from worker.queue.jobs import Job, Jobs, Stage

log = structlog.get_logger()

PROGRESS_INTERVAL = 2.0
"""Progress is written at most this often (seconds), and only if it moved by a point."""

StopReason = Literal["cancel", "lost", "release"]


class Lease(Background):
    """Renews the lease of ``job`` and carries its progress; ``stopped`` resolves to the reason when
    the work has to stop: the user cancelled, the job is lost, or the worker releases it."""

    def __init__(self, jobs: Jobs, job: Job, interval: float) -> None:
        super().__init__()
        self._jobs = jobs
        self._job = job
        self._interval = interval
        self._due = asyncio.Event()
        self._last_beat = time.monotonic()
        self._stage: Stage = "download"
        self._progress = 0
        self._eta: int | None = None
        self.stopped: asyncio.Future[StopReason] = asyncio.get_running_loop().create_future()

    def report(self, stage: Stage, progress: float, eta_seconds: float | None) -> None:
        """Note where the job stands: progress in per cent of the whole job, never going back. What
        was noted last is written; a stage that is over in a blink may never be."""
        progress = max(self._progress, min(99, int(progress)))
        if (stage, progress) == (self._stage, self._progress):
            return
        pause = 0.0
        if stage == self._stage:
            pause = max(0.0, self._last_beat + PROGRESS_INTERVAL - time.monotonic())
        self._stage, self._progress = stage, progress
        self._eta = None if eta_seconds is None else max(0, round(eta_seconds))
        asyncio.get_running_loop().call_later(pause, self._due.set)

    @property
    def stage(self) -> Stage:
        """Where the work was last."""
        return self._stage

    def beat_now(self) -> None:
        """Ask at once whether the job is still ours and wanted (a cancel was announced)."""
        self._due.set()

    def stop_work(self, reason: StopReason) -> None:
        if not self.stopped.done():
            self.stopped.set_result(reason)

    async def run(self) -> None:
        while not self.stopped.done():
            await happens_within(self._due, self._interval)
            self._due.clear()
            self._last_beat = time.monotonic()
            try:
                answer = await self._jobs.heartbeat(
                    self._job, self._stage, self._progress, self._eta
                )
            except DatabaseUnavailableError:
                # The work goes on: only the database can say that the job is lost, and the fence
                # keeps a result from being published if it is.
                continue
            if answer != "ok":
                self.stop_work(answer)
