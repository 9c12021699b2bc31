"""How long a claim takes in a queue that has seen much. Ours only."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from benchmarks.queue.arena import Arena, Ring
from benchmarks.queue.contestants import OURS, USERS
from benchmarks.report import print_table

CLAIMS = 200
FINISHED = 1_000_000
RUNNING = 100
UPDATES = 100_000
CHURN = 2000


class Claims:
    """One worker's statements, on a connection of its own."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._worker = uuid4()
        self._connection = psycopg.connect(
            ring.dsn(OURS.role), autocommit=True, row_factory=dict_row
        )

    def claim(self) -> tuple[dict[str, Any], float]:
        """A job, and the milliseconds that its claim took."""
        started = time.perf_counter()
        row = self._connection.execute(
            "select * from video_worker.claim_jobs(%s, %s, '1 hour')", [self._worker, [uuid4()]]
        ).fetchone()
        assert row
        return row, (time.perf_counter() - started) * 1000

    def complete(self, job: dict[str, Any]) -> None:
        self._connection.execute(
            "select * from video_worker.complete_jobs(%s, %s, %s, '{null}', '{\"{}\"}')",
            [[job["job_id"]], [job["token"]], [job["output_prefix"] + "/video.mp4"]],
        )

    def advance(self, jobs: list[dict[str, Any]], updates: int) -> None:
        """So many heartbeats in all, each of which writes progress."""
        query = "select video_worker.heartbeat(%s, %s, 'render', %s::smallint, %s)"
        with self._connection.cursor() as cursor:
            for number in range(updates // len(jobs)):
                cursor.executemany(
                    query, [(job["job_id"], job["token"], number % 100, number) for job in jobs]
                )

    def milliseconds(self, number: int = CLAIMS) -> float:
        """The median claim of jobs that are sent, claimed and completed one by one."""
        taken = []
        for _ in range(number):
            self._ring.send()
            job, milliseconds = self.claim()
            self.complete(job)
            taken.append(milliseconds)
        return statistics.median(taken)


def measure_age(arena: Arena) -> dict[str, float]:
    """Milliseconds of the median claim, by what lies in the tables."""
    with arena.ring(OURS) as ring:
        ring.connection.execute(
            "update video_worker.config set max_open_jobs_per_user = null,"
            " max_jobs_per_hour_per_user = null, max_running_jobs_per_user = null"
        )
        claims = Claims(ring)
        found = {"empty": claims.milliseconds()}
        _finish(ring, FINISHED)
        found["finished"] = claims.milliseconds()
        ring.send(RUNNING)
        running = [claims.claim()[0] for _ in range(RUNNING)]
        claims.advance(running, UPDATES)
        found["updated"] = claims.milliseconds()
        with _old_snapshot(ring):
            claims.advance(running, UPDATES // 10)
            claims.milliseconds(CHURN)
            found["old_snapshot"] = claims.milliseconds()
    print_table(
        "a claim",
        ("", "ms"),
        [
            ("new tables", f"{found['empty']:.2f}"),
            (f"{FINISHED} finished jobs", f"{found['finished']:.2f}"),
            (f"and {UPDATES} updates of progress of {RUNNING} jobs", f"{found['updated']:.2f}"),
            (
                f"and an old snapshot, {UPDATES // 10} updates and {CHURN} jobs later",
                f"{found['old_snapshot']:.2f}",
            ),
        ],
    )
    return found


def _finish(ring: Ring, jobs: int) -> None:
    """Completed jobs of two years, inserted without triggers."""
    with ring.connection.transaction():
        ring.connection.execute("set local session_replication_role = replica")
        ring.connection.execute(
            "insert into public.video_jobs (user_id, input_path, subtitle_path, status, attempt,"
            " place, created_at, started_at, finished_at, progress, output_path)"
            " select id, id || '/video.mp4', id || '/subtitles.srt', 'completed', 1, g, at, at, at,"
            " 100, id || '/out.mp4' from users, generate_series(1, %s) g,"
            " lateral (select now() - interval '2 years' + g * interval '1 minute') t (at)"
            f" where n = g %% {USERS}",
            [jobs],
        )
    ring.vacuum()


@contextmanager
def _old_snapshot(ring: Ring) -> Iterator[None]:
    """What a forgotten session or a long report does: no dead row after this can be removed."""
    with ring.connect() as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("select count(*) from pg_class")
        yield
