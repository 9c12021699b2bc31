"""The files in deploy/ are what their platforms accept and what the worker understands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Db, absent
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
NOT_OURS = {
    # Of Python and the shell, and what Compose, Fly or a page asks its reader for.
    *("PATH", "PYTHONUNBUFFERED", "VIDEO_WORKER_PASSWORD", "VERSION", "REVISION"),
}


def load(path: str) -> Any:
    text = (ROOT / path).read_text()
    if path.endswith(".json"):
        return json.loads(text)
    return tomllib.loads(text) if path.endswith(".toml") else yaml.safe_load(text)


def check(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=environment or None)
    assert done.returncode == 0, done.stdout + done.stderr


# Both import seconds of code: in this process, so that it is once, and only where it is needed.
def fits(schema: str, *files: Path) -> None:
    import check_jsonschema

    arguments = ["--builtin-schema", schema, *map(str, files)]
    assert check_jsonschema.main(arguments, standalone_mode=False) == 0


def kubernetes_accepts(manifest: Any) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def settings() -> set[str]:
    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    return set(chain(*(getattr(alias, "choices", [alias]) for alias in aliases)))


def test_no_file_sets_what_the_worker_does_not_know() -> None:
    shape = r"\b((?:SUPABASE|WORKER|LOG|FFMPEG|FONT|LISTEN|DATABASE|OTEL)_[A-Z_]+|PORT)\b"
    known = settings() | {"WORKER_HEALTH_PORT"}
    files = [ROOT / "Dockerfile", ROOT / "compose.yaml", *DEPLOY.rglob("*.*")]
    for file in files:
        if "logs" in file.parts or "prometheus" in file.parts or not file.is_file():
            continue
        unknown = set(re.findall(shape, file.read_text())) - known - NOT_OURS
        assert not unknown, f"{file}: {unknown}"


def grace(environment: Any) -> float:
    found = {item.get("name") or item["key"]: item.get("value") for item in environment if item}
    return float(found["WORKER_GRACE_SECONDS"])


def pod(path: str) -> Any:
    manifest = load(path)["spec"]
    return manifest.get("template", manifest.get("jobTargetRef", {}).get("template"))["spec"]


def test_every_platform_waits_longer_than_the_worker_does() -> None:
    default = Settings.model_fields["grace_seconds"].default
    unit = (DEPLOY / "systemd/video-worker.service").read_text()
    fly, render = load("deploy/fly/fly.toml"), load("deploy/render/render.yaml")["services"][0]
    railway = re.findall(r"GRACE_SECONDS=(\d+)", (DEPLOY / "railway/README.md").read_text())
    cloud_run = load("deploy/cloud-run/worker-pool.yaml")["spec"]["template"]["spec"]
    waits = {
        "compose": (
            float(load("compose.yaml")["services"]["worker"]["stop_grace_period"][:-1]),
            default,
        ),
        "systemd": (
            float(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]),
            float(re.findall(r"GRACE_SECONDS=(\d+)", unit)[0]),
        ),
        "fly": (fly["kill_timeout"], float(fly["env"]["WORKER_GRACE_SECONDS"])),
        "render": (render["maxShutdownDelaySeconds"], grace(render["envVars"])),
        "railway": (
            load("deploy/railway/railway.json")["deploy"]["drainingSeconds"],
            float(railway[0]),
        ),
        "cloud run": (10, grace(cloud_run["containers"][0]["env"])),
    }
    for name in ("deployment", "scaledjob"):
        spec = pod(f"deploy/kubernetes/{name}.yaml")
        environment = spec["containers"][0]["env"]
        waits[name] = (spec["terminationGracePeriodSeconds"], grace(environment))
    for platform, (killed, given_back) in waits.items():
        margin = 5 if platform == "cloud run" else 10
        assert killed >= given_back + margin, platform


def test_the_dockerfile_is_sound() -> None:
    check(BIN / "hadolint", ROOT / "Dockerfile")


def test_compose_accepts_its_file() -> None:
    fits("vendor.compose-spec", ROOT / "compose.yaml")
    compose = shutil.which("docker-compose")
    if compose is None:
        absent("there is no docker-compose")
    environment = {"SUPABASE_SECRET_KEY": "x", "VIDEO_WORKER_PASSWORD": "x", "PATH": "/usr/bin"}
    check(compose, "-f", ROOT / "compose.yaml", "config", "--quiet", **environment)


@pytest.mark.parametrize("name", ["deployment", "secret.example"])
def test_kubernetes_accepts_a_manifest(name: str) -> None:
    kubernetes_accepts(load(f"deploy/kubernetes/{name}.yaml"))


def test_kubernetes_accepts_the_job_that_keda_makes() -> None:
    scaled = load("deploy/kubernetes/scaledjob.yaml")
    kubernetes_accepts(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": scaled["metadata"],
            "spec": scaled["spec"]["jobTargetRef"],
        }
    )
    assert (
        load("deploy/kubernetes/scaledobject.yaml")["spec"]["scaleTargetRef"]["name"]
        == (load("deploy/kubernetes/deployment.yaml")["metadata"]["name"])
    )


@pytest.mark.parametrize("name", ["scaledobject", "scaledjob"])
def test_kedas_query_counts_the_jobs_as_the_workers_role(db: Db, name: str) -> None:
    (trigger,) = load(f"deploy/kubernetes/{name}.yaml")["spec"]["triggers"]
    for _ in range(3):
        db.new_job()
    row = db.connect("video_worker").execute(trigger["metadata"]["query"]).fetchone()
    assert row
    assert list(row.values()) == [3]


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        absent("there is no systemd")
    unit = (DEPLOY / "systemd/video-worker.service").read_text()
    file = tmp_path / "video-worker.service"
    file.write_text(unit.replace("/opt/video-worker/bin/video-worker run", "/bin/true"))
    check("systemd-analyze", "verify", "--man=no", file)


def test_github_accepts_the_workflows() -> None:
    for schema, pattern in (
        ("vendor.github-workflows", ".github/workflows/*.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ):
        files = list(ROOT.glob(pattern))
        assert files
        fits(schema, *files)
