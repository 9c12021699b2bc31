"""The statements: one method per function in schema ``video_worker``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from worker.queue.batch import Batch
from worker.queue.database import Database
from worker.queue.outcome import (
    Cancelled,
    Completed,
    Failed,
    Outcome,
    Released,
    Split,
    Unsplit,
)
from worker.queue.rhythm import Rhythm

Stage = Literal["download", "probe", "subtitles", "render", "upload"]
HeartbeatAnswer = Literal["ok", "cancel", "lost"]
FinalAnswer = Literal["completed", "split", "queued", "failed", "cancelled", "lost"]


@dataclass(frozen=True)
class Job:
    """A claimed job. ``token`` is the proof of the claim; ``output_prefix`` is its own folder in
    bucket renders; ``waited`` is the time from when it could have run until the claim;
    ``traceparent`` the W3C trace context of the request that made the job, if it had one.

    ``whole``: not to be split into segments. A part of a split job has a ``parent_id``, its number
    as ``segment`` (None: to join them), and what it is made from in ``split``: the plan as it was
    given to ``Split`` and "prefix", the folder of the claim that split it; of "segments", its own
    one as "segment"; for the join, in "segments" what every segment was completed with, and its
    "path".
    """

    job_id: UUID
    token: UUID
    user_id: UUID
    attempt: int
    max_attempts: int
    input_path: str
    subtitle_path: str
    options: dict[str, Any]
    traceparent: str | None
    output_prefix: str
    waited: timedelta
    whole: bool = False
    parent_id: UUID | None = None
    segment: int | None = None
    split: dict[str, Any] | None = None

    @property
    def root_id(self) -> UUID:
        """The job that a user knows."""
        return self.parent_id or self.job_id

    @property
    def is_segment(self) -> bool:
        return self.segment is not None


@dataclass(frozen=True)
class CheckIn:
    """What a worker hears when it checks in; ``next_job_in`` is in seconds, None if none waits."""

    drain: bool
    rescued: int
    jobs_ready: bool
    next_job_in: float | None
    orphans_due: bool


@dataclass(frozen=True)
class QueueFigures:
    """The whole queue, at most ten seconds old. ``queued`` can be claimed, ``scheduled`` waits for
    its time, ``held`` for another job of its user; ``oldest_seconds`` is how long the oldest
    queued one could have run; ``workers`` were heard of within a minute."""

    queued: int
    scheduled: int
    held: int
    processing: int
    oldest_seconds: float
    workers: int


@dataclass(frozen=True)
class Call:
    """A fenced function with its arguments; the first two are the job and the claim's token."""

    function: str
    job: Job
    values: tuple[object, ...] = ()


