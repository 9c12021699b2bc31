"""``video-worker doctor`` names each fault, with the fault really there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devstack.postgres import Postgres
from tests.acceptance.conftest import COMMAND, Project
from tests.conftest import absent
from worker.doctor.connection import connect
from worker.doctor.database import check_encryption
from worker.doctor.finding import Finding

Findings = dict[str, list[dict[str, str]]]


def examine(project: Project, code: int, **settings: str) -> Findings:
    """What is not as it should be, by the check's name; ``code`` is the exit code."""
    done = project.run("doctor", "--json", **settings)
    assert done.returncode == code, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] == (code == 0)
    found: Findings = {}
    for finding in answer["findings"]:
        if finding["level"] != "ok":
            assert finding["why"], finding
            assert finding["mend"], finding
            found.setdefault(finding["check"], []).append(finding)
    assert project.stack.secret_key not in done.stdout
    return found


def test_a_sound_installation_has_no_finding_and_nothing_is_left_behind(project: Project) -> None:
    assert examine(project, 0) == {}
    assert project.renders() == []
    assert not list(Path(project.environment["HOME"]).rglob("doctor-*"))
    done = project.run("doctor")
    assert done.returncode == 0
    assert done.stdout.endswith("0 errors, 0 warnings\n")
    for check in ("database.notify", "storage.transfer", "media.encoder", "media.fonts"):
        assert f"✓ {check}" in done.stdout


def values_of(project: Project) -> dict[str, str]:
    url = project.environment["DATABASE_URL"]
    return {
        "url": project.stack.url,
        "secret": project.stack.secret_key,
        "publishable": project.stack.publishable_key,
        "anon": project.stack.anon_key,
        "wrong_password": url.replace(":postgres@", ":wrong@"),
        "unknown_role": url.replace("//video_worker:", "//nobody:"),
        "port": str(urlsplit(project.stack.url).port),
        "hostname": url.replace("@127.0.0.1:", f"@{socket.gethostname()}:"),
    }


@pytest.mark.parametrize(
    "faults",
    [
        # (variable, value, check, what is said); several at a time, and none hides another.
        [
            ("DATABASE_URL", "", "settings", "DATABASE_URL"),
            ("WORKER_CONCURRENCY", "99", "settings", "WORKER_CONCURRENCY"),
        ],
        [
            ("SUPABASE_SECRET_KEY", "{publishable}", "project.key", "publishable key"),
            ("SUPABASE_SECRET_KEY", "{publishable}", "storage.buckets", "this key can't see it"),
            ("DATABASE_URL", "postgresql://w:x@127.0.0.1:9/x", "database.connect", "refused"),
            ("FFMPEG_PATH", "/bin/true", "media.ffmpeg", "No usable ffmpeg"),
        ],
        [
            ("SUPABASE_SECRET_KEY", "Bearer {secret}", "project.key", "begins with 'Bearer'"),
            ("DATABASE_URL", "{wrong_password}", "database.connect", "password authentication"),
            ("WORKER_ENCODER", "nvenc", "media.encoder", "WORKER_ENCODER=nvenc does not work"),
        ],
        [
            ("SUPABASE_SECRET_KEY", "'{secret}'", "project.key", "quotes"),
            ("DATABASE_URL", "{unknown_role}", "database.connect", "authentication failed"),
            ("WORKER_WORK_DIR", "/dev/null/x", "host.disk", "WORKER_WORK_DIR can't be used"),
            ("PORT", "{port}", "host.port", "in use"),
        ],
        [
            ("SUPABASE_SECRET_KEY", "{anon}", "project.key", "legacy key of role anon"),
            ("SUPABASE_URL", "{url}/rest/v1", "project.url", "has a path"),
            ("DATABASE_URL", "postgresql://w:x@no.invalid/x", "database.connect", "no.invalid"),
        ],
        [
            ("SUPABASE_SECRET_KEY", "secret", "project.key", "neither"),
            ("SUPABASE_URL", "http://127.0.0.1:9", "storage.reach", "connection attempts failed"),
            ("DATABASE_URL", "{hostname}", "database.tls", "is not encrypted"),
        ],
        [
            ("SUPABASE_SECRET_KEY", "sb_secret_of_another", "storage.reach", "401"),
            ("LISTEN_DATABASE_URL", "{wrong_password}", "database.listen", "authentication"),
        ],
    ],
    ids=lambda faults: faults[0][2] + " " + faults[0][1],
)
def test_an_error_is_named_with_what_to_do(
    project: Project, faults: list[tuple[str, str, str, str]]
) -> None:
    values = values_of(project)
    settings = {variable: value.format(**values) for variable, value, _, _ in faults}
    found = examine(project, 1, **settings)
    for _, _, check, what in faults:
        assert any(what in finding["what"] for finding in found[check]), found
        assert all(finding["level"] == "error" for finding in found[check])


