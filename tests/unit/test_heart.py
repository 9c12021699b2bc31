"""Heartbeats, without a database: what is written when."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast
from uuid import uuid4

from worker.queue.jobs import Job, Jobs
from worker.queue.lease import Heart

JOB = Job(
    job_id=uuid4(),
    token=uuid4(),
    user_id=uuid4(),
    attempt=1,
    max_attempts=1,
    input_path="",
    subtitle_path="",
    options={},
    traceparent=None,
    output_prefix="",
    waited=timedelta(),
)


class Slow:
    """Answers the first heartbeat when it may; notes what was written."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.asked, self.may_answer, self.asked_again = (asyncio.Event() for _ in range(3))

    async def heartbeat(self, job: Job, stage: str, progress: int, eta: int | None) -> str:
        self.written.append(stage)
        (self.asked_again if self.asked.is_set() else self.asked).set()
        await self.may_answer.wait()
        return "ok"


async def test_a_stage_that_begins_while_a_heartbeat_is_under_way_is_written_after_it() -> None:
    jobs = Slow()
    heart = Heart(cast(Jobs, jobs), interval=600)
    heart.start()
    lease = heart.begin(JOB)
    async with asyncio.timeout(30):
        lease.report("subtitles", 11, None)
        await jobs.asked.wait()
        lease.report("render", 12, None)
        await asyncio.sleep(0)
        assert jobs.written == ["subtitles"], "one at a time"
        jobs.may_answer.set()
        await jobs.asked_again.wait()
    assert jobs.written == ["subtitles", "render"]
    heart.end(lease)
    await heart.stop()