class Jobs:
    """The queue as this worker sees it.

    Every method raises ``DatabaseUnavailableError`` during an outage; all of them may be repeated.
    """

    def __init__(self, database: Database, worker_id: UUID, rhythm: Rhythm) -> None:
        self._database = database
        self.worker_id = worker_id
        self._lease = timedelta(seconds=rhythm.lease)
        self._every = timedelta(seconds=rhythm.check_in)
        self._heartbeats: Batch[Call, HeartbeatAnswer] = Batch(self._call)
        self._completions: Batch[tuple[Job, Completed], FinalAnswer] = Batch(self._complete)
        self._ends: Batch[Call, FinalAnswer] = Batch(self._call)

    async def claim(self, tokens: Sequence[UUID]) -> list[Job]:
        """Claim at most ``len(tokens)`` jobs. With the same tokens: the same jobs again."""
        rows = await self._database.rows(
            "select * from video_worker.claim_jobs(%s, %s, %s)",
            (self.worker_id, list(tokens), self._lease),
        )
        return [Job(**row) for row in rows]

    async def heartbeat(
        self, job: Job, stage: Stage, progress: int, eta_seconds: int | None
    ) -> HeartbeatAnswer:
        """Renew the lease and write what changed of stage, progress (per cent) and ETA."""
        function = "heartbeat(%s, %s, %s::public.video_job_stage, %s::smallint, %s)"
        return await self._heartbeats.ask(Call(function, job, (stage, progress, eta_seconds)))

    async def finish(self, job: Job, outcome: Outcome) -> FinalAnswer:
        """Write the outcome and give up the lease; returns the row's new status, or 'lost'."""
        match outcome:
            case Completed():
                return await self._completions.ask((job, outcome))
            case Failed(code, message, retry_in):
                pause = None if retry_in is None else timedelta(seconds=retry_in)
                call = Call("fail_job(%s, %s, %s, %s, %s)", job, (code, message, pause))
            case Split(plan):
                call = Call("split_job(%s, %s, %s)", job, (Jsonb(plan),))
            case Unsplit():
                call = Call("unsplit_job(%s, %s)", job)
            case Cancelled():
                call = Call("cancel_job(%s, %s)", job)
            case Released():
                call = Call("release_job(%s, %s)", job)
            case _:
                return "lost"
        return await self._ends.ask(call)

    async def _complete(self, ends: Sequence[tuple[Job, Completed]]) -> list[FinalAnswer]:
        rows = await self._database.rows(
            "select * from video_worker.complete_jobs(%s, %s, %s, %s, %s)",
            (
                [job.job_id for job, _ in ends],
                [job.token for job, _ in ends],
                [end.output_path for _, end in ends],
                [end.poster_path for _, end in ends],
                [Jsonb(end.output_info) for _, end in ends],
            ),
        )
        answers = {row["job_id"]: row["answer"] for row in rows}
        return [answers[job.job_id] for job, _ in ends]

    async def _call(self, calls: Sequence[Call]) -> list[Any]:
        """Several functions in one statement, so one round trip and one commit; their answers."""
        # Row locks are taken in one order, whoever takes them: of a part, its parent's first.
        order = sorted(range(len(calls)), key=lambda n: (calls[n].job.root_id, calls[n].job.job_id))
        rows = await self._database.rows(
            " union all ".join(f"select {n} n, video_worker.{calls[n].function} a" for n in order),
            [v for n in order for v in (calls[n].job.job_id, calls[n].job.token, *calls[n].values)],
        )
        answers = {row["n"]: row["a"] for row in rows}
        return [answers[n] for n in range(len(calls))]

    async def check_in(
        self, *, name: str, version: str, slots: int, holds_lock: bool, ping: bool
    ) -> CheckIn:
        """Say that this worker lives and rescue what the dead left; with ``ping``, also send this
        worker a notification, which its listener must hear."""
        query = "select c.* from video_worker.check_in(%s, %s, %s, %s::smallint, %s, %s) c"
        values: tuple[object, ...] = (
            self.worker_id,
            name,
            version,
            slots,
            holds_lock,
            self._every,
        )
        if ping:
            query += ", pg_notify(%s, %s)"
            values += (str(self.worker_id), str(self.worker_id))
        (row,) = await self._database.rows(query, values)
        return CheckIn(**row)

    async def check_out(self) -> None:
        """Take this worker off the list."""
        await self._database.rows("select video_worker.check_out(%s)", (self.worker_id,))

    async def take_orphans(self, limit: int = 20) -> list[str]:
        """Folders in bucket renders that are garbage and due for removal."""
        rows = await self._database.rows(
            "select prefix from video_worker.take_orphans(%s) prefix", (limit,)
        )
        return [row["prefix"] for row in rows]

    async def clear_orphan(self, prefix: str) -> None:
        await self._database.rows("select video_worker.clear_orphan(%s)", (prefix,))

    async def prune(self) -> int:
        """Delete finished rows whose time of keeping is over; returns how many."""
        count: int = await self._database.value("select video_worker.prune()")
        return count

    async def figures(self) -> QueueFigures:
        """How many jobs wait and run, and for how long the oldest has waited."""
        (row,) = await self._database.rows("select * from video_worker.read_queue_figures()")
        return QueueFigures(**row)
