"""Heartbeats: a lease for every job in work, and one heart that beats for all of them.

Beats go on from the claim until the last byte is uploaded and the outcome is written, also while
the worker drains: a draining worker is not a dead one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from worker.background import Background, happens_within
from worker.errors import DatabaseUnavailableError
from worker.queue.jobs import Job, Jobs, Stage

PROGRESS_INTERVAL = 2.0
"""Progress is written at most this often (seconds), and only if it moved by a point."""

StopReason = Literal["cancel", "lost", "release"]


class Lease:
    """One job's lease: carries its progress to the heart; ``stopped`` resolves to the reason when
    the work has to stop: the user cancelled, the job is lost, or the worker releases it."""

    def __init__(self, job: Job, due_at: float, wake_heart: Callable[[], None]) -> None:
        self.job = job
        self.due_at = due_at
        """When the next beat is due, by the monotonic clock."""
        self.beaten_at = time.monotonic()
        self.beating = False
        self.due_again = False
        """Whether a beat was due while another was under way, which may have missed the reason."""
        self.stage: Stage = "download"
        """Where the work was last."""
        self.progress = 0
        self.eta: int | None = None
        self.stopped: asyncio.Future[StopReason] = asyncio.get_running_loop().create_future()
        self._wake_heart = wake_heart

    def report(self, stage: Stage, progress: float, eta_seconds: float | None) -> None:
        """Note where the job stands: progress in per cent of the whole job, never going back. What
        was noted last is written; a stage that is over in a blink may never be."""
        progress = max(self.progress, min(99, int(progress)))
        if (stage, progress) == (self.stage, self.progress):
            return
        same_stage = stage == self.stage
        self.stage, self.progress = stage, progress
        self.eta = None if eta_seconds is None else max(0, round(eta_seconds))
        self.beat_by(self.beaten_at + PROGRESS_INTERVAL if same_stage else time.monotonic())

    def beat_by(self, moment: float) -> None:
        """Beat at that time at the latest."""
        if moment < self.due_at:
            self.due_at = moment
            self._wake_heart()

    def stop_work(self, reason: StopReason) -> None:
        if not self.stopped.done():
            self.stopped.set_result(reason)


class Heart(Background):
    """Renews the leases of this worker's jobs, those that are due together in one statement."""

    def __init__(self, jobs: Jobs, interval: float) -> None:
        super().__init__()
        self._jobs = jobs
        self._interval = interval
        self._leases: set[Lease] = set()
        self._beats: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def begin(self, job: Job) -> Lease:
        """Beat for this job from now on."""
        lease = Lease(job, time.monotonic() + self._interval, self._wake.set)
        self._leases.add(lease)
        return lease

    def end(self, lease: Lease) -> None:
        self._leases.discard(lease)

    def beat_now(self) -> None:
        """A cancel was announced: ask at once whether it is for one of ours."""
        for lease in self._leases:
            lease.beat_by(time.monotonic())

    def release_all(self) -> None:
        """Stop all that is in work, to give it back."""
        for lease in self._leases:
            lease.stop_work("release")

    async def stop(self) -> None:
        await super().stop()
        for beat in self._beats:
            beat.cancel()
        await asyncio.gather(*self._beats, return_exceptions=True)

    async def run(self) -> None:
        while True:
            self._wake.clear()
            now = time.monotonic()
            if any(lease.due_at <= now for lease in self._leases):
                # Those that are nearly due come along, and so fall into step.
                self._beat_all_due(now + self._interval / 5)
            next_due = min((lease.due_at for lease in self._leases), default=now + self._interval)
            await happens_within(self._wake, min(next_due - now, self._interval))

    def _beat_all_due(self, by: float) -> None:
        for lease in self._leases:
            if lease.due_at <= by:
                lease.beaten_at = time.monotonic()
                lease.due_at = lease.beaten_at + self._interval
                lease.due_again = lease.beating
                if not (lease.beating or lease.stopped.done()):
                    lease.beating = True
                    beat = asyncio.create_task(self._beat(lease))
                    self._beats.add(beat)
                    beat.add_done_callback(self._beats.discard)

    async def _beat(self, lease: Lease) -> None:
        try:
            answer = await self._jobs.heartbeat(lease.job, lease.stage, lease.progress, lease.eta)
        except DatabaseUnavailableError:
            # The work goes on: only the database can say that the job is lost, and the fence keeps
            # a result from being published if it is.
            return
        finally:
            lease.beating = False
            if lease.due_again:
                lease.beat_by(time.monotonic())
        if answer != "ok":
            lease.stop_work(answer)
