"""A new version rolls out while users go on sending: three workers, replaced one by one."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from tests.acceptance.conftest import Project, Worker
from tests.clips import Clip
from tests.conftest import eventually

WORKERS = 3
PATIENCE = "100"


def is_busy(worker: Worker) -> bool:
    return len(worker.logged("job.claimed")) > len(worker.logged("job.finished"))


def attempts(project: Project) -> dict[str, list[str]]:
    """Of every job, the workers that began it, in order."""
    rows = project.db.admin.execute(
        """
        select j.id::text as id, array_agg(e.worker_id::text order by e.id)
          filter (where e.status = 'processing' and e.stage = 'download') as workers
        from public.video_jobs j join video_worker.job_events e on e.job_id = j.id group by j.id
        """
    ).fetchall()
    return {row["id"]: row["workers"] or [] for row in rows}


@pytest.mark.timeout(300)
def test_a_rolling_restart_loses_no_job_restarts_none_and_spends_no_attempt(
    project: Project, tmp_path: Path
) -> None:
    """Each is told to stop in the middle of a job, while others wait."""
    clip = Clip(seconds=30, size="1280x720").make(tmp_path / "clip.mp4")
    users = [project.new_user() for _ in range(WORKERS)]
    old = [
        project.start_worker(WORKER_NAME=f"old-{n}", WORKER_GRACE_SECONDS=PATIENCE)
        for n in range(WORKERS)
    ]
    for worker in old:
        worker.wait_for("listener.live")
    sent = [(user, user.send(clip)) for user in users for _ in range(2)]
    interrupted = 0
    for number, worker in enumerate(old):
        project.start_worker(WORKER_NAME=f"new-{number}", WORKER_GRACE_SECONDS=PATIENCE)
        for user in cycle(users):  # until this one has a job in work
            sent.append((user, user.send(clip)))
            if is_busy(worker):
                break
        worker.terminate()
        assert worker.wait(100) == 0
        interrupted += worker.wait_for("worker.draining")["running"]

    assert interrupted > 0
    for user, job in sent:
        row = user.wait(job, seconds=250)
        assert (row["status"], row["attempt"]) == ("completed", 1), row
    begun = attempts(project)
    assert {job: len(workers) for job, workers in begun.items()} == {job: 1 for _, job in sent}
    names = {"old": 0, "new": 0}
    for worker in project.workers:
        finished = worker.logged("job.finished")
        assert {event["outcome"] for event in finished} <= {"completed"}
        names["old" if worker in old else "new"] += len(finished)
    assert all(names.values()), "both versions had a share of the work"
    videos = [name for name in project.renders() if name.endswith("/video.mp4")]
    assert len(videos) == len(sent), "one result each, and nothing beside it"


def test_when_there_is_no_time_jobs_are_given_back_and_no_attempt_is_spent(
    project: Project, long_clip: Path
) -> None:
    """The platform kills soon after SIGTERM: Cloud Run, or a hurried operator."""
    users = [project.new_user() for _ in range(WORKERS)]
    old = [project.start_worker(WORKER_GRACE_SECONDS="0") for _ in range(WORKERS)]
    jobs = [user.send(long_clip) for user in users]
    for user, job in zip(users, jobs, strict=True):
        user.wait_for_stage(job, "render")
    for worker in old:
        worker.terminate()
        assert worker.wait(30) == 0
        (finished,) = worker.logged("job.finished")
        assert finished["outcome"] == "released"
    for user, job in zip(users, jobs, strict=True):
        row = user.job(job)
        assert (row["status"], row["attempt"]) == ("queued", 0), row
    assert project.renders() == []
    project.start_worker()
    eventually(
        lambda: any(
            user.job(job)["status"] == "processing" for user, job in zip(users, jobs, strict=True)
        )
    )
    assert max(user.job(job)["attempt"] for user, job in zip(users, jobs, strict=True)) == 1
