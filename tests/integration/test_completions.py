"""Jobs that end together are completed by one statement; each is fenced for itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from tests.conftest import Db, eventually
from tests.integration.conftest import Claim, SqlWorker, complete_together
from worker.queue.database import Database
from worker.queue.jobs import Jobs
from worker.queue.outcome import Completed
from worker.queue.rhythm import Rhythm


def cancel(db: Db, claim: Claim) -> None:
    with db.acting_as(None, "service_role") as connection:
        connection.execute("select public.cancel_video_job(%s)", [claim.job_id])


def test_each_hears_its_own_answer(db: Db, worker: SqlWorker) -> None:
    for _ in range(4):
        db.new_job()
    done, cancelled, lost, last = (worker.claim_one() for _ in range(4))
    cancel(db, cancelled)
    lost.release()
    winner = worker.claim_one()
    together = (last, lost, cancelled, done)
    assert complete_together(*together) == ["completed", "lost", "cancelled", "completed"]
    assert complete_together(*together) == ["completed", "lost", "lost", "completed"]
    for claim in (done, last):
        assert db.job(claim.job_id)["output_path"] == claim.row["output_prefix"] + "/video.mp4"
    assert db.job(cancelled.job_id)["status"] == "cancelled"
    assert db.job(winner.job_id)["status"] == "processing"
    assert winner.complete() == "completed"
    assert db.value("select count(*) from video_worker.leases") == 0
    history = "select count(*) from video_worker.job_events where status = 'completed'"
    assert db.value(history) == 3


def test_segments_that_are_the_last_ones_together_lead_to_one_join(
    db: Db, worker: SqlWorker
) -> None:
    whole, parent = db.new_job(), db.new_job()
    assert (first := worker.claim_one()).job_id == whole
    worker.claim_one().split(100, 100)
    segments = [worker.claim_one() for _ in range(2)]
    assert complete_together(first, *segments) == ["completed"] * 3
    join = worker.claim_one()
    assert (join.row["parent_id"], join.row["segment"]) == (parent, None)
    assert worker.claim() == []
    db.new_job()
    assert complete_together(worker.claim_one(), join) == ["completed"] * 2
    assert db.job(parent)["output_path"] == join.row["output_prefix"] + "/video.mp4"
    assert db.value("select count(*) from public.video_jobs where parent_id is not null") == 0


def test_places_are_passed_on_by_all_of_them(db: Db, worker: SqlWorker) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 3")
    user_id = db.new_user()
    jobs = [db.new_job(user_id) for _ in range(8)]
    for expected in (jobs[:3], jobs[3:6], jobs[6:]):
        claims = [claim for _ in range(4) for claim in worker.claim()]
        assert [claim.job_id for claim in claims] == expected
        assert complete_together(*claims) == ["completed"] * len(expected)


def test_they_wait_for_heartbeats_in_the_order_in_which_those_come(
    db: Db, worker: SqlWorker, new_worker: Callable[[], SqlWorker]
) -> None:
    """A heart beats for all its jobs in one statement, in the order of their ids. Completions that
    held the lease of a later one while they wait for an earlier one would end in a deadlock."""
    for _ in range(2):
        db.new_job()
    claims = [worker.claim_one() for _ in range(2)]
    first, second = sorted(claims, key=lambda claim: claim.job_id)
    for claim in claims:
        claim.heartbeat()  # the next one changes nothing visible, and so leaves the row alone
    heart = new_worker()
    beating = [replace(claim, worker=heart) for claim in (first, second)]
    heart.connection.autocommit = False
    assert beating[0].heartbeat() == "ok"
    answers: list[str] = []
    ending = threading.Thread(target=lambda: answers.extend(complete_together(second, first)))
    ending.start()
    eventually(
        lambda: db.value(
            "select exists (select from pg_stat_activity where wait_event_type = 'Lock'"
            " and query like '%complete_jobs%')"
        )
    )
    assert beating[1].heartbeat() == "ok"
    heart.connection.commit()
    ending.join()
    assert answers == ["completed", "completed"]


async def test_one_that_is_refused_does_not_spoil_the_others(db: Db) -> None:
    for _ in range(6):
        db.new_job()
    database = Database(db.dsn("video_worker"), "test", 20.0)
    await database.open()
    try:
        jobs = Jobs(database, uuid4(), Rhythm())
        claimed = await jobs.claim([uuid4() for _ in range(6)])
        ends = [
            Completed(f"{job.output_prefix}/v", None, {"n": n}) for n, job in enumerate(claimed)
        ]
        ends[3] = Completed(f"{claimed[3].user_id}/elsewhere/v", None, {})
        answers = await asyncio.gather(
            *(jobs.finish(job, end) for job, end in zip(claimed, ends, strict=True)),
            return_exceptions=True,
        )
    finally:
        await database.close()
    assert "outside the folder" in str(answers.pop(3))
    assert answers == ["completed"] * 5
    for n, job in enumerate(claimed):
        assert db.job(job.job_id)["output_info"] == (None if n == 3 else {"n": n})
