"""What an admin does and sees, and what is pruned."""

from __future__ import annotations

from uuid import uuid4

from tests.conftest import Db
from tests.integration.conftest import SqlWorker


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
