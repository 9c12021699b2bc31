"""From claim to end: the fence, the lease, and what each transition leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.conftest import Db, eventually
from tests.integration.conftest import SqlWorker, age_lease
from worker.errors import CATALOGUE

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


def test_an_admins_drain_reaches_the_worker(db: Db, worker: SqlWorker) -> None:
    assert not worker.check_in()["drain"]
    assert db.value("select video_admin.drain_worker(%s)", [worker.id])
    assert worker.check_in()["drain"]
    assert not db.value("select video_admin.drain_worker(%s)", [uuid4()])


def test_an_admins_requeue_takes_a_running_job_from_its_worker(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    stuck = worker.claim_one()
    db.admin.execute("select video_admin.requeue(%s)", [job_id])
    assert stuck.heartbeat() == "lost"
    assert worker.claim_one().complete() == "completed"


def test_an_admins_cancel_and_requeue_return_the_job_as_it_is_then(
    db: Db, worker: SqlWorker
) -> None:
    running, waiting = db.new_job(), db.new_job()
    claim = worker.claim_one()
    assert claim.job_id == running
    query = "select id, status::text from video_admin.{}(%s)"
    for function, job_id, status in (
        ("cancel", running, "processing"),
        ("cancel", waiting, "cancelled"),
        ("requeue", waiting, "queued"),
    ):
        row = db.admin.execute(query.format(function), [job_id]).fetchone()
        assert row == {"id": job_id, "status": status}, function
    assert claim.heartbeat() == "cancel"
    assert db.value("select id from video_admin.cancel(%s)", [uuid4()]) is None


def test_pruning_deletes_what_is_old_and_unsuccessful_and_keeps_the_rest(
    db: Db, worker: SqlWorker
) -> None:
    failed, completed, fresh = db.new_job(), db.new_job(), db.new_job()
    worker.claim_one().fail()
    worker.claim_one().complete()
    worker.claim_one().fail()
    db.admin.execute(
        "update public.video_jobs set finished_at = now() - interval '31 days' where id <> %s",
        [fresh],
    )
    row = worker.connection.execute("select video_worker.prune()").fetchone()
    assert row == {"prune": 1}
    left = {row["id"] for row in db.admin.execute("select id from public.video_jobs").fetchall()}
    assert left == {completed, fresh}
    assert failed not in left


def test_every_admin_view_answers(db: Db, worker: SqlWorker) -> None:
    worker.check_in()
    for _ in range(3):
        db.new_job()
    worker.claim_one().complete()
    worker.claim_one().fail()
    worker.claim_one().heartbeat()
    views = db.admin.execute(
        "select viewname from pg_views where schemaname = 'video_admin' order by 1"
    ).fetchall()
    assert len(views) == 9
    for view in views:
        rows = db.admin.execute(f"select * from video_admin.{view['viewname']}").fetchall()
        assert rows, view["viewname"]


def test_everything_an_admin_meets_has_a_comment(db: Db) -> None:
    bare = db.admin.execute(
        """
        select c.oid::regclass::text name from pg_class c
        where c.relnamespace = 'video_admin'::regnamespace and obj_description(c.oid) is null
        union all
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'video_admin'::regnamespace and obj_description(p.oid) is null
        """
    ).fetchall()
    assert bare == []
