"""Who may see and change what."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Db

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