SCHEMA_VERSION = (
    "create or replace function video_worker.schema_version() returns text"
    " language sql as $$ select '20261123100000' $$"
)


@pytest.mark.parametrize(
    "faults",
    [
        # (SQL, check, what is said)
        [
            ("drop schema video_worker cascade", "database.schema", "no queue"),
            (
                "update storage.buckets set public = true where id = 'videos'",
                "storage.public",
                "bucket videos is public",
            ),
        ],
        [
            (SCHEMA_VERSION, "database.schema", "migrations are missing: 20261123100100_admission"),
            (
                "revoke execute on function video_worker.claim_jobs from video_worker",
                "database.role",
                "may not execute claim_jobs",
            ),
            (
                'drop policy "video worker: users read their own files" on storage.objects',
                "storage.policies",
                "missing",
            ),
            (
                "set storage.allow_delete_query = 'true';"
                " delete from storage.buckets where id = 'renders'",
                "storage.buckets",
                "no bucket renders",
            ),
        ],
        [
            (
                "update storage.buckets set file_size_limit = 6500000 where id = 'renders'",
                "storage.upload",
                "413",
            ),
            ("alter role video_worker connection limit 0", "database.connect", "too many"),
        ],
    ],
    ids=lambda faults: faults[0][1],
)
def test_a_fault_in_the_database_is_named(
    project: Project, faults: list[tuple[str, str, str]]
) -> None:
    for sql, _, _ in faults:
        project.db.admin.execute(sql.encode())
    try:
        found = examine(project, 1)
    finally:
        project.db.admin.execute("alter role video_worker connection limit -1")
    for _, check, what in faults:
        assert what in found[check][0]["what"], found
        assert found[check][0]["level"] == "error"


def test_what_was_removed_from_storage_comes_back_as_the_doctor_says(project: Project) -> None:
    admin = project.db.connect("postgres")
    admin.execute('drop policy "video worker: users read their own files" on storage.objects')
    project.db.admin.execute(
        "set storage.allow_delete_query = 'true'; delete from storage.buckets where id = 'renders'"
    )
    found = examine(project, 1)
    for check in ("storage.buckets", "storage.policies"):
        (file,) = re.findall(r"migrations/\S+\.sql", found[check][0]["mend"])
        admin.execute((Path(__file__).parents[2] / file).read_bytes())
    assert examine(project, 0) == {}


def test_the_port_of_a_worker_that_answers_is_well(project: Project) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert f"✓ host.port  {port} is free" in project.run("doctor", PORT=port).stdout
    project.start_worker(PORT=port).wait_for("health.listening")
    assert f"✓ host.port  a worker answers on {port}" in project.run("doctor", PORT=port).stdout


def test_a_disk_that_is_full_is_said_to_be(project: Project, tmp_path: Path) -> None:
    unshare, full = ["unshare", "--map-root-user", "--mount"], tmp_path / "full"
    full.mkdir()
    mount = f"mount -t tmpfs -o size=2M tmpfs {full}"
    if not shutil.which("unshare") or subprocess.run([*unshare, "sh", "-c", mount]).returncode:
        absent("no mount namespace can be made")
    done = subprocess.run(
        [*unshare, "sh", "-c", f'{mount} && exec "$@"', "sh", *COMMAND, "doctor", "--json"],
        env=project.environment | {"WORKER_WORK_DIR": str(full)},
        capture_output=True,
        text=True,
    )
    findings = [f for f in json.loads(done.stdout)["findings"] if f["check"] == "host.disk"]
    assert [finding["level"] for finding in findings] == ["error", "error"], done.stdout
    assert all(finding["mend"].startswith("Make room") for finding in findings)


