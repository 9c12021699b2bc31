"""A long video in segments on real workers, and what stops them in the middle of it."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.acceptance.conftest import Project, User, Worker, ffmpegs_in
from tests.conftest import eventually

PARTS = "select count(*) from public.video_jobs where parent_id is not null and "


def start_worker(project: Project) -> Worker:
    """It makes three segments of a video of 120 s."""
    return project.start_worker(WORKER_SEGMENT_SECONDS="40")


def encoding(project: Project) -> bool:
    parts = project.db.value(PARTS + "segment is not null and stage = 'render'")
    return bool(parts) and bool(ffmpegs_in(project.folder / "work"))


def sweep(project: Project, left: int) -> list[str]:
    """What is in bucket renders when all orphans have come due."""
    project.db.admin.execute("update video_worker.orphans set due_at = now()")
    eventually(lambda: len(project.renders()) == left, 60)
    return project.renders()


def test_after_kill_9_in_a_segment_and_in_the_join_what_was_encoded_stays(
    project: Project, user: User, long_clip: Path
) -> None:
    encoder = start_worker(project)
    job_id = user.send(long_clip)
    eventually(lambda: encoding(project), 60)
    encoder.process.kill()
    joiner = start_worker(project)
    join = PARTS + "segment is null and status = 'processing'"
    eventually(lambda: project.db.value(join) == 1, 110)
    joiner.process.kill()
    last = start_worker(project)
    row = user.wait(job_id, seconds=110)
    assert (row["status"], row["attempt"]) == ("completed", 1), row
    assert row["output_info"]["render"]["segments"] == 3
    encoded = [e for e in last.logged("job.finished") if e["outcome"] == "encoded"]
    assert encoded == [], "it joined what others had encoded"
    assert row["output_path"] in sweep(project, left=2)
    assert project.db.value("select count(*) from public.video_jobs") == 1


def test_a_cancel_stops_all_parts_and_leaves_nothing(
    project: Project, user: User, long_clip: Path
) -> None:
    workers = [start_worker(project) for _ in range(2)]
    job_id = user.send(long_clip)
    eventually(lambda: encoding(project), 60)
    user.client.rpc("cancel_video_job", {"job_id": job_id}).execute()
    assert user.job(job_id)["status"] == "cancelled"
    eventually(lambda: not ffmpegs_in(workers[0].work_dir))
    assert sweep(project, left=0) == []
    assert project.db.value("select count(*) from public.video_jobs") == 1


def test_a_part_that_fails_for_good_fails_the_job_and_who_was_paused_in_another_has_lost_it(
    project: Project, user: User, long_clip: Path
) -> None:
    first = start_worker(project)
    job_id = user.send(long_clip)
    eventually(lambda: encoding(project), 60)
    first.process.send_signal(signal.SIGSTOP)
    admin = project.client(project.stack.secret_key)
    admin.storage.from_("subtitles").remove([user.job(job_id)["subtitle_path"]])
    start_worker(project)
    row = user.wait(job_id)
    assert (row["status"], row["error_code"]) == ("failed", "subtitles_missing"), row
    first.process.send_signal(signal.SIGCONT)
    assert first.wait_for("job.finished", 2)["outcome"] == "lost"
    eventually(lambda: not ffmpegs_in(first.work_dir))
    assert sweep(project, left=0) == []
