"""A fair place for every job, and no more of a user's jobs at once than allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from tests.conftest import Db
from tests.integration.conftest import SqlWorker


def test_a_newcomer_goes_before_the_second_job_of_a_user_with_a_backlog(
    db: Db, worker: SqlWorker
) -> None:
    alice, bob = db.new_user(), db.new_user()
    backlog = [db.new_job(alice) for _ in range(20)]
    assert worker.claim_one().job_id == backlog[0]
    newcomer = db.new_job(bob)
    assert worker.claim_one().job_id == newcomer


def test_users_with_backlogs_take_turns(db: Db, worker: SqlWorker) -> None:
    users = [db.new_user() for _ in range(3)]
    for user in users:
        for _ in range(4):
            db.new_job(user)
    turns = []
    while claims := worker.claim():
        turns.append(users.index(claims[0].row["user_id"]))
        claims[0].complete()
    assert turns == [0, 1, 2] * 4


def test_one_who_queues_again_after_each_job_gets_no_more_than_a_turn(
    db: Db, worker: SqlWorker
) -> None:
    alice, bob = db.new_user(), db.new_user()
    for _ in range(10):
        db.new_job(alice)
    turns = []
    for _ in range(10):
        db.new_job(bob)
        claim = worker.claim_one()
        turns.append(claim.row["user_id"])
        claim.complete()
    assert turns.count(alice) >= 4


def test_a_higher_priority_goes_first(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    urgent = db.new_job(priority=5)
    assert worker.claim_one().job_id == urgent


def test_a_job_for_later_waits_for_its_time(db: Db, worker: SqlWorker) -> None:
    later = db.new_job(run_at=db.value("select now() + interval '1 hour'"))
    assert db.job(later)["place"] is None
    assert worker.claim() == []
    assert 3500 < worker.check_in()["next_job_in"] <= 3600
    db.admin.execute("update public.video_jobs set run_at = now() where id = %s", [later])
    assert worker.claim_one().job_id == later


def test_a_user_runs_no_more_jobs_than_allowed_while_others_go_on(
    db: Db, worker: SqlWorker
) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 2")
    alice, bob = db.new_user(), db.new_user()
    for _ in range(5):
        db.new_job(alice)
    running = worker.claim(10)
    assert len(running) == 2
    bobs = db.new_job(bob)
    assert [claim.job_id for claim in worker.claim(10)] == [bobs]
    running[0].complete()
    assert len(worker.claim(10)) == 1


def test_workers_that_claim_at_once_do_not_pass_a_users_limit_together(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 3")
    alice = db.new_user()
    for _ in range(30):
        db.new_job(alice)
    workers = [new_worker() for _ in range(10)]
    ready = threading.Barrier(len(workers))

    def claim(worker: SqlWorker) -> None:
        ready.wait()
        worker.claim(2)

    threads = [threading.Thread(target=claim, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.value("select count(*) from video_worker.leases") <= 3


def test_a_retry_whose_time_has_come_enters_at_the_head_of_the_queue(
    db: Db, worker: SqlWorker
) -> None:
    alice = db.new_user()
    first = db.new_job(alice)
    for _ in range(3):
        db.new_job(alice)
    assert worker.claim_one().fail(timedelta(seconds=30)) == "queued"
    db.admin.execute("update public.video_jobs set run_at = now() where id = %s", [first])
    assert worker.claim_one().job_id == first


def held(db: Db) -> int:
    count: int = db.value("select count(*) from public.video_jobs where held")
    return count


def test_only_as_many_jobs_of_a_user_as_may_run_stand_in_the_queue(
    db: Db, worker: SqlWorker
) -> None:
    """The rest is held, and each that ends passes its place on, whatever the way it ends."""
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 2")
    alice = db.new_user()
    jobs = [db.new_job(alice) for _ in range(9)]
    assert held(db) == 7
    a, b = worker.claim(5)
    assert a.complete() == "completed"
    assert held(db) == 6
    assert b.fail() == "failed"
    assert held(db) == 5
    c, d = worker.claim(5)
    assert c.fail(timedelta(hours=1)) == "queued"
    assert held(db) == 4
    assert d.release() == "queued"
    assert held(db) == 4, "it keeps its place"
    with db.acting_as(alice) as connection:
        connection.execute("select public.cancel_video_job(%s)", [d.job_id])
    assert held(db) == 3
    db.admin.execute("delete from public.video_jobs where id = %s", [jobs[4]])
    assert held(db) == 2
    with db.acting_as(alice) as connection:
        connection.execute("select public.cancel_video_job(%s)", [jobs[8]])
    assert held(db) == 1, "a held job has no place to pass on"
    assert [claim.job_id for claim in worker.claim(5)] == [jobs[5], jobs[6]]


def test_a_retry_of_the_user_stands_in_line_like_a_new_job(db: Db, worker: SqlWorker) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 1")
    alice = db.new_user()
    first, second = db.new_job(alice), db.new_job(alice)
    worker.claim_one().fail()
    assert held(db) == 0
    with db.acting_as(alice) as connection:
        connection.execute("select public.retry_video_job(%s)", [first])
    assert held(db) == 1
    claim = worker.claim_one()
    assert claim.job_id == second
    claim.complete()
    assert worker.claim_one().job_id == first


def test_an_urgent_job_takes_the_place_of_a_less_urgent_one_of_the_same_user(
    db: Db, worker: SqlWorker
) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 2")
    alice = db.new_user()
    running, displaced = db.new_job(alice), db.new_job(alice)
    claim = worker.claim_one()
    assert claim.job_id == running
    urgent = db.new_job(alice, priority=5)
    assert db.job(displaced)["held"]
    assert [job.job_id for job in worker.claim(5)] == [urgent]
    claim.complete()
    assert worker.claim_one().job_id == displaced


@pytest.mark.parametrize("limit", [4, None])
def test_a_raised_limit_takes_effect_without_a_restart(
    db: Db, worker: SqlWorker, limit: int | None
) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 1")
    alice, bob = db.new_user(), db.new_user()
    for user in (alice, bob):
        for _ in range(4):
            db.new_job(user)
    assert len(worker.claim(8)) == 2
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = %s", [limit])
    assert len(worker.claim(8)) == 6


def test_a_lowered_limit_holds_for_the_jobs_that_come_next(db: Db, worker: SqlWorker) -> None:
    alice = db.new_user()
    for _ in range(8):
        db.new_job(alice)
    running = worker.claim(8)
    assert len(running) == 5
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 2")
    for claim in running[:3]:
        claim.complete()
        assert worker.claim(8) == []
    running[3].complete()
    assert len(worker.claim(8)) == 1


@pytest.mark.parametrize("by", ["claim", "check-in"])
def test_a_job_held_while_its_users_last_place_came_free_is_found(
    db: Db, worker: SqlWorker, by: str
) -> None:
    """The insert has counted the running job, and commits after that has ended."""
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 1")
    alice = db.new_user()
    db.new_job(alice)
    claim = worker.claim_one()
    with psycopg.connect(db.dsn()) as late:
        late.execute(
            "insert into public.video_jobs (user_id, input_path, subtitle_path)"
            " values (%s, %s, %s)",
            [alice, f"{alice}/v.mp4", f"{alice}/s.srt"],
        )
        claim.complete()
        late.commit()
    assert held(db) == 1
    if by == "check-in":
        assert worker.check_in()["jobs_ready"]
        assert held(db) == 0
    assert len(worker.claim()) == 1
