"""From claim to end: the fence, the lease, and what each transition leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Db, eventually
from tests.integration.conftest import SqlWorker, age_lease

MINUTE = timedelta(minutes=1)


def test_a_claim_counts_the_attempt_and_starts_the_job(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job(options='{"style": {"bold": true}}')
    claim = worker.claim_one()
    assert claim.job_id == job_id
    assert claim.row["options"] == {"style": {"bold": True}}
    assert claim.row["output_prefix"] == (f"{claim.row['user_id']}/{job_id}/1-{claim.token}")
    job = db.job(job_id)
    assert (job["status"], job["stage"], job["attempt"]) == ("processing", "download", 1)
    assert job["started_at"] is not None


def test_claiming_again_with_the_same_tokens_returns_the_same_jobs(
    db: Db, worker: SqlWorker
) -> None:
    for _ in range(3):
        db.new_job()
    tokens = [uuid4(), uuid4()]
    first = worker.claim(tokens=tokens)
    again = worker.claim(tokens=tokens)
    assert [(c.job_id, c.token) for c in again] == [(c.job_id, c.token) for c in first]
    assert len(first) == 2
    assert db.value("select sum(attempt) from public.video_jobs") == 2


def test_fifty_claims_at_once_give_a_job_to_exactly_one(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    db.new_job()
    workers = [new_worker() for _ in range(20)]
    ready = threading.Barrier(len(workers))
    claimed: list[int] = []

    def claim(worker: SqlWorker) -> None:
        ready.wait()
        claimed.append(len(worker.claim()))

    threads = [threading.Thread(target=claim, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [0] * 19 + [1]


def test_a_heartbeat_renews_the_lease_and_shows_progress(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    age_lease(db, job_id, timedelta(seconds=30))
    before = db.value("select expires_at from video_worker.leases")
    assert claim.heartbeat("render", 40, 12) == "ok"
    assert db.value("select expires_at from video_worker.leases") > before
    job = db.job(job_id)
    assert (job["stage"], job["progress"], job["eta_seconds"]) == ("render", 40, 12)


def test_a_heartbeat_that_changes_nothing_visible_leaves_the_row_alone(
    db: Db, worker: SqlWorker
) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    claim.heartbeat()
    version = db.value("select xmin::text from public.video_jobs where id = %s", [job_id])
    assert claim.heartbeat() == "ok"
    assert db.value("select xmin::text from public.video_jobs where id = %s", [job_id]) == version


def test_progress_is_a_heap_only_update(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    claim = worker.claim_one()
    for progress in range(1, 11):
        claim.heartbeat(progress=progress)
    db.admin.execute("select pg_stat_force_next_flush()")
    worker.connection.execute("select pg_stat_force_next_flush()")
    worker.connection.execute("select 1")
    row = db.admin.execute(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'video_jobs'"
    ).fetchone()
    assert row
    assert row["n_tup_hot_upd"] >= 10


def test_completing_publishes_the_result(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    assert claim.complete() == "completed"
    job = db.job(job_id)
    assert (job["status"], job["progress"], job["stage"]) == ("completed", 100, None)
    assert job["output_path"] == claim.row["output_prefix"] + "/video.mp4"
    assert job["finished_at"] is not None
    assert db.value("select count(*) from video_worker.leases") == 0
    assert db.value("select count(*) from video_worker.orphans") == 0


def test_completing_again_after_a_lost_reply_is_still_completed(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    claim = worker.claim_one()
    assert [claim.complete(), claim.complete()] == ["completed", "completed"]


def test_an_output_outside_the_claims_folder_is_refused(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    claim = worker.claim_one()
    with pytest.raises(psycopg.errors.CheckViolation):
        claim.complete(f"{claim.row['user_id']}/x/video.mp4")


@pytest.mark.parametrize("late", ["complete", "fail", "cancel", "release", "heartbeat"])
def test_who_lost_the_job_changes_nothing(
    db: Db, new_worker: Callable[[], SqlWorker], late: str
) -> None:
    job_id = db.new_job()
    paused = new_worker().claim_one()
    age_lease(db, job_id, MINUTE)
    second = new_worker()
    assert second.check_in()["rescued"] == 1
    winner = second.claim_one()
    before = db.job(job_id)
    assert getattr(paused, late)() == "lost"
    assert db.job(job_id) == before
    assert winner.complete() == "completed"
    assert getattr(paused, late)() == "lost"
    assert db.job(job_id)["output_path"].startswith(winner.row["output_prefix"])


def test_a_token_of_an_earlier_claim_of_the_same_worker_is_no_good(
    db: Db, worker: SqlWorker
) -> None:
    db.new_job()
    first = worker.claim_one()
    first.release()
    second = worker.claim_one()
    assert first.complete() == "lost"
    assert second.complete() == "completed"


def test_a_finish_that_waits_for_the_row_does_not_slip_through_with_an_old_token(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    """The rescue commits while the old owner's finish waits for the row's lock."""
    job_id = db.new_job()
    old = new_worker().claim_one()
    age_lease(db, job_id, MINUTE)
    answers: list[str] = []
    with psycopg.connect(db.dsn()) as rescuer:
        rescuer.execute("select video_worker.rescue_expired('-infinity')")
        rescuer.execute(
            "select * from video_worker.claim_jobs(%s, %s, '1 minute')", [uuid4(), [uuid4()]]
        )
        waiting = threading.Thread(target=lambda: answers.append(old.complete()))
        waiting.start()
        eventually(
            lambda: db.value(
                "select exists (select from pg_stat_activity where wait_event_type = 'Lock'"
                " and query like '%complete_jobs%')"
            )
        )
        rescuer.commit()
    waiting.join()
    assert answers == ["lost"]
    assert db.job(job_id)["status"] == "processing"


def test_a_failure_with_a_retry_queues_the_job_for_later(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    assert worker.claim_one().fail(timedelta(seconds=30)) == "queued"
    job = db.job(job_id)
    assert (job["status"], job["attempt"], job["error_code"]) == ("queued", 1, "render_failed")
    assert worker.claim() == []
    assert 25 < worker.check_in()["next_job_in"] <= 30


def test_a_check_in_says_when_no_job_is_scheduled(db: Db, worker: SqlWorker) -> None:
    assert worker.check_in()["next_job_in"] is None
    db.new_job()
    assert worker.check_in()["next_job_in"] is None, "it is ready"


def test_a_failure_without_a_retry_is_final(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    assert worker.claim_one().fail() == "failed"
    job = db.job(job_id)
    assert (job["status"], job["stage"]) == ("failed", "download")
    assert (job["error_code"], job["error_message"]) == ("render_failed", "It did not work.")


def test_the_last_attempt_fails_for_good(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job(max_attempts=2)
    assert worker.claim_one().fail(timedelta(0)) == "queued"
    assert worker.claim_one().fail(timedelta(0)) == "failed"
    assert db.job(job_id)["attempt"] == 2


def test_a_release_spends_no_attempt_and_keeps_the_place(db: Db, worker: SqlWorker) -> None:
    alice = db.new_user()
    first, _second = db.new_job(alice), db.new_job(alice)
    assert worker.claim_one().release() == "queued"
    assert db.job(first)["attempt"] == 0
    assert worker.claim_one().job_id == first


def test_an_attempt_that_did_not_complete_leaves_its_folder_to_the_sweep(
    db: Db, worker: SqlWorker
) -> None:
    db.new_job()
    claim = worker.claim_one()
    claim.fail(timedelta(0))
    db.admin.execute("update video_worker.orphans set due_at = now()")
    assert worker.check_in()["orphans_due"]
    prefixes = worker.connection.execute("select * from video_worker.take_orphans(10)").fetchall()
    assert [row["take_orphans"] for row in prefixes] == [claim.row["output_prefix"]]
    assert not worker.check_in()["orphans_due"], "it is handed out once at a time"
    worker.connection.execute("select video_worker.clear_orphan(%s)", [claim.row["output_prefix"]])
    assert db.value("select count(*) from video_worker.orphans") == 0


def test_a_deleted_job_leaves_its_folder_to_the_sweep(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    db.admin.execute("delete from public.video_jobs where id = %s", [job_id])
    assert claim.complete() == "lost"
    user_id = claim.row["user_id"]
    assert db.value("select array_agg(prefix) from video_worker.orphans") == [f"{user_id}/{job_id}"]


def test_deleting_the_user_takes_the_job_from_its_worker(db: Db, worker: SqlWorker) -> None:
    alice = db.new_user()
    db.new_job(alice)
    claim = worker.claim_one()
    db.admin.execute("delete from auth.users where id = %s", [alice])
    assert claim.heartbeat() == "lost"
