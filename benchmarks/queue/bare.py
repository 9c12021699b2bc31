"""A worker that is all queue: the real parts, wired as in worker/service.py, and no video."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import structlog

from worker.pipeline import Pipeline
from worker.progress import Report
from worker.queue.claimer import Claimer
from worker.queue.database import Database
from worker.queue.jobs import Job, Jobs
from worker.queue.keeper import Keeper
from worker.queue.lease import Heart
from worker.queue.listener import Listener
from worker.queue.outcome import Completed
from worker.queue.rhythm import Rhythm
from worker.runner import Runner
from worker.storage.client import Storage

Work = Callable[[Job, Report], Coroutine[Any, Any, None]]


class _NoVideo(Pipeline):
    """Completes a job after ``work``; nothing is downloaded, rendered or uploaded."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def process(self, job: Job, report: Report) -> Completed:
        await self._work(job, report)
        return Completed(f"{job.output_prefix}/video.mp4", None, {"warnings": []})


class BareWorker:
    """Claims and completes jobs of the database at ``dsn``, ``slots`` at a time."""

    def __init__(self, dsn: str, slots: int, work: Work, name: str = "bench") -> None:
        # Warnings only: the peers have no log configured either.
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        rhythm = Rhythm()
        worker_id = uuid4()
        application_name = f"video-worker {name}"
        self._database = Database(dsn, application_name, rhythm.statement)
        jobs = Jobs(self._database, worker_id, rhythm)
        heart = Heart(jobs, rhythm.heartbeat)
        listener = Listener(
            dsn,
            application_name,
            worker_id,
            rhythm,
            on_jobs=lambda: claimer.wake(),
            on_cancel=heart.beat_now,
            on_change=lambda: keeper.check_in_now(),
        )
        runner = Runner(jobs, heart, _NoVideo(work), Storage("http://localhost", "sb_secret_none"))
        claimer = Claimer(
            jobs, rhythm, slots, runner.run, notifications_arrive=lambda: listener.live
        )
        keeper = Keeper(
            jobs,
            rhythm,
            listener,
            name=name,
            version="0",
            slots=slots,
            wake=claimer.wake,
            drain=lambda: None,
            remove_orphan=_nothing_to_remove,
        )
        self._parts = (heart, listener, keeper, claimer)

    async def start(self) -> None:
        await self._database.open()
        for part in self._parts:
            part.start()

    async def stop(self) -> None:
        for part in reversed(self._parts):
            await part.stop()
        await self._database.close()


async def _nothing_to_remove(prefix: str) -> None:
    await asyncio.sleep(0)
