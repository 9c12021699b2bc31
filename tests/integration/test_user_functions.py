"""What a user may do to a job: cancel it, retry it, read its history, see what comes before it."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from tests.conftest import Db
from tests.integration.conftest import SqlWorker


def test_a_waiting_job_is_cancelled_at_once(db: Db) -> None:
    alice = db.new_user()
    job_id = db.new_job(alice)
    with db.acting_as(alice) as connection:
        row = connection.execute("select * from public.cancel_video_job(%s)", [job_id]).fetchone()
    assert row
    assert row["status"] == "cancelled"
    assert db.job(job_id)["finished_at"] is not None


def test_a_running_job_is_cancelled_through_its_heartbeat(db: Db, worker: SqlWorker) -> None:
    alice = db.new_user()
    job_id = db.new_job(alice)
    claim = worker.claim_one()
    with db.acting_as(alice) as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    assert db.job(job_id)["status"] == "processing"
    assert claim.heartbeat() == "cancel"
    assert claim.cancel() == "cancelled"
    assert db.job(job_id)["status"] == "cancelled"


@pytest.mark.parametrize("end", ["complete", "fail", "release"])
def test_a_cancel_wins_over_every_other_end(db: Db, worker: SqlWorker, end: str) -> None:
    alice = db.new_user()
    job_id = db.new_job(alice)
    claim = worker.claim_one()
    with db.acting_as(alice) as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    assert getattr(claim, end)() == "cancelled"
    assert db.job(job_id)["output_path"] is None


def test_cancelling_a_finished_job_changes_nothing(db: Db, worker: SqlWorker) -> None:
    alice = db.new_user()
    job_id = db.new_job(alice)
    worker.claim_one().complete()
    before = db.job(job_id)
    with db.acting_as(alice) as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    assert db.job(job_id) == before


@pytest.mark.parametrize("function", ["cancel_video_job", "retry_video_job"])
def test_the_job_of_another_user_is_not_found(db: Db, function: str) -> None:
    job_id = db.new_job()
    with (
        db.acting_as(db.new_user()) as connection,
        pytest.raises(psycopg.Error) as refused,
    ):
        connection.execute(f"select public.{function}(%s)", [job_id])
    assert refused.value.sqlstate == "PT404"


def test_the_secret_key_may_cancel_any_job(db: Db) -> None:
    job_id = db.new_job()
    with db.acting_as(None, "service_role") as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    assert db.job(job_id)["status"] == "cancelled"


def test_a_failed_job_is_retried_with_all_its_attempts(db: Db, worker: SqlWorker) -> None:
    alice = db.new_user()
    job_id = db.new_job(alice)
    worker.claim_one().fail()
    with db.acting_as(alice) as connection:
        connection.execute("select public.retry_video_job(%s)", [job_id])
    job = db.job(job_id)
    assert (job["status"], job["attempt"], job["error_code"]) == ("queued", 0, None)
    assert worker.claim_one().complete() == "completed"


def test_only_an_unsuccessful_job_can_be_retried(db: Db) -> None:
    alice = db.new_user()
    job_id = db.new_job(alice)
    with db.acting_as(alice) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute("select public.retry_video_job(%s)", [job_id])
    assert refused.value.sqlstate == "PT409"


def test_the_history_tells_what_happened_to_its_owner_only(db: Db, worker: SqlWorker) -> None:
    alice, bob = db.new_user(), db.new_user()
    job_id = db.new_job(alice)
    claim = worker.claim_one()
    claim.heartbeat("render")
    claim.complete()
    query = "select status, stage from public.video_job_history(%s)"
    with db.acting_as(alice) as connection:
        events = connection.execute(query, [job_id]).fetchall()
    assert [(event["status"], event["stage"]) for event in events] == [
        ("queued", None),
        ("processing", "download"),
        ("processing", "render"),
        ("completed", None),
    ]
    with db.acting_as(bob) as connection:
        assert connection.execute(query, [job_id]).fetchall() == []


def test_jobs_ahead_are_counted_for_the_owner_of_a_waiting_job_only(
    db: Db, worker: SqlWorker
) -> None:
    alice, bob = db.new_user(), db.new_user()
    first, second = db.new_job(bob), db.new_job(bob)
    waiting = db.new_job(alice)
    urgent = db.new_job(bob, priority=1)
    query = "select public.video_jobs_ahead(%s) as ahead"

    def ahead(user_id: UUID, job_id: UUID) -> object:
        with db.acting_as(user_id) as connection:
            row = connection.execute(query, [job_id]).fetchone()
            assert row
            return row["ahead"]

    # Alice's first job goes before Bob's second.
    assert [ahead(alice, waiting), ahead(bob, second), ahead(bob, urgent)] == [2, 3, 0]
    assert ahead(bob, waiting) is None
    assert [worker.claim_one().job_id, worker.claim_one().job_id] == [urgent, first]
    assert [ahead(alice, waiting), ahead(bob, first)] == [0, None]
