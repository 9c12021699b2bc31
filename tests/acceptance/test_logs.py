"""A whole run at debug level holds no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Project, User
from tests.conftest import WORKER_PASSWORD, eventually

PASSWORD = "correct-horse-battery"


@pytest.fixture
def database_url(project: Project) -> Iterator[str]:
    """The worker's, with a password that nobody else has. Roles belong to all databases of a
    server, so the next test's worker needs the old one back."""
    admin = project.db.admin
    admin.execute(f"alter role video_worker password '{PASSWORD}'")
    yield project.environment["DATABASE_URL"].replace(":postgres@", f":{PASSWORD}@")
    admin.execute(f"alter role video_worker login password '{WORKER_PASSWORD}'")


def test_a_run_at_debug_level_holds_no_key_no_password_no_token(
    project: Project, user: User, clip: Path, database_url: str
) -> None:
    """Among what is logged: downloads by signed URL, failures of every part, and tracebacks."""
    admin = project.db.admin
    worker = project.start_worker(
        LOG_LEVEL="debug",
        DATABASE_URL=database_url,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )
    assert user.wait(user.send(clip))["status"] == "completed"
    assert user.wait(user.send(b"no video"))["status"] == "failed"
    assert user.wait(user.send(clip, "no subtitles"))["status"] == "failed"
    missing = user.send(clip, input_path=f"{user.id}/gone.mp4")
    assert user.wait(missing)["error_code"] == "input_missing"

    admin.execute("alter role video_worker nologin")
    admin.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'video_worker'"
    )
    worker.wait_for("database.unavailable")
    admin.execute("alter role video_worker login")
    worker.wait_for("database.back")

    project.stack.stop()  # Storage is gone in the middle of everything
    project.db.new_job()
    eventually(lambda: worker.logged("storage.retry"), 60)
    worker.terminate()
    worker.wait()

    events = {event["event"] for event in worker.events}
    assert {"storage.downloaded", "stage.finished", "job.failed", "storage.retry"} <= events
    written = "\n".join(str(event) for event in worker.events)
    assert len(written) > 10_000
    for secret in (project.stack.secret_key, project.stack.service_role_key, PASSWORD):
        assert secret not in written
    assert not re.search(r"token=(?!…)|eyJ(?!…)|sb_secret_(?!…)", written)
    assert "not json" not in events
