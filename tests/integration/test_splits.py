"""A job in segments, in the database: its parts are jobs like any other, and decide its fate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from tests.conftest import Db
from tests.integration.conftest import Claim, SqlWorker, age_lease

MINUTE = timedelta(minutes=1)


def split(worker: SqlWorker, *frames: int) -> Claim:
    """Claims the first job and splits it."""
    claim = worker.claim_one()
    assert claim.split(*(frames or (100, 100, 100))) == "split"
    return claim


def segments_done(worker: SqlWorker) -> None:
    """Completes all segments that there are."""
    while (claims := worker.claim()) and claims[0].row["segment"] is not None:
        assert claims[0].complete() == "completed"
    for claim in claims:
        claim.release()


def orphans(db: Db) -> set[str]:
    rows = db.admin.execute("select prefix from video_worker.orphans").fetchall()
    return {row["prefix"] for row in rows}


def rows(db: Db) -> int:
    count: int = db.value("select count(*) from public.video_jobs")
    return count


def test_any_worker_claims_the_segments_of_a_job_that_nobody_holds(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job(options='{"quality": "high"}')
    splitting = split(new_worker(), 10, 20)
    job = db.job(job_id)
    assert (job["status"], job["stage"], job["attempt"], job["place"]) == (
        "processing", "render", 1, None,
    )  # fmt: skip
    assert db.value("select count(*) from video_worker.leases") == 0
    claims = [claim for _ in range(3) for claim in new_worker().claim()]
    assert sorted(claim.row["segment"] for claim in claims) == [0, 1]
    for claim in claims:
        row = claim.row
        assert row["parent_id"] == job_id
        assert (row["input_path"], row["options"]) == (job["input_path"], {"quality": "high"})
        assert row["output_prefix"] == f"{job['user_id']}/{job_id}/1-{claim.token}"
        assert row["split"] == {
            "common": 1,
            "prefix": splitting.row["output_prefix"],
            "segment": {"frames": 10 * (row["segment"] + 1)},
        }


def test_the_last_segment_leads_to_the_join_and_the_join_completes_the_job(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    splitting = split(new_worker())
    claims = [new_worker().claim_one() for _ in range(3)]
    assert new_worker().claim() == []
    for claim in reversed(claims):
        assert db.job(job_id)["status"] == "processing"
        assert [claim.complete(), claim.complete()] == ["completed", "completed"]
    join = new_worker().claim_one()
    assert (join.row["parent_id"], join.row["segment"]) == (job_id, None)
    prefixes = [
        claim.row["output_prefix"] for claim in sorted(claims, key=lambda c: c.row["segment"])
    ]
    assert join.row["split"]["segments"] == [
        {"path": f"{prefix}/video.mp4", "warnings": []} for prefix in prefixes
    ]
    assert [join.complete(), join.complete()] == ["completed", "completed"]
    job = db.job(job_id)
    assert (job["status"], job["progress"], job["attempt"], job["stage"]) == (
        "completed", 100, 1, None,
    )  # fmt: skip
    assert job["output_path"] == join.row["output_prefix"] + "/video.mp4"
    assert rows(db) == 1
    assert db.value("select count(*) from video_worker.splits") == 0
    assert orphans(db) == {*prefixes, splitting.row["output_prefix"]}
    assert claims[0].complete() == "lost", "what a segment was is garbage by now"


def test_splitting_again_after_a_lost_reply_is_still_split(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    claim = split(worker)
    assert claim.split(100, 100, 100) == "split"
    assert rows(db) == 4


def test_who_has_lost_the_job_splits_nothing(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    age_lease(db, job_id, 2 * MINUTE)
    worker.check_in()
    assert claim.split(1, 1) == "lost"
    assert rows(db) == 1


def test_of_two_last_segments_one_is_the_last(db: Db, new_worker: Callable[[], SqlWorker]) -> None:
    for _ in range(10):
        db.new_job()
        split(new_worker(), 1, 1)
        claims = [new_worker().claim_one() for _ in range(2)]
        together = threading.Barrier(2)

        def complete(claim: Claim, together: threading.Barrier = together) -> None:
            together.wait()
            assert claim.complete() == "completed"

        threads = [threading.Thread(target=complete, args=[claim]) for claim in claims]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        join = new_worker().claim_one()
        assert join.row["segment"] is None
        assert join.complete() == "completed"
    assert rows(db) == 10


def test_nobody_but_the_worker_sees_parts_of_a_job(db: Db, worker: SqlWorker) -> None:
    user = db.new_user()
    job_id = db.new_job(user)
    split(worker)
    part = db.value(
        "select min(id::text)::uuid from public.video_jobs where parent_id = %s", [job_id]
    )
    with db.acting_as(user) as connection:
        seen = connection.execute("select id from public.video_jobs").fetchall()
        assert seen == [{"id": job_id}]
    for function in ("cancel_video_job", "retry_video_job"):
        with (
            db.acting_as(user, "service_role") as connection,
            pytest.raises(psycopg.Error, match="job_not_found"),
        ):
            connection.execute(f"select public.{function}(%s)", [part])
    assert db.value("select video_admin.cancel(%s) is null", [part])
    assert db.value("select video_admin.requeue(%s) is null", [part])
    assert db.value("select sum(jobs) from video_admin.queue") == 1
    assert db.value("select sum(segments) from video_admin.queue") == 3


def test_a_cancel_ends_the_job_at_once_and_workers_hear_that_they_have_lost_its_parts(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    user = db.new_user()
    job_id = db.new_job(user)
    splitting = split(new_worker())
    done, running = new_worker().claim_one(), new_worker().claim_one()
    done.complete()
    listener = db.connect()
    listener.execute("listen video_worker")
    with db.acting_as(user) as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    job = db.job(job_id)
    assert job["status"] == "cancelled"
    assert job["cancel_requested_at"] is not None
    notified = [notify.payload for notify in listener.notifies(timeout=5, stop_after=1)]
    assert notified == ["cancel"]
    assert [running.heartbeat(), running.complete(), running.fail(), running.unsplit()] == (
        ["lost"] * 4
    )
    assert rows(db) == 1
    assert orphans(db) == {c.row["output_prefix"] for c in (splitting, done, running)}
    assert new_worker().claim() == []
    with db.acting_as(user) as connection:
        connection.execute("select public.retry_video_job(%s)", [job_id])
    assert split(new_worker()).job_id == job_id


def test_a_job_that_is_cancelled_while_it_is_being_split_is_not_split(
    db: Db, worker: SqlWorker
) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    db.admin.execute("select video_admin.cancel(%s)", [job_id])
    assert claim.split(1, 1) == "cancelled"
    assert (db.job(job_id)["status"], rows(db)) == ("cancelled", 1)


def test_a_segment_that_is_tried_again_is_nothing_that_the_user_sees(
    db: Db, worker: SqlWorker
) -> None:
    job_id = db.new_job()
    split(worker)
    claim = worker.claim_one()
    assert claim.fail(timedelta(0)) == "queued"
    job = db.job(job_id)
    assert (job["status"], job["error_code"], job["attempt"]) == ("processing", None, 1)
    segments_done(worker)
    assert worker.claim_one().complete() == "completed"


@pytest.mark.parametrize("part", ["segment", "join"])
def test_a_part_that_fails_for_good_fails_the_job(db: Db, worker: SqlWorker, part: str) -> None:
    job_id = db.new_job()
    split(worker)
    others = worker.claim(2)
    if part == "join":
        for claim in [*others, worker.claim_one()]:
            claim.complete()
    assert worker.claim_one().fail() == "failed"
    job = db.job(job_id)
    assert (job["status"], job["error_code"]) == ("failed", "render_failed")
    assert (rows(db), others[0].heartbeat()) == (1, "lost")
    assert db.value("select count(*) from video_worker.splits") == 0


def test_a_segment_has_as_many_attempts_as_its_job_and_dead_workers_spend_them(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job(max_attempts=2)
    split(new_worker(), 1)
    for attempt in (1, 2):
        claim = new_worker().claim_one()
        assert claim.row["attempt"] == attempt
        age_lease(db, claim.job_id, 2 * MINUTE)
        assert new_worker().check_in()["rescued"] == 1
    job = db.job(job_id)
    assert (job["status"], job["error_code"]) == ("failed", "worker_lost")


def test_what_was_encoded_outlives_the_death_of_the_worker_that_joins_it(
    db: Db, new_worker: Callable[[], SqlWorker]
) -> None:
    job_id = db.new_job()
    split(new_worker())
    segments_done(new_worker())
    killed = new_worker().claim_one()
    age_lease(db, killed.job_id, 2 * MINUTE)
    new_worker().check_in()
    join = new_worker().claim_one()
    assert len(join.row["split"]["segments"]) == 3
    assert join.complete() == "completed"
    assert killed.complete() == "lost"
    assert db.job(job_id)["attempt"] == 1


@pytest.mark.parametrize("part", ["segment", "join"])
def test_segments_that_do_not_fit_are_given_up_and_the_video_is_burned_whole(
    db: Db, worker: SqlWorker, part: str
) -> None:
    job_id = db.new_job(max_attempts=1)
    splitting = split(worker)
    if part == "join":
        segments_done(worker)
    claim = worker.claim_one()
    assert claim.unsplit() == "queued"
    assert claim.unsplit() == "lost"
    job = db.job(job_id)
    assert (job["status"], job["attempt"], job["whole"], job["progress"]) == ("queued", 0, True, 0)
    assert rows(db) == 1
    assert {claim.row["output_prefix"], splitting.row["output_prefix"]} <= orphans(db)
    whole = worker.claim_one()
    assert (whole.job_id, whole.row["whole"], whole.row["split"]) == (job_id, True, None)
    assert whole.complete() == "completed"


def test_a_segment_that_is_given_back_keeps_its_attempts(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    split(worker)
    claim = worker.claim_one()
    assert claim.release() == "queued"
    (again,) = (c for c in worker.claim(3) if c.job_id == claim.job_id)
    assert again.row["attempt"] == 1


def test_progress_is_that_of_all_segments_by_their_frames_and_never_goes_back(
    db: Db, worker: SqlWorker
) -> None:
    job_id = db.new_job()
    claim = worker.claim_one()
    claim.heartbeat("probe", 10)
    claim.split(100, 300)
    db.admin.execute("update video_worker.splits set split_at = now() - interval '100 s'")

    def shown() -> tuple[str, int, int | None]:
        job = db.job(job_id)
        return job["stage"], job["progress"], job["eta_seconds"]

    assert shown() == ("render", 10, None)
    small, large = sorted(worker.claim(2), key=lambda claim: claim.row["segment"])
    large.heartbeat("render", 50)
    assert shown() == ("render", 40, 200)
    small.complete()
    assert shown() == ("render", 60, 80)
    large.release()
    (large,) = worker.claim()
    large.heartbeat("render", 10)
    assert shown()[:2] == ("render", 60)
    large.complete()
    assert shown()[:2] == ("render", 90)
    join = worker.claim_one()
    join.heartbeat("upload", 50)
    assert shown()[:2] == ("upload", 95)


def test_what_happens_to_a_part_is_sent_to_nobody(db: Db, worker: SqlWorker) -> None:
    db.new_job()
    claim = worker.claim_one()
    before = db.value("select count(*) from realtime.messages")
    claim.split(100, 100)
    segment = worker.claim_one()
    segment.heartbeat("render", 3)
    segment.complete()
    texts = db.admin.execute("select payload ->> 'id' id from realtime.messages").fetchall()
    assert {text["id"] for text in texts} == {str(claim.job_id)}
    assert len(texts) == before + 3, "split, and twice that its progress moved"


def test_segments_run_within_their_users_limit_and_the_split_job_does_not_count(
    db: Db, worker: SqlWorker
) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 2")
    job_id = db.new_job()
    split(worker)
    assert len(worker.claim(5)) == 2
    assert worker.claim(5) == []
    assert db.job(job_id)["status"] == "processing"


def test_a_limit_of_one_running_job_does_not_stop_a_split_one(db: Db, worker: SqlWorker) -> None:
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 1")
    user = db.new_user()
    first, second = db.new_job(user), db.new_job(user)
    split(worker)
    segments_done(worker)
    assert worker.claim_one().complete() == "completed"
    assert db.job(first)["status"] == "completed"
    assert worker.claim_one().job_id == second


def test_a_quota_counts_a_job_as_one_however_many_segments_it_has(
    db: Db, worker: SqlWorker
) -> None:
    db.admin.execute(
        "update video_worker.config set max_open_jobs_per_user = 2, max_jobs_per_hour_per_user = 3"
    )
    user = db.new_user()
    db.new_job(user)
    split(worker)
    db.new_job(user)
    with pytest.raises(psycopg.Error, match="quota_open_jobs"):
        db.new_job(user)
    db.admin.execute("update video_worker.config set max_open_jobs_per_user = null")
    db.new_job(user)
    with pytest.raises(psycopg.Error, match="quota_jobs_per_hour"):
        db.new_job(user)


def test_a_newcomer_waits_for_no_more_than_one_segment_of_each_other_user(
    db: Db, worker: SqlWorker
) -> None:
    db.new_job()
    split(worker, *[1] * 20)
    first = worker.claim_one()
    newcomer = db.new_job()
    first.complete()
    served = [worker.claim_one() for _ in range(2)]
    assert newcomer in {claim.job_id for claim in served}


def test_a_split_job_that_is_queued_anew_or_deleted_takes_its_parts_along(
    db: Db, worker: SqlWorker
) -> None:
    job_id = db.new_job()
    split(worker)
    segment = worker.claim_one()
    db.admin.execute("select video_admin.requeue(%s)", [job_id])
    assert (db.job(job_id)["status"], rows(db), segment.heartbeat()) == ("queued", 1, "lost")
    split(worker)
    segment = worker.claim_one()
    db.admin.execute("delete from public.video_jobs where id = %s", [job_id])
    assert (rows(db), segment.complete()) == (0, "lost")
    due = db.value(
        "select due_at > now() + interval '1 min' from video_worker.orphans where prefix like %s",
        [f"%/{job_id}"],
    )
    assert due, "the worker of a segment may still be uploading"


def test_a_split_job_whose_parts_somebody_has_deleted_is_burned_whole(
    db: Db, worker: SqlWorker
) -> None:
    job_id = db.new_job()
    split(worker)
    db.admin.execute("delete from public.video_jobs where parent_id is not null")
    assert worker.claim() == []
    worker.check_in()
    claim = worker.claim_one()
    assert (claim.job_id, claim.row["whole"]) == (job_id, True)


def test_a_job_that_lost_some_of_its_encoded_segments_comes_to_the_join_without_them(
    db: Db, worker: SqlWorker
) -> None:
    db.new_job()
    split(worker)
    worker.claim_one().complete()
    db.admin.execute("delete from public.video_jobs where status = 'completed'")
    segments_done(worker)
    assert len(worker.claim_one().row["split"]["segments"]) == 2


def test_segments_that_wait_for_their_parent_are_not_pruned(db: Db, worker: SqlWorker) -> None:
    db.admin.execute("update video_worker.config set keep_completed = interval '1 s'")
    db.new_job()
    split(worker)
    claim = worker.claim_one()
    claim.complete()
    db.admin.execute(
        "update public.video_jobs set finished_at = now() - interval '1 day' where id = %s",
        [claim.job_id],
    )
    assert db.value("select video_worker.prune()") == 0


def test_a_parent_that_somebody_looks_at_holds_up_no_heartbeat(db: Db, worker: SqlWorker) -> None:
    job_id = db.new_job()
    split(worker)
    segment = worker.claim_one()
    looking = db.connect()
    looking.autocommit = False
    looking.execute("select from public.video_jobs where id = %s for update", [job_id])
    worker.connection.execute("set lock_timeout = '200ms'")
    assert segment.heartbeat("render", 70) == "ok"
    looking.rollback()
    assert db.job(job_id)["progress"] == 0
    assert segment.heartbeat("render", 71) == "ok"
    assert db.job(job_id)["progress"] > 0