def test_a_weakness_is_a_warning(project: Project) -> None:
    settings = {
        "WORKER_SANDBOX": "off",
        "WORKER_MAX_INPUT_BYTES": str(10**15),
        "DATABASE_URL": project.db.dsn(),
        "LISTEN_DATABASE_URL": project.db.postgres.dsn("template_migrated", "video_worker"),
    }
    project.db.admin.execute(
        "update storage.buckets set file_size_limit = 8000000 where id = 'renders'"
    )
    found = examine(project, 0, **settings)
    for check, what in {
        "media.sandbox": "'limits' only",
        "host.disk": "the largest videos allowed need",
        "database.role": "logs in as postgres",
        "database.notify": "did not arrive within",
        "storage.limit": "takes no object above 8 MB",
    }.items():
        assert what in found[check][0]["what"], found
        assert found[check][0]["level"] == "warning"


def test_a_clock_that_is_wrong_is_named(project: Project) -> None:
    found = run_with("import time; now = time.time; time.time = lambda: now() + 3600", project)
    assert "3600 s ahead of the database's" in found["host.clock"]["what"]


def test_encryption_is_judged_by_the_connection(tmp_path: Path) -> None:
    """Against a Postgres that can do TLS, which the embedded one can't."""
    binaries = Path("/usr/lib/postgresql/15/bin")
    if not binaries.exists() or not shutil.which("openssl"):
        absent("there is no Postgres with TLS")
    key, certificate = tmp_path / "server.key", tmp_path / "server.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    data = tmp_path / "data"
    Postgres.start(data, bin_dir=binaries).stop()
    owner = data.stat()
    for file in (key, certificate):
        shutil.copy(file, data)
        os.chown(data / file.name, owner.st_uid, owner.st_gid)
    (data / key.name).chmod(0o600)
    with Postgres.start(data, bin_dir=binaries, options={"ssl": "on"}) as server:
        url = server.dsn(user="supabase_admin").replace("127.0.0.1", "localhost")

        async def judged(mode: str) -> Finding:
            async with await connect(f"{url}?{mode}") as connection:
                (finding,) = [finding async for finding in check_encryption(connection)]
            return finding

        assert asyncio.run(judged("sslmode=require")).level == "warning"
        verified = f"sslmode=verify-full&sslrootcert={certificate}"
        assert asyncio.run(judged(verified)).level == "ok"


def test_an_ipv6_only_host_is_named_on_a_machine_without_ipv6(project: Project) -> None:
    unshare = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"]).returncode:
        absent("no network namespace can be made")
    done = subprocess.run(
        [*unshare, *COMMAND, "doctor", "--json"],
        env=project.environment | {"DATABASE_URL": "postgresql://w:x@[2001:db8::1]/postgres"},
        capture_output=True,
        text=True,
    )
    found = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert "no IPv6" in found["database.ipv6"]["what"]


def run_with(preparation: str, project: Project) -> dict[str, dict[str, str]]:
    """The findings of a doctor in whose process something was prepared."""
    code = (
        f"{preparation}\nimport sys; sys.argv = ['video-worker', 'doctor', '--json']\n"
        "from worker.cli.main import main; main()"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", code], env=project.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_scripts_without_a_font_are_named(project: Project, tmp_path: Path) -> None:
    """With Noto Sans alone, as on a slim machine without the extra `fonts`."""
    package = find_spec("manimgx_fonts")
    assert package
    assert package.origin
    folder = tmp_path / "fonts"
    folder.mkdir()
    shutil.copy(Path(package.origin).with_name("NotoSans[wght].ttf"), folder)
    found = run_with(
        "import worker.media.fonts as fonts; from pathlib import Path\n"
        f"fonts.FONT_PACKAGES = (); fonts.SYSTEM_FOLDERS = (Path({str(folder)!r}),)",
        project,
    )
    assert found["media.fonts"]["level"] == "warning"
    for script in ("Arabic", "Chinese", "Thai", "emoji"):
        assert script in found["media.fonts"]["what"]
    assert "Latin" not in found["media.fonts"]["what"]
