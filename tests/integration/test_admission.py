"""What happens to a row on its way in: its invariants, keys, and quotas."""

from __future__ import annotations

import threading

import psycopg
import pytest

from tests.conftest import Db
from tests.integration.conftest import SqlWorker


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
