"""The commands beside ``run``, as an operator types them."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from pathlib import Path
from uuid import UUID

import pytest

from tests.acceptance.conftest import SRT, Project, User, free_port, metrics
from tests.clips import HEIGHT, WIDTH, gray_frames, shows_text
from tests.conftest import eventually


def email_of(project: Project, user: User) -> str:
    found: str = project.db.value("select email from auth.users where id = %s", [user.id])
    return found


def test_enqueue_sends_a_job_shows_it_and_saves_the_result(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    project.start_worker()
    (tmp_path / "s.srt").write_text(SRT)
    done = project.run(
        "enqueue", clip, tmp_path / "s.srt", "--user", email_of(project, user),
        "--style", '{"size": 15, "position": "top-center"}',
        "--wait", "--output", tmp_path / "out.mp4",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    job_id = done.stdout.splitlines()[0]
    assert f"completed: renders/{user.id}/{job_id}/" in done.stdout
    frames = gray_frames(tmp_path / "out.mp4", WIDTH, HEIGHT)
    assert shows_text(frames[:, : HEIGHT // 2]).any()

    listed = project.run("jobs", "--status", "completed")
    assert job_id in listed.stdout
    shown = project.run("jobs", "show", job_id)
    assert f"{user.id}/{job_id}" in shown.stdout
    states = ["queued", "processing", "download", "render", "completed"]
    assert all(state in shown.stdout for state in states)


def test_enqueue_without_waiting_prints_the_id_and_ends(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "s.srt").write_text(SRT)
    done = project.run("enqueue", clip, tmp_path / "s.srt", "--user", user.id)
    assert done.returncode == 0, done.stderr
    assert user.job(done.stdout.strip())["status"] == "queued"


def test_enqueue_tells_why_a_job_failed(project: Project, user: User, tmp_path: Path) -> None:
    project.start_worker()
    (tmp_path / "v.mp4").write_bytes(b"no video")
    (tmp_path / "s.srt").write_text(SRT)
    done = project.run(
        "enqueue", tmp_path / "v.mp4", tmp_path / "s.srt", "--user", user.id, "--wait"
    )
    assert done.returncode == 1
    assert "invalid_video: The file is damaged" in done.stderr


def test_what_is_wrong_with_a_command_is_said_in_a_line(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "s.srt").write_text(SRT)
    files = (clip, tmp_path / "s.srt")
    cases: list[tuple[tuple[str | Path, ...], str]] = [
        (("enqueue", "gone.mp4", files[1], "--user", user.id), "there is no file gone.mp4"),
        (("enqueue", *files, "--user", "no@example.com"), "No user has the e-mail address"),
        (("enqueue", *files, "--user", user.id, "--style", "{"), "--style is not JSON"),
        (("enqueue", *files, "--user", user.id, "--style", '{"color": "red"}'), "style.color"),
        (("jobs", "show", "17"), "'17' is not the id of a job"),
        (("jobs", "show", "00000000-0000-0000-0000-000000000000"), "There is no job"),
    ]
    for arguments, message in cases:
        done = project.run(*arguments)
        assert done.returncode == 1, arguments
        assert message in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_missing_settings_are_named(project: Project) -> None:
    done = project.run("run", SUPABASE_URL="")
    assert done.returncode == 2
    assert "SUPABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_whose_key_is_refused_ends_before_it_takes_a_job(
    project: Project, user: User, clip: Path
) -> None:
    job = user.send(clip)
    done = project.run("run", SUPABASE_SECRET_KEY="sb_secret_of_another_project")
    assert done.returncode == 2
    assert "Storage refuses this worker: 401" in done.stderr
    assert user.job(job)["attempt"] == 0


def test_migrate_says_what_it_did(project: Project) -> None:
    done = project.run("migrate", DATABASE_URL=project.db.dsn())
    assert (done.returncode, done.stdout) == (0, "the database is up to date\n")
    refused = project.run("migrate")  # as role video_worker
    assert refused.returncode == 1
    assert "the migration failed: permission denied" in refused.stderr
    assert "DATABASE_URL of role postgres" in refused.stderr


def test_a_worker_without_a_schema_says_how_to_get_one(project: Project) -> None:
    project.db.admin.execute("drop schema video_worker cascade")
    done = project.run("run")
    assert done.returncode == 2
    assert "video-worker migrate" in done.stderr


def test_health_tells_a_living_worker_from_none(project: Project) -> None:
    port = str(free_port())
    assert project.run("health", WORKER_HEALTH_PORT=port).returncode == 1
    worker = project.start_worker(WORKER_HEALTH_PORT=port)
    worker.wait_for("health.listening")
    assert project.run("health", WORKER_HEALTH_PORT=port).returncode == 0


def test_a_wrong_password_is_named_and_the_worker_waits_for_the_right_one(
    project: Project,
) -> None:
    url = project.environment["DATABASE_URL"].replace(":postgres@", ":wrong@")
    worker = project.start_worker(ready=False, DATABASE_URL=url)
    event = worker.wait_for("database.unavailable")
    assert "password authentication failed" in event["reason"]
    assert worker.process.poll() is None
    worker.terminate()
    assert worker.wait(20) == 0
    assert not worker.logged("not json")
    assert not worker.logged("worker.ready"), "it was told to stop before it was"


def test_a_taken_health_port_and_an_unusable_folder_are_said_in_a_line(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = project.run("run", WORKER_WORK_DIR=str(tmp_path / "file" / "work"))
    assert done.returncode == 2
    assert "WORKER_WORK_DIR can't be used" in done.stderr
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        done = project.run("run", WORKER_HEALTH_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "WORKER_HEALTH_PORT" in done.stderr.splitlines()[-1]


def test_a_key_of_the_wrong_kind_is_refused_by_every_command_that_uses_one(
    project: Project, user: User, clip: Path
) -> None:
    for arguments in (("run",), ("jobs",), ("enqueue", clip, clip, "--user", user.id)):
        done = project.run(*arguments, SUPABASE_SECRET_KEY=project.stack.publishable_key)
        assert done.returncode == 2
        assert "SUPABASE_SECRET_KEY is a publishable key" in done.stderr
    refused = project.run("jobs", SUPABASE_SECRET_KEY="sb_secret_of_another_project")
    assert refused.stderr == "video-worker: The Data API refused: Invalid API key\n"


def test_readiness_follows_the_database(project: Project) -> None:
    port = free_port()
    worker = project.start_worker(WORKER_HEALTH_PORT=str(port))
    worker.wait_for("listener.live")

    def ready() -> dict[str, object]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
                answer: dict[str, object] = json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                answer = json.loads(error.read())
        return answer

    eventually(lambda: ready()["ready"])
    facts = ready()
    checks = {"prepared", "database", "checked_in", "storage", "disk", "accepting"}
    assert {name for name, value in facts.items() if value is True} == {"ready", *checks}
    page = (Path(__file__).parents[2] / "docs/operating.md").read_text()
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert set(json.loads(shown)) == set(facts), "as docs/operating.md shows it"
    assert facts["wake_up"] == "notify"
    assert facts["schema"] == project.db.value("select video_worker.schema_version()")
    project.db.admin.execute("alter role video_worker nologin")
    try:
        project.db.admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'video_worker'"
        )
        eventually(lambda: not ready()["ready"], 60)
        assert ready()["wake_up"] == "poll"
    finally:
        project.db.admin.execute("alter role video_worker login")
    eventually(lambda: ready()["ready"], 60)
    worker.wait_for("database.back")
    assert [e["event"] for e in worker.events if e["event"].startswith("database.")] == [
        "database.unavailable",
        "database.back",
    ], "one line per change of state"


def test_a_worker_that_waits_for_its_database_is_alive_and_not_ready(project: Project) -> None:
    port = free_port()
    url = project.environment["DATABASE_URL"].replace(":postgres@", ":wrong@")
    worker = project.start_worker(ready=False, DATABASE_URL=url, WORKER_HEALTH_PORT=str(port))
    worker.wait_for("database.unavailable")
    assert project.run("health", WORKER_HEALTH_PORT=str(port)).returncode == 0
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
    with refused.value as answer:
        facts = json.loads(answer.read())
    assert answer.code == 503
    assert (facts["prepared"], facts["database"], facts["storage"]) == (False, False, True)


def test_a_job_shows_in_the_metrics(project: Project, user: User, clip: Path) -> None:
    port = free_port()
    worker = project.start_worker(ready=False, WORKER_HEALTH_PORT=str(port), LOG_LEVEL="error")
    user.wait(user.send(clip))
    completed = 'video_worker_jobs_total{code="",outcome="completed"}'
    eventually(lambda: metrics(port)[completed] == 1)
    found = metrics(port)
    assert found["video_worker_received_bytes_total"] >= clip.stat().st_size
    assert found["video_worker_sent_bytes_total"] > 10_000
    assert found["video_worker_encode_speed_ratio_count"] == 1
    for stage in ("download", "render", "upload"):  # what overlaps has no time of its own
        assert found[f'video_worker_stage_seconds_count{{stage="{stage}"}}'] == 1, stage
    assert found["video_worker_wait_seconds_count"] == 1
    assert found['video_worker_queue_jobs{state="queued"}'] == 0
    assert found["video_worker_queue_workers"] == 1
    assert found["video_worker_listener_live"] == 1
    assert found["video_worker_slots"] == 1
    assert worker.events == [], "nothing went wrong, so at level error nothing is written"


def test_run_with_drain_ends_when_nothing_is_left_that_could_run_now(
    project: Project, user: User, clip: Path
) -> None:
    jobs = [user.send(clip) for _ in range(3)]
    later = project.db.new_job(UUID(user.id))
    project.db.admin.execute(
        "update public.video_jobs set run_at = now() + interval '1 hour', place = null"
        " where id = %s",
        [later],
    )
    done = project.run("run", "--drain", WORKER_WORK_DIR=str(project.folder / "work"))
    assert done.returncode == 0, done.stderr
    assert [user.job(job)["status"] for job in jobs] == ["completed"] * 3
    assert project.db.job(later)["status"] == "queued"
    assert project.db.value("select count(*) from video_worker.workers") == 0
    assert project.run("run", "--drain").returncode == 0, "and at once when there is nothing"


def test_top_shows_workers_queue_and_progress(
    project: Project, user: User, long_clip: Path
) -> None:
    admin = project.db.dsn()
    assert "0 waiting" in project.run("top", "--once", DATABASE_URL=admin).stdout
    waiting = user.send(long_clip)
    shown = project.run("top", "--once", DATABASE_URL=admin).stdout
    assert "1 waiting, 0 scheduled, 0 of 0 slots busy   no worker is there" in shown
    worker = project.start_worker(WORKER_NAME="render-1")
    worker.wait_for("listener.live")
    user.wait_for_stage(waiting, "render")
    shown = project.run("top", "--once", DATABASE_URL=admin).stdout
    assert "0 waiting, 0 scheduled, 1 of 1 slots busy" in shown
    for text in ("render-1", "1/1", waiting, "render "):
        assert text in shown
    refused = project.run("top", "--once")  # as role video_worker
    assert refused.returncode == 2
    assert "role postgres" in refused.stderr
