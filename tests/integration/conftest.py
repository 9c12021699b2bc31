"""A worker as the database sees it, and the ffmpeg that it uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tests.conftest import Db
from worker.media.ffmpeg import Ffmpeg

LEASE = timedelta(seconds=60)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Ffmpeg:
    return asyncio.run(Ffmpeg.find(None, tmp_path_factory.mktemp("ffmpeg")))


@dataclass
class Claim:
    """A claimed job, and the fenced calls on it."""

    worker: SqlWorker
    job_id: UUID
    token: UUID
    row: DictRow

    def call(self, function: str, *values: Any) -> str:
        marks = ", ".join(["%s"] * (2 + len(values)))
        row = self.worker.connection.execute(
            f"select video_worker.{function}({marks}) answer", [self.job_id, self.token, *values]
        ).fetchone()
        assert row
        answer: str = row["answer"]
        return answer

    def heartbeat(self, stage: str = "render", progress: int = 50, eta: int | None = 7) -> str:
        row = self.worker.connection.execute(
            "select video_worker.heartbeat(%s, %s, %s, %s::smallint, %s) answer",
            [self.job_id, self.token, stage, progress, eta],
        ).fetchone()
        assert row
        answer: str = row["answer"]
        return answer

    def complete(self, output: str = "") -> str:
        """With an output in the claim's own folder, or another."""
        return complete_together(self, output=output)[0]

    def fail(self, retry_in: timedelta | None = None) -> str:
        return self.call("fail_job", "render_failed", "It did not work.", retry_in)

    def split(self, *frames: int) -> str:
        """Into segments with so many frames each."""
        plan = {"common": 1, "segments": [{"frames": count} for count in frames]}
        return self.call("split_job", Jsonb(plan))

    def unsplit(self) -> str:
        return self.call("unsplit_job")

    def cancel(self) -> str:
        return self.call("cancel_job")

    def release(self) -> str:
        return self.call("release_job")


def complete_together(*claims: Claim, output: str = "") -> list[str]:
    """In one call; each one's answer."""
    rows = (
        claims[0]
        .worker.connection.execute(
            "select * from video_worker.complete_jobs(%s, %s, %s, %s, %s)",
            [
                [claim.job_id for claim in claims],
                [claim.token for claim in claims],
                [output or claim.row["output_prefix"] + "/video.mp4" for claim in claims],
                [claim.row["output_prefix"] + "/poster.jpg" for claim in claims],
                [Jsonb({"warnings": []}) for _ in claims],
            ],
        )
        .fetchall()
    )
    answers = {row["job_id"]: row["answer"] for row in rows}
    assert len(rows) == len(answers) == len(claims)
    return [answers[claim.job_id] for claim in claims]


class SqlWorker:
    """Calls the queue's functions as role video_worker, as a worker process does."""

    def __init__(self, db: Db) -> None:
        self.id = uuid4()
        self.connection = db.connect("video_worker")

    def claim(self, count: int = 1, tokens: list[UUID] | None = None) -> list[Claim]:
        rows = self.connection.execute(
            "select * from video_worker.claim_jobs(%s, %s, %s)",
            [self.id, tokens or [uuid4() for _ in range(count)], LEASE],
        ).fetchall()
        return [Claim(self, row["job_id"], row["token"], row) for row in rows]

    def claim_one(self) -> Claim:
        (claim,) = self.claim()
        return claim

    def check_in(self, *, holds_lock: bool = False) -> DictRow:
        row = self.connection.execute(
            "select * from video_worker.check_in(%s, 'test', '0', 1::smallint, %s, '1 hour')",
            [self.id, holds_lock],
        ).fetchone()
        assert row
        return row


@pytest.fixture
def new_worker(db: Db) -> Callable[[], SqlWorker]:
    return lambda: SqlWorker(db)


@pytest.fixture
def worker(db: Db) -> SqlWorker:
    return SqlWorker(db)


def age_lease(db: Db, job_id: UUID, by: timedelta) -> None:
    """Make the last heartbeat of a job lie further back. The judges, and the database, have been
    there all the time."""
    db.admin.execute(
        """
        create or replace function video_worker.silent_for(
          p_lease video_worker.leases, p_judge_since timestamptz
        ) returns interval language sql stable set search_path = '' as $$
          select now() - (p_lease.expires_at - p_lease.duration)
        $$
        """
    )
    db.admin.execute(
        "update video_worker.leases set expires_at = expires_at - %s where job_id = %s",
        [by, job_id],
    )
