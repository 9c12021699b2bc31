"""Faults 43 to 47: what users, admins and jobs themselves do."""

from __future__ import annotations

import threading

from tests.faults.catalogue import fault
from tests.faults.world import FINAL, Run


@fault(43, "download", "render", "upload", quick=("render",))
def cancelled(run: Run, point: str) -> None:
    job = run.send(run.lane.clips.large)
    run.hold(point)
    run.start()
    run.reached(point)
    cancel(run, str(job))
    run.wait_for(job)
    run.let_go(point)
    run.expect(job, "cancelled")


def cancel(run: Run, job: str) -> None:
    run.sql(
        "select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false),"
        " public.cancel_video_job(%s)",
        job,
        user="postgres",
    )


@fault(44, "render", "upload")
def row_deleted(run: Run, point: str) -> None:
    job = run.send()
    run.hold(point)
    worker = run.start()
    run.reached(point)
    run.sql("delete from public.video_jobs where id = %s", job)
    run.gone.add(job)
    run.let_go(point)
    run.until(lambda: worker.logged("job.finished"), "the worker has let go of it")
    assert worker.logged("job.finished")[-1]["outcome"] == "lost"


@fault(45, "render")
def user_deleted(run: Run, point: str) -> None:
    job = run.send()
    run.hold(point)
    worker = run.start()
    run.reached(point)
    run.sql("delete from auth.users where id = %s", run.job(job)["user_id"])
    run.gone.add(job)
    run.let_go(point)
    run.until(lambda: worker.logged("job.finished"), "the worker has let go of it")
    assert worker.logged("job.finished")[-1]["outcome"] == "lost"


@fault(46)
def job_that_kills_its_worker(run: Run, point: str) -> None:
    """It fails in the end, and the others get through."""
    poison = run.send(run.lane.clips.long, priority=5, max_attempts=2)
    others = [run.send() for _ in range(2)]
    for attempt in (1, 2):
        victim = run.start()
        run.begun(poison, attempt)
        run.until(run.ffmpegs, "the poison works")
        run.kill(victim)
    run.start()
    run.expect(poison, "failed", attempts=2, code="worker_lost")
    run.wait_for(poison)
    for job in others:
        run.expect(job)


@fault(47)
def sweep_races_completion(run: Run, point: str) -> None:
    """Whatever is due, what a completed row points at is never removed."""
    stop = threading.Event()

    def hurry() -> None:
        while not stop.wait(0.02):
            run.sql("update video_worker.orphans set due_at = now() - interval '1 s'")

    hurrier = threading.Thread(target=hurry)
    hurrier.start()
    try:
        jobs = [run.send() for _ in range(4)]
        run.hold("upload")
        first = run.start(WORKER_GRACE_SECONDS="0")
        run.reached("upload")
        first.terminate()  # half uploaded, and given back
        run.let_go("upload")
        run.start(WORKER_CONCURRENCY="2")
        run.start()
        run.until(lambda: all(run.job(j)["status"] in FINAL for j in jobs), "every job is final")
    finally:
        stop.set()
        hurrier.join()
