"""The state machine of a job, in any order of events, against the real SQL functions.

Hypothesis plays several workers, users and an admin at once: claims, heartbeats, every way to end,
replies that get lost, workers that stop or pause until their lease has run out, and one transaction
at a time that stays open while the others go on. A model says what must come of each call.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import Connection, Db
from tests.integration.conftest import age_lease

LEASE = timedelta(seconds=60)
LIMIT = 2
FINAL = ("completed", "failed", "cancelled")

OF_USERS = (
    *("insert", "insert", "insert urgent", "insert for later"),
    *("cancel", "retry", "delete", "requeue", "time comes"),
)
OF_WORKERS = (
    *("claim", "claim", "claim, lost reply", "claim, crash", "claim, not yet committed"),
    *("heartbeat", "goes silent", "all go silent", "check in"),
    *("complete", "complete", "fail", "retry", "retry at once", "release", "acknowledge cancel"),
    *("commit", "roll back"),
)

Effect = Callable[[], None]


@dataclass
class Job:
    """What the row must look like."""

    id: UUID
    user: UUID
    max_attempts: int
    status: str = "queued"
    attempt: int = 0
    scheduled: bool = False
    cancel_requested: bool = False
    token: UUID | None = None
    """Of the newest claim, while it holds the job."""
    published: UUID | None = None
    """The token whose result the row points at."""
    deleted: bool = False


@dataclass(eq=False)
class Claim:
    """What a worker believes to hold; it may be wrong."""

    job: Job
    token: UUID
    prefix: str
    expired: bool = False

    @property
    def holds(self) -> bool:
        return self.job.token == self.token and not self.job.deleted


@dataclass
class Pending:
    """A transaction that is open: what it will have done, and the jobs whose rows it has locked."""

    connection: Connection
    effect: Effect
    locked: list[Job] = field(default_factory=list)


class Queue(RuleBasedStateMachine):
    """Two rules only, each with many cases: Hypothesis leaves some of the rules out of each run."""

    def __init__(self, db: Db) -> None:
        super().__init__()
        self.db = db
        self.rows: dict[UUID, Job] = {}
        self.claims: list[Claim] = []
        self.heard: list[Claim] = []
        self.connection = db.connect()
        self.pending: Pending | None = None
        self.garbage: set[str] = set()

    @initialize()
    def start(self) -> None:
        """There is something to do, whatever rule this run leaves out."""
        for table in ("public.video_jobs", "video_worker.orphans", "video_worker.workers"):
            self.db.admin.execute(f"delete from {table}")
        self.db.admin.execute("delete from video_worker.orphans")
        self.db.admin.execute(
            "update video_worker.config set max_running_jobs_per_user = %s", [LIMIT]
        )
        self.users = [self.db.new_user() for _ in range(3)]
        self.workers = [uuid4() for _ in range(3)]
        self.connection.execute("set lock_timeout = '20ms'")
        self.connection.execute(
            "select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false)"
        )
        for user in (0, 1, 2, 0, 1, 0):
            self.insert(self.users[user], 3, 0, later=False)

    def teardown(self) -> None:
        if self.pending:
            self.pending.connection.close()
        self.connection.close()

    # Calls, alone or in a transaction that stays open

    def call(self, query: str, parameters: list[Any], connection: Connection | None = None) -> Any:
        """The first column of the one row, or None when a lock was not to be had."""
        try:
            row = (connection or self.connection).execute(query, parameters).fetchone()
        except psycopg.errors.LockNotAvailable:
            assert self.pending, "nobody holds a lock"
            return None
        assert row
        return next(iter(row.values()))

    def blocked(self, job: Job) -> bool:
        return self.pending is not None and job in self.pending.locked

    def ended(self, claim: Claim, status: str) -> None:
        """The claim is over; its folder is garbage unless the row points into it."""
        job = claim.job
        job.token = None
        job.status = status
        if status == "completed":
            job.published = claim.token
        else:
            self.garbage.add(claim.prefix)
        if status in FINAL:
            job.scheduled = False

    @rule(
        what=st.sampled_from(OF_USERS),
        which=st.integers(0, 99),
        max_attempts=st.integers(1, 3),
    )
    def a_user_acts(self, what: str, which: int, max_attempts: int) -> None:
        """Or an admin, or time."""
        if what.startswith("insert"):
            owner = self.users[which % len(self.users)]
            priority = 5 if what == "insert urgent" else 0
            self.insert(owner, max_attempts, priority, later=what == "insert for later")
        elif there := [job for job in self.rows.values() if not job.deleted]:
            {
                "cancel": self.cancel,
                "retry": self.retry,
                "delete": self.delete,
                "requeue": self.requeue,
                "time comes": self.time_comes,
            }[what](there[which % len(there)])

    @rule(
        what=st.sampled_from(OF_WORKERS),
        which=st.integers(0, 99),
        count=st.integers(1, 4),
        stays_open=st.sampled_from([False, False, True]),
    )
    def a_worker_acts(self, what: str, which: int, count: int, stays_open: bool) -> None:
        if what.startswith("claim"):
            self.claim(self.workers[which % len(self.workers)], count, what)
        elif what in ("commit", "roll back"):
            self.close_transaction(commit=what == "commit")
        elif what == "all go silent":
            self.go_silent(self.claims)
        elif what == "check in":
            self.check_in()
        elif self.heard:
            claim = self.heard[which % len(self.heard)]
            if what == "goes silent":
                self.go_silent([claim])
            elif what == "heartbeat":
                self.heartbeat(claim, which)
            else:
                self.end(claim, what, stays_open)

    # Users

    def insert(self, owner: UUID, max_attempts: int, priority: int, later: bool) -> None:
        job_id = self.call(
            "insert into public.video_jobs"
            " (user_id, input_path, subtitle_path, max_attempts, priority, run_at)"
            " values (%s, %s, %s, %s, %s, now() + %s) returning id",
            [owner, f"{owner}/v", f"{owner}/s", max_attempts, priority, timedelta(hours=later)],
        )
        if job_id is not None:
            self.rows[job_id] = Job(job_id, owner, max_attempts, scheduled=later)

    def cancel(self, job: Job) -> None:
        answer = self.call("select (public.cancel_video_job(%s)).status", [job.id])
        if answer is None:
            assert self.blocked(job)
        elif job.status == "queued":
            job.status = "cancelled"
            job.scheduled = False
        elif job.status == "processing":
            job.cancel_requested = True

    def retry(self, job: Job) -> None:
        if job.status not in ("failed", "cancelled"):
            return
        if self.call("select (public.retry_video_job(%s)).status", [job.id]) is None:
            assert self.pending
        else:
            self.queued_anew(job)

    def delete(self, job: Job) -> None:
        row = self.call(
            "with d as (delete from public.video_jobs where id = %s returning 1)"
            " select count(*) from d",
            [job.id],
        )
        if row is None:
            assert self.blocked(job)
        else:
            job.deleted = True
            self.garbage.add(f"{job.user}/{job.id}")

    def requeue(self, job: Job) -> None:
        if job.status == "completed":
            return
        if self.call("select (video_admin.requeue(%s)).status", [job.id]) is None:
            assert self.pending
            return
        for claim in self.claims:
            if claim.job is job and claim.holds:
                self.garbage.add(claim.prefix)
        self.queued_anew(job)

    def queued_anew(self, job: Job) -> None:
        job.status, job.attempt, job.token, job.published = "queued", 0, None, None
        job.cancel_requested = job.scheduled = False

    def time_comes(self, job: Job) -> None:
        """A scheduled job, or one that waits for its retry, becomes due."""
        if not job.scheduled:
            return
        done = self.call(
            "with u as (update public.video_jobs set run_at = now() where id = %s returning 1)"
            " select count(*) from u",
            [job.id],
        )
        if done:
            job.scheduled = False

    # Workers

    def claim(self, worker: UUID, count: int, what: str) -> None:
        tokens = [uuid4() for _ in range(count)]
        if what == "claim, not yet committed":
            if self.pending is None:
                self.claim_slowly(tokens)
            return
        claimed = self.claim_with(worker, tokens, self.connection)
        for claim in claimed:
            self.begun(claim)
        if len(claimed) < count and self.pending is None:
            self.nothing_is_claimable()
        if what == "claim, lost reply":
            again = self.claim_with(worker, tokens, self.connection)
            assert [(c.job, c.token) for c in again] == [(c.job, c.token) for c in claimed]
        if what != "claim, crash":
            self.heard += claimed

    def claim_slowly(self, tokens: list[UUID]) -> None:
        """By a worker of which nothing more is heard, while the transaction stays open."""
        connection = self.db.connect()
        connection.autocommit = False
        claimed = self.claim_with(uuid4(), tokens, connection)

        def effect() -> None:
            for claim in claimed:
                self.begun(claim)

        self.pending = Pending(connection, effect, [claim.job for claim in claimed])

    def claim_with(self, worker: UUID, tokens: list[UUID], connection: Connection) -> list[Claim]:
        rows = connection.execute(
            "select * from video_worker.claim_jobs(%s, %s, %s)", [worker, tokens, LEASE]
        ).fetchall()
        return [Claim(self.rows[row["job_id"]], row["token"], row["output_prefix"]) for row in rows]

    def begun(self, claim: Claim) -> None:
        job = claim.job
        assert job.status == "queued", "only a waiting job is claimed"
        assert not job.deleted
        assert not job.scheduled
        assert not self.blocked(job)
        job.status, job.token = "processing", claim.token
        job.attempt += 1
        self.claims.append(claim)

    def nothing_is_claimable(self) -> None:
        running = Counter(job.user for job in self.rows.values() if self.is_running(job))
        for job in self.rows.values():
            if job.status == "queued" and not job.deleted and not job.scheduled:
                assert running[job.user] >= LIMIT, "a job waits although its user has room"

    def is_running(self, job: Job) -> bool:
        return job.status == "processing" and not job.deleted

    def heartbeat(self, claim: Claim, progress: int) -> None:
        query = "select video_worker.heartbeat(%s, %s, 'render', %s::smallint, null)"
        answer = self.call(query, [claim.job.id, claim.token, progress])
        if answer is None:
            assert self.blocked(claim.job)
        elif claim.holds:
            assert answer == ("cancel" if claim.job.cancel_requested else "ok")
            claim.expired = False
        else:
            assert answer == "lost"

    def end(self, claim: Claim, end: str, stays_open: bool) -> None:
        """Also by who has lost the job, and again after a reply that was lost."""
        if end == "acknowledge cancel" and claim.holds and not claim.job.cancel_requested:
            return  # no worker does that
        query, parameters = self.end_call(claim, end)
        expected, effect = self.expectation(claim, end)
        if stays_open and self.pending is None:
            connection = self.db.connect()
            connection.autocommit = False
            assert self.call(query, parameters, connection) == expected
            self.pending = Pending(connection, effect, [claim.job])
            return
        answer = self.call(query, parameters)
        if answer is None:
            assert self.blocked(claim.job)
            return
        assert answer == expected
        effect()

    def end_call(self, claim: Claim, end: str) -> tuple[str, list[Any]]:
        fence = [claim.job.id, claim.token]
        if end == "complete":
            output = f"{claim.prefix}/video.mp4"
            return (
                "select answer from video_worker.complete_jobs(%s, %s, %s, '{null}', '{\"{}\"}')",
                [[value] for value in (*fence, output)],
            )
        if end == "acknowledge cancel":
            return "select video_worker.cancel_job(%s, %s)", fence
        if end == "release":
            return "select video_worker.release_job(%s, %s)", fence
        pause = {"fail": None, "retry": LEASE, "retry at once": timedelta(0)}[end]
        return "select video_worker.fail_job(%s, %s, 'x', 'y', %s)", [*fence, pause]

    def expectation(self, claim: Claim, end: str) -> tuple[str, Effect]:
        """The answer that must come, and what it does to the model."""
        job = claim.job
        if not claim.holds:
            repeated = end == "complete" and job.published == claim.token and not job.deleted
            return "completed" if repeated else "lost", lambda: None
        if job.cancel_requested:
            return "cancelled", lambda: self.ended(claim, "cancelled")
        if end == "complete":
            return "completed", lambda: self.ended(claim, "completed")
        if end == "release":

            def released() -> None:
                self.ended(claim, "queued")
                job.attempt -= 1

            return "queued", released
        if end == "fail" or job.attempt >= job.max_attempts:
            return "failed", lambda: self.ended(claim, "failed")

        def queued() -> None:
            self.ended(claim, "queued")
            job.scheduled = end == "retry"

        return "queued", queued

    def go_silent(self, claims: list[Claim]) -> None:
        """They pause or have died until their lease has run out."""
        for claim in claims:
            if claim.holds and not self.blocked(claim.job):
                age_lease(self.db, claim.job.id, timedelta(minutes=2))
                claim.expired = True

    def check_in(self) -> None:
        """A worker that was there all the time looks after the others."""
        dead = [c for c in self.claims if c.holds and c.expired and not self.blocked(c.job)]
        rescued = self.call(
            "select rescued from video_worker.check_in(%s, 't', '0', 1::smallint, false, '1 day')",
            [self.workers[0]],
        )
        assert rescued == len(dead)
        for claim in dead:
            job = claim.job
            if job.cancel_requested:
                self.ended(claim, "cancelled")
            else:
                self.ended(claim, "failed" if job.attempt >= job.max_attempts else "queued")

    def close_transaction(self, commit: bool) -> None:
        if self.pending is None:
            return
        pending, self.pending = self.pending, None
        if commit:
            pending.connection.commit()
            pending.effect()
        else:
            pending.connection.rollback()
        pending.connection.close()

    # What must hold after every step

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        seen = {
            row["id"]: row
            for row in self.db.admin.execute(
                "select j.*, l.token from public.video_jobs j"
                " left join video_worker.leases l on l.job_id = j.id"
            ).fetchall()
        }
        assert seen.keys() == {job.id for job in self.rows.values() if not job.deleted}
        for job_id, row in seen.items():
            job = self.rows[job_id]
            assert (row["status"], row["attempt"]) == (job.status, job.attempt)
            assert row["token"] == job.token, "a lease exists if and only if the job is in work"
            if job.status == "completed":
                assert f"-{job.published}/" in row["output_path"], "the newest claim's result"

    @invariant()
    def nobody_has_more_places_than_may_run(self) -> None:
        placed = self.db.admin.execute(
            "select user_id, count(*) n from public.video_jobs"
            " where status in ('queued', 'processing') and place is not null group by 1"
        ).fetchall()
        assert all(row["n"] <= LIMIT for row in placed), placed

    @invariant()
    def what_no_row_points_at_is_on_the_list_of_orphans(self) -> None:
        listed = self.db.admin.execute("select prefix from video_worker.orphans").fetchall()
        assert {row["prefix"] for row in listed} == self.garbage


def test_any_order_of_events_keeps_the_queues_word(db: Db) -> None:
    class QueueOfThisDatabase(Queue):
        def __init__(self) -> None:
            super().__init__(db)

    run_state_machine_as_test(
        QueueOfThisDatabase,
        settings=settings(
            max_examples=int(os.environ.get("MODEL_EXAMPLES", "80")),
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            # To shrink what is found takes minutes: add Phase.shrink when there is something.
            phases=(Phase.generate,),
        ),
    )
