"""Rows on their way in: rights, limits, places."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from tests.conftest import Db
from tests.integration.conftest import SqlWorker

INSERT = "insert into public.video_jobs (input_path, subtitle_path) values (%s, %s) returning id"


def test_a_user_queues_a_job_and_sees_only_own_rows(db: Db) -> None:
    alice, bob = db.new_user(), db.new_user()
    db.new_job(bob)
    with db.acting_as(alice) as connection:
        connection.execute(INSERT, [f"{alice}/v.mp4", f"{alice}/s.srt"])
        rows = connection.execute("select * from public.video_jobs").fetchall()
    assert [row["user_id"] for row in rows] == [alice]
    assert rows[0]["status"] == "queued"


def test_the_anonymous_key_sees_and_does_nothing(db: Db) -> None:
    for statement in ("select 1 from public.video_jobs", "delete from public.video_jobs"):
        with (
            db.acting_as(None, "anon") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "status = 'completed'",
        "priority = 9",
        "attempt = 0",
        "output_path = input_path",
        "cancel_requested_at = now()",
    ],
)
def test_a_user_changes_no_column_of_a_row(db: Db, change: str) -> None:
    alice = db.new_user()
    db.new_job(alice)
    with (
        db.acting_as(alice) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"update public.video_jobs set {change}")


@pytest.mark.parametrize("column", ["status", "priority", "run_at", "max_attempts", "place", "id"])
def test_a_user_sets_no_column_that_is_not_granted(db: Db, column: str) -> None:
    alice = db.new_user()
    with (
        db.acting_as(alice) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(
            f"insert into public.video_jobs (input_path, subtitle_path, {column})"
            " values (%s, %s, default)",
            [f"{alice}/v.mp4", f"{alice}/s.srt"],
        )


def test_a_user_queues_nothing_in_the_name_of_another(db: Db) -> None:
    alice, bob = db.new_user(), db.new_user()
    with (
        db.acting_as(alice) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(
            "insert into public.video_jobs (user_id, input_path, subtitle_path)"
            " values (%s, %s, %s)",
            [bob, f"{bob}/v.mp4", f"{bob}/s.srt"],
        )


@pytest.mark.parametrize("table", ["leases", "workers", "job_events", "orphans", "config"])
def test_users_and_the_worker_reach_no_table_of_the_queue(db: Db, table: str) -> None:
    for role in ("authenticated", "service_role"):
        with (
            db.acting_as(db.new_user(), role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"select 1 from video_worker.{table}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.connect("video_worker").execute(f"select 1 from video_worker.{table}")


def test_the_worker_role_reaches_no_job_directly(db: Db) -> None:
    worker = db.connect("video_worker")
    for statement in ("select 1 from public.video_jobs", "delete from public.video_jobs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            worker.execute(statement)


def test_functions_of_the_queue_are_closed_to_everyone_but_those_granted(db: Db) -> None:
    open_to_all = db.admin.execute(
        """
        select p.oid::regprocedure::text name, r.rolname role
        from pg_proc p
        cross join (values ('anon'), ('authenticated'), ('service_role')) as r (rolname)
        where p.pronamespace in ('video_worker'::regnamespace, 'video_admin'::regnamespace)
          and has_function_privilege(r.rolname, p.oid, 'execute')
        order by 1, 2
        """
    ).fetchall()
    granted = (
        "cancel_own_job",
        "is_own_path",
        "own_job_history",
        "own_jobs_ahead",
        "retry_own_job",
    )
    assert {row["name"].split("(")[0].split(".")[1] for row in open_to_all} == set(granted)
    assert {row["role"] for row in open_to_all} == {"authenticated", "service_role"}


def test_every_definer_function_pins_its_search_path(db: Db) -> None:
    loose = db.admin.execute(
        """
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace in ('video_worker'::regnamespace, 'video_admin'::regnamespace)
          and not coalesce(p.proconfig, '{}') @> array['search_path=""']
        """
    ).fetchall()
    assert loose == []


@pytest.mark.parametrize(
    "path",
    [
        "{other}/v.mp4",
        "{me}",
        "{me}/",
        "{me}/../{other}/v.mp4",
        "{me}/./v.mp4",
        "{me}/a/..",
        "{me}//v.mp4",
        "/{me}/v.mp4",
        "{me}/a\\b.mp4",
        "{me}/a\nb.mp4",
        "{me}x/v.mp4",
    ],
)
@pytest.mark.parametrize("column", ["input_path", "subtitle_path"])
def test_a_path_outside_the_owners_folder_is_refused(db: Db, column: str, path: str) -> None:
    me, other = db.new_user(), db.new_user()
    with pytest.raises(psycopg.errors.CheckViolation, match=f"{column}_is_own"):
        db.new_job(me, **{column: path.format(me=me, other=other)})


@pytest.mark.parametrize(
    "name", ["a.mp4", "..a.mp4", "a..b/c d.mp4", "äöü 映画.mp4", "a%2e%2e.mp4"]
)
def test_any_plain_object_name_in_the_owners_folder_is_fine(db: Db, name: str) -> None:
    me = db.new_user()
    assert db.new_job(me, input_path=f"{me}/{name}")


@pytest.mark.parametrize("options", ["[]", '"x"', '{"a": "' + "x" * 70_000 + '"}'])
def test_options_are_a_small_object(db: Db, options: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="options_are_a_small_object"):
        db.new_job(options=options)


def test_a_new_job_can_only_be_queued(db: Db) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="starts as queued"):
        db.new_job(status="processing", attempt=1)


def test_the_same_idempotency_key_is_accepted_once_per_user(db: Db) -> None:
    alice, bob = db.new_user(), db.new_user()
    db.new_job(alice, idempotency_key="k")
    db.new_job(bob, idempotency_key="k")
    with pytest.raises(psycopg.errors.UniqueViolation, match="idempotency_key_used"):
        db.new_job(alice, idempotency_key="k")


def test_a_key_that_was_used_is_told_before_the_quota_is(db: Db) -> None:
    db.admin.execute("update video_worker.config set max_open_jobs_per_user = 1")
    alice = db.new_user()
    db.new_job(alice, idempotency_key="k")
    with pytest.raises(psycopg.errors.UniqueViolation, match="idempotency_key_used"):
        db.new_job(alice, idempotency_key="k")
    with pytest.raises(psycopg.Error, match="quota_open_jobs"):
        db.new_job(alice, idempotency_key="another")


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_user_hands_over_the_trace_of_the_request_and_the_worker_gets_it(
    db: Db, worker: SqlWorker
) -> None:
    alice = db.new_user()
    with db.acting_as(alice) as connection:
        connection.execute(
            "insert into public.video_jobs (input_path, subtitle_path, traceparent)"
            " values (%s, %s, %s)",
            [f"{alice}/v.mp4", f"{alice}/s.srt", TRACE],
        )
    assert worker.claim_one().row["traceparent"] == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "x",
        TRACE.upper(),
        TRACE + "-00",
        TRACE + "\n",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_what_is_no_trace_context_is_refused(db: Db, traceparent: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="traceparent_is_w3c"):
        db.new_job(traceparent=traceparent)


def test_more_open_jobs_than_allowed_are_refused_with_what_to_do(db: Db) -> None:
    db.admin.execute("update video_worker.config set max_open_jobs_per_user = 2")
    alice = db.new_user()
    db.new_job(alice)
    db.new_job(alice)
    with pytest.raises(psycopg.Error) as refused:
        db.new_job(alice)
    assert refused.value.sqlstate == "PT429"
    assert refused.value.diag.message_primary == "quota_open_jobs"
    assert "at most 2" in str(refused.value.diag.message_detail)
    assert db.new_job(), "another user is not concerned"


def test_more_jobs_an_hour_than_allowed_are_refused_until_the_first_is_an_hour_old(db: Db) -> None:
    db.admin.execute("update video_worker.config set max_jobs_per_hour_per_user = 2")
    alice = db.new_user()
    first = db.new_job(alice)
    db.new_job(alice)
    with pytest.raises(psycopg.Error) as refused:
        db.new_job(alice)
    assert refused.value.diag.message_primary == "quota_jobs_per_hour"
    assert "Retry after 3" in str(refused.value.diag.message_hint)
    db.admin.execute(
        "update public.video_jobs set created_at = now() - interval '61 minutes' where id = %s",
        [first],
    )
    assert db.new_job(alice)


def test_parallel_inserts_do_not_pass_the_limit_together(db: Db) -> None:
    db.admin.execute("update video_worker.config set max_open_jobs_per_user = 3")
    alice = db.new_user()
    ready = threading.Barrier(20)
    accepted: list[bool] = []

    def insert() -> None:
        with psycopg.connect(db.dsn()) as connection:
            ready.wait()
            try:
                connection.execute(
                    "insert into public.video_jobs (user_id, input_path, subtitle_path)"
                    " values (%s, %s, %s)",
                    [alice, f"{alice}/v.mp4", f"{alice}/s.srt"],
                )
                connection.commit()
                accepted.append(True)
            except psycopg.Error as error:
                assert error.sqlstate == "PT429"
                accepted.append(False)

    threads = [threading.Thread(target=insert) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted.count(True) == 3
    assert len(accepted) == 20


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
