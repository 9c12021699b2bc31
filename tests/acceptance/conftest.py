"""A project (devstack on the test's own database), users in it, and real worker processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from supabase import Client, ClientOptions, create_client

from devstack.stack import Stack
from tests.clips import Clip
from tests.conftest import Db, eventually

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "worker.cli"]
SRT = "00:00:01,000 --> 00:00:02,000\nWord\n\n00:00:03,000 --> 00:00:03,480\nWort\n"
FINAL = ("completed", "failed", "cancelled")

Row = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def metrics(port: int) -> dict[str, float]:
    """What the worker whose health server has this port shows to Prometheus."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@dataclass
class User:
    """Someone signed in: acts through the public API only."""

    client: Client
    id: str

    def upload(self, bucket: str, name: str, data: bytes | Path, content_type: str) -> str:
        path = f"{self.id}/{name}"
        self.client.storage.from_(bucket).upload(path, data, {"content-type": content_type})
        return path

    def send(self, video: bytes | Path, subtitles: str | bytes = SRT, **columns: Any) -> str:
        """Upload, insert the row under RLS, and return the job's id."""
        text = subtitles.encode() if isinstance(subtitles, str) else subtitles
        row = {
            "input_path": self.upload("videos", f"{uuid4()}.mp4", video, "video/mp4"),
            "subtitle_path": self.upload("subtitles", f"{uuid4()}.srt", text, "text/plain"),
            **columns,
        }
        inserted: Any = self.client.table("video_jobs").insert(row).execute().data
        job_id: str = inserted[0]["id"]
        return job_id

    def job(self, job_id: str) -> Row:
        query = self.client.table("video_jobs").select("*").eq("id", job_id).single()
        row: Any = query.execute().data
        assert isinstance(row, dict)
        return row

    def wait(self, job_id: str, *states: str, seconds: float = 60.0) -> Row:
        """The row once it is in one of the states (default: final)."""
        eventually(lambda: self.job(job_id)["status"] in (states or FINAL), seconds)
        return self.job(job_id)

    def wait_for_stage(self, job_id: str, stage: str) -> None:
        eventually(lambda: self.job(job_id)["stage"] == stage, 60)

    def history(self, job_id: str) -> list[Row]:
        rows: Any = self.client.rpc("video_job_history", {"job_id": job_id}).execute().data
        assert isinstance(rows, list)
        return rows


@dataclass
class Worker:
    """A worker process and what it logs."""

    process: subprocess.Popen[str]
    work_dir: Path
    events: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.events.append({"event": "not json", "line": line})

    def logged(self, event: str) -> list[Row]:
        return [e for e in list(self.events) if e["event"] == event]

    def wait_for(self, event: str, count: int = 1) -> Row:
        eventually(lambda: len(self.logged(event)) >= count or self.process.poll() is not None, 60)
        found = self.logged(event)
        assert len(found) >= count, self.events
        return found[-1]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 60) -> int:
        code = self.process.wait(seconds)
        self._reader.join(10)
        return code

    def leftovers(self) -> list[Path]:
        """Files and folders that a worker left behind."""
        return list(self.work_dir.rglob("*")) if self.work_dir.exists() else []


@dataclass
class Project:
    """One Supabase project, and what runs on it."""

    stack: Stack
    db: Db
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    _open: list[httpx.Client] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What an operator sets."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "SUPABASE_URL": self.stack.url,
            "SUPABASE_SECRET_KEY": self.stack.secret_key,
            "DATABASE_URL": self.db.dsn("video_worker"),
        }

    def client(self, key: str) -> Client:
        http = httpx.Client(timeout=30)
        self._open.append(http)
        options = ClientOptions(httpx_client=http, auto_refresh_token=False, persist_session=False)
        return create_client(self.stack.url, key, options)

    def new_user(self) -> User:
        client = self.client(self.stack.publishable_key)
        email = f"{uuid4()}@example.com"
        answer = client.auth.sign_up({"email": email, "password": "correct horse"})
        assert answer.user
        return User(client, answer.user.id)

    def start_worker(self, ready: bool = True, **settings: str) -> Worker:
        """Start a worker and wait until it is ready, unless it will not be."""
        work_dir = self.folder / "work"
        environment = self.environment | {"WORKER_WORK_DIR": str(work_dir)} | settings
        process = subprocess.Popen(
            [*COMMAND, "run"], env=environment, stderr=subprocess.PIPE, text=True
        )
        worker = Worker(process, work_dir)
        self.workers.append(worker)
        if ready:
            worker.wait_for("worker.ready")
        return worker

    def run(self, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run another command of video-worker to its end."""
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=110,
            cwd=self.folder,
        )

    def renders(self) -> list[str]:
        """The names of all objects in bucket renders."""
        rows = self.db.admin.execute(
            "select name from storage.objects where bucket_id = 'renders' order by 1"
        ).fetchall()
        return [row["name"] for row in rows]

    def download(self, path: str, target: Path) -> Path:
        """Save an object of bucket renders."""
        admin = self.client(self.stack.secret_key)
        target.write_bytes(admin.storage.from_("renders").download(path))
        return target

    def stop(self) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.wait()
            assert worker.process.stderr
            worker.process.stderr.close()
        for http in self._open:
            http.close()
        self.stack.stop()


@pytest.fixture
def project(db: Db, tmp_path: Path) -> Iterator[Project]:
    started = Project(
        Stack.start(
            directory=tmp_path / "stack", database_url=db.dsn(), project_dir=ROOT / "supabase"
        ),
        db,
        tmp_path,
    )
    yield started
    started.stop()


@pytest.fixture
def user(project: Project) -> User:
    return project.new_user()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of video with sound: rendered in a moment."""
    return Clip().make(tmp_path_factory.mktemp("clips") / "clip.mp4")


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes long enough to render that something can happen meanwhile."""
    return Clip(seconds=120, size="1280x720").make(tmp_path_factory.mktemp("clips") / "long.mp4")


def ffmpegs_in(folder: Path) -> list[int]:
    """ffmpeg processes that work below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder in (process / "cwd").readlink().parents:
                found.append(int(process.name))
        except OSError:
            continue
    return found
