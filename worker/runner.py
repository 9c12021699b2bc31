"""Takes a claimed job to its end: the pipeline, the heartbeat beside it, and the outcome."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog

from worker.background import Backoff
from worker.barrier import reach
from worker.errors import DatabaseUnavailableError, JobError, VideoWorkerError
from worker.pipeline import Pipeline
from worker.queue.jobs import FinalAnswer, Job, Jobs, Stage
from worker.queue.lease import Heart, Lease, StopReason
from worker.queue.outcome import Cancelled, Failed, Lost, Outcome, Released, failure, result
from worker.storage.client import Storage
from worker.work import RENDERS

log = structlog.get_logger()

STOPPED: dict[StopReason, Outcome] = {
    "cancel": Cancelled(),
    "lost": Lost(),
    "release": Released(),
}


class Runner:
    """Runs claimed jobs, each under a lease that ``heart`` keeps."""

    def __init__(self, jobs: Jobs, heart: Heart, pipeline: Pipeline, storage: Storage) -> None:
        self._jobs = jobs
        self._heart = heart
        self._pipeline = pipeline
        self._storage = storage

    async def run(self, job: Job) -> None:
        """Work on ``job`` until its outcome is in the database."""
        part: dict[str, Any] = {}
        if job.parent_id:
            part["segment"] = job.segment if job.is_segment else "join"
        structlog.contextvars.bind_contextvars(job_id=str(job.root_id), **part, attempt=job.attempt)
        log.info(
            "job.claimed",
            user_id=str(job.user_id),
            waited=job.waited.total_seconds(),
            traceparent=job.traceparent,
        )
        started = time.monotonic()
        lease = self._heart.begin(job)
        try:
            await reach("claim")
            outcome = await self._work(job, lease)
            await reach("finish")
            status = await self._finish(job, outcome)
            await reach("finished")
        finally:
            self._heart.end(lease)
        log.info(
            "job.finished",
            outcome=result(outcome, status, segment=job.is_segment),
            code=outcome.code if isinstance(outcome, Failed) else None,
            seconds=round(time.monotonic() - started, 3),
        )
        if status not in ("completed", "split"):
            await self._remove_output(job)

    async def _work(self, job: Job, lease: Lease) -> Outcome:
        work = asyncio.create_task(self._pipeline.process(job, lease.report))
        try:
            either: set[asyncio.Future[Any]] = {work, lease.stopped}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            stopped = not work.done()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if stopped:
            reason = lease.stopped.result()
            log.info("job.stopped", reason=reason)
            return STOPPED[reason]
        if error := work.exception():
            outcome = failure(error, job.attempt)
            _log_failure(error, outcome, lease.stage)
            return outcome
        return work.result()

    async def _finish(self, job: Job, outcome: Outcome) -> FinalAnswer:
        """Write the outcome, through outages: hours of rendering hang on one statement."""
        backoff = Backoff(longest=10.0)
        while True:
            try:
                return await self._jobs.finish(job, outcome)
            except DatabaseUnavailableError:
                await backoff.sleep()

    async def _remove_output(self, job: Job) -> None:
        """What was uploaded and is not the result. If this fails, the orphans' sweep does it."""
        try:
            await self._storage.remove_folder(RENDERS, job.output_prefix)
        except VideoWorkerError as error:
            log.warning("output.kept", reason=str(error))


def _log_failure(error: BaseException, outcome: Failed, stage: Stage) -> None:
    if isinstance(error, JobError):
        cause: dict[str, object] = {"detail": error.detail}
    else:
        cause = {"exc_info": error}
    log.warning("job.failed", code=outcome.code, stage=stage, retry_in=outcome.retry_in, **cause)
