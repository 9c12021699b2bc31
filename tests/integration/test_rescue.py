"""Jobs of dead workers are taken over, those of slow ones are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.conftest import Db
from tests.integration.conftest import SqlWorker, age_lease
from worker.errors import CATALOGUE

MINUTE = timedelta(minutes=1)


def test_an_expired_lease_is_rescued_and_the_attempt_stays_spent(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    new_worker().claim_one()
    survivor = new_worker()
    assert survivor.check_in()["rescued"] == 0
    age_lease(db, job_id, MINUTE)
    assert survivor.check_in()["rescued"] == 1
    job = db.job(job_id)
    assert (job["status"], job["attempt"], job["error_code"]) == ("queued", 1, "worker_lost")
    assert job["error_message"] == CATALOGUE["worker_lost"].message
    claim = survivor.claim_one()
    assert claim.row["attempt"] == 2
    assert claim.complete() == "completed"
    assert db.job(job_id)["error_code"] is None


def test_a_job_that_kills_every_worker_fails_in_the_end(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job(max_attempts=2)
    survivor = new_worker()
    for _ in range(2):
        new_worker().claim_one()
        age_lease(db, job_id, MINUTE)
        survivor.check_in()
    job = db.job(job_id)
    assert (job["status"], job["error_code"]) == ("failed", "worker_lost")


def test_a_cancelled_job_of_a_dead_worker_ends_cancelled(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    new_worker().claim_one()
    with db.acting_as(None, "service_role") as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    age_lease(db, job_id, MINUTE)
    new_worker().check_in()
    assert db.job(job_id)["status"] == "cancelled"


def test_a_free_session_lock_and_one_late_heartbeat_mean_death(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    dead, survivor = new_worker(), new_worker()
    dead.check_in(holds_lock=True)
    dead.claim_one()
    assert survivor.check_in()["rescued"] == 0, "the heartbeat is not late yet"
    age_lease(db, job_id, timedelta(seconds=8))
    assert survivor.check_in()["rescued"] == 1


def test_a_slow_worker_that_holds_its_lock_is_left_alone(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    slow, survivor = new_worker(), new_worker()
    session = db.connect("video_worker")
    session.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [str(slow.id)])
    slow.check_in(holds_lock=True)
    claim = slow.claim_one()
    age_lease(db, job_id, timedelta(seconds=50))
    assert survivor.check_in()["rescued"] == 0
    assert claim.heartbeat() == "ok"


def test_a_heartbeat_at_the_last_moment_wins_and_nobody_waits(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    """Heartbeats of several jobs come in one statement: a rescue that waited for the lease of one
    with that of another in its hands would end in a deadlock."""
    late, survivor = new_worker(), new_worker()
    jobs = [db.new_job(), db.new_job()]
    second, first = late.claim_one(), late.claim_one()
    first.heartbeat()  # the next one changes nothing visible, and so leaves the row alone
    for job_id in jobs:
        age_lease(db, job_id, MINUTE)
    survivor.connection.execute("set lock_timeout = '1ms'")
    late.connection.autocommit = False
    first.heartbeat()
    assert survivor.check_in()["rescued"] == 1
    assert second.heartbeat() == "lost"
    late.connection.commit()
    assert first.heartbeat() == "ok"


def test_an_outage_of_the_database_makes_nobody_look_dead(db: Db, worker: SqlWorker) -> None:
    """The server of the tests has been up for less than this lease says it was silent."""
    db.new_job()
    worker.claim_one()
    db.admin.execute(
        "update video_worker.leases set expires_at = now() - interval '1 day', duration = '1 hour'"
    )
    assert worker.check_in()["rescued"] == 0


def test_without_a_lock_the_lease_alone_decides(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    dead, survivor = new_worker(), new_worker()
    dead.check_in(holds_lock=False)
    dead.claim_one()
    age_lease(db, job_id, timedelta(seconds=50))
    assert survivor.check_in()["rescued"] == 0
