"""Texts on docs/troubleshooting.md, each provoked as a user or operator meets it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.conftest import Project, User

PAGE = (Path(__file__).parents[2] / "docs/troubleshooting.md").read_text()
PROMISED = re.findall(r"`([^`]+)` ✓", PAGE)

Provoke = Callable[[Project, User, Path], object]


def says(call: Callable[[], object]) -> str:
    """What goes wrong in a call, in the words of whoever refuses."""
    try:
        call()
    except Exception as error:
        return str(error)
    raise AssertionError("nothing went wrong")


def of_the_worker(project: Project, **settings: str) -> str:
    done = project.run("run", **settings)
    assert done.returncode == 2
    return done.stderr


def wrong_password(project: Project, user: User, clip: Path) -> str:
    url = project.environment["DATABASE_URL"].replace(":postgres@", ":wrong@")
    worker = project.start_worker(ready=False, DATABASE_URL=url)
    return str(worker.wait_for("database.unavailable"))


def as_another_role(project: Project, user: User, clip: Path) -> str:
    query = "select * from video_worker.claim_jobs(gen_random_uuid(), '{}', '1 minute')"
    admin = project.db.admin
    admin.execute("revoke execute on function video_worker.claim_jobs from video_worker")
    return says(lambda: project.db.connect("video_worker").execute(query.encode()))


def user_updates(project: Project, user: User, clip: Path) -> str:
    user.send(clip)
    table = user.client.table("video_jobs")
    return says(lambda: table.update({"priority": 9}).eq("user_id", user.id).execute())


def foreign_folder(project: Project, user: User, clip: Path) -> str:
    videos = user.client.storage.from_("videos")
    return says(lambda: videos.upload("someone-else/v.mp4", b"x", {"content-type": "video/mp4"}))


def bucket_in_path(project: Project, user: User, clip: Path) -> str:
    return says(lambda: user.send(clip, input_path=f"videos/{user.id}/v.mp4"))


def too_many_jobs(project: Project, user: User, clip: Path) -> str:
    project.db.admin.execute("update video_worker.config set max_open_jobs_per_user = 1")
    user.send(clip)
    return says(lambda: user.send(clip))


def migrating_as_the_worker(project: Project, user: User, clip: Path) -> str:
    return project.run("migrate").stderr


def no_schema(project: Project, user: User, clip: Path) -> str:
    project.db.admin.execute("drop schema video_worker cascade")
    return of_the_worker(project)


def old_schema(project: Project, user: User, clip: Path) -> str:
    project.db.admin.execute(
        "create or replace function video_worker.schema_version() returns text"
        " language sql as $$ select '20261123100000' $$"
    )
    return of_the_worker(project)


def no_connection_left(project: Project, user: User, clip: Path) -> str:
    project.db.admin.execute("alter role video_worker connection limit 0")
    try:
        worker = project.start_worker(ready=False)
        return str(worker.wait_for("database.unavailable"))
    finally:
        project.db.admin.execute("alter role video_worker connection limit -1")


def listening_elsewhere(project: Project, user: User, clip: Path) -> str:
    elsewhere = project.db.postgres.dsn("template_migrated", "video_worker")
    worker = project.start_worker(LISTEN_DATABASE_URL=elsewhere, WORKER_LEASE_SECONDS="6")
    return str(worker.wait_for("listener.polling"))


def secret_key_as_token(project: Project, user: User, clip: Path) -> str:
    headers = {"authorization": f"Bearer {project.stack.secret_key}"}
    return httpx.get(f"{project.stack.url}/storage/v1/bucket", headers=headers).text


def expired_token(project: Project, user: User, clip: Path) -> str:
    token = project.stack._keys.sign({"role": "authenticated", "sub": user.id, "exp": 1})
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{project.stack.url}/storage/v1/bucket", headers=headers).text


def tus(project: Project, user: User, name: str, size: int) -> httpx.Response:
    session: Any = user.client.auth.get_session()
    metadata = {"bucketName": "videos", "objectName": name, "contentType": "video/mp4"}
    return httpx.post(
        f"{project.stack.url}/storage/v1/upload/resumable",
        headers={
            "authorization": f"Bearer {session.access_token}",
            "tus-resumable": "1.0.0",
            "upload-length": str(size),
            "upload-metadata": ",".join(
                f"{key} {b64encode(value.encode()).decode()}" for key, value in metadata.items()
            ),
        },
    )


def same_name_twice(project: Project, user: User, clip: Path) -> str:
    path = user.upload("videos", "v.mp4", clip, "video/mp4")
    answer = tus(project, user, path, 10)
    assert answer.status_code == 409
    return answer.text


def above_the_limit(project: Project, user: User, clip: Path) -> str:
    project.db.admin.execute("update storage.buckets set file_size_limit = 9 where id = 'videos'")
    answer = tus(project, user, f"{user.id}/v.mp4", 10)
    assert answer.status_code == 413
    return answer.text


def wrong_type(project: Project, user: User, clip: Path) -> str:
    return says(lambda: user.upload("videos", "v.mp4", b"x", "text/plain"))


def no_bucket(project: Project, user: User, clip: Path) -> str:
    return says(lambda: user.upload("clips", "v.mp4", b"x", "video/mp4"))


def publishable_key(project: Project, user: User, clip: Path) -> str:
    return of_the_worker(project, SUPABASE_SECRET_KEY=project.stack.publishable_key)


def rotated_key(project: Project, user: User, clip: Path) -> str:
    return project.run("doctor", SUPABASE_SECRET_KEY="sb_secret_old").stdout


def no_ffmpeg(project: Project, user: User, clip: Path) -> str:
    return of_the_worker(project, FFMPEG_PATH="/bin/true")


def taken_port(project: Project, user: User, clip: Path) -> str:
    return of_the_worker(project, PORT=str(urlsplit(project.stack.url).port))


def wrong_settings(project: Project, user: User, clip: Path) -> str:
    return of_the_worker(project, WORKER_CONCURRENCY="many")


PROVOKED: dict[str, Provoke] = {
    'password authentication failed for user "video_worker"': wrong_password,
    "permission denied for function claim_jobs": as_another_role,
    "permission denied for table video_jobs": user_updates,
    "new row violates row-level security policy": foreign_folder,
    'violates check constraint "input_path_is_own"': bucket_in_path,
    "quota_open_jobs": too_many_jobs,
    "It takes DATABASE_URL of role postgres": migrating_as_the_worker,
    "The database has no queue yet": no_schema,
    "The database lacks migrations that this worker needs": old_schema,
    "too many connections": no_connection_left,
    "a ping through NOTIFY did not arrive": listening_elsewhere,
    "Invalid Compact JWS": secret_key_as_token,
    '"exp" claim timestamp check failed': expired_token,
    "The resource already exists": same_name_twice,
    "Maximum size exceeded": above_the_limit,
    "mime type text/plain is not supported": wrong_type,
    "Bucket not found": no_bucket,
    "SUPABASE_SECRET_KEY is a publishable key": publishable_key,
    "Invalid API key": rotated_key,
    "No usable ffmpeg": no_ffmpeg,
    "The health server can't have port": taken_port,
    "Wrong settings": wrong_settings,
}
ELSEWHERE = {
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed": "test_traces",
}


@pytest.mark.parametrize("text", PROVOKED)
def test_the_text_on_the_page_is_what_one_gets_to_read(
    project: Project, user: User, clip: Path, text: str
) -> None:
    assert text in str(PROVOKED[text](project, user, clip)).replace('\\"', '"')


def test_every_text_that_is_marked_as_provoked_is() -> None:
    assert set(PROMISED) == {*PROVOKED, *ELSEWHERE}
    for text, module in ELSEWHERE.items():
        assert (Path(__file__).parent / f"{module}.py").exists(), text
