"""Where a run takes place: one Supabase project with workers, and what can be done to them."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from devstack.bootstrap import bootstrap
from devstack.postgres import SUPERUSER, Postgres
from devstack.stack import Fault, Stack
from tests.acceptance.conftest import SRT, Worker, ffmpegs_in
from tests.clips import Clip
from tests.faults.wire import Wire
from worker.queue.migrations import migrate

LEASE = 6
"""Seconds; the shortest that a worker can be told. Heartbeats come every half second."""
PATIENCE = 60.0
"""Seconds for anything that must happen. A machine may be busy."""
FINAL = ("completed", "failed", "cancelled")
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LAUNCH = Path(__file__).with_name("launch.py")
ROOT = Path(__file__).parents[2]

Row = dict[str, Any]


class StuckError(Exception):
    """Something did not happen within all patience."""


@dataclass
class Clips:
    """Videos to send: one is rendered in a moment, one takes seconds, one comes in several pieces
    and goes out by resumable upload, one needs much memory."""

    short: Path
    long: Path
    large: Path
    huge: Path

    @classmethod
    def make(cls, folder: Path) -> Clips:
        noise = "noise=alls=60:allf=t"
        fine = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p")
        return cls(
            Clip(seconds=2).make(folder / "short.mp4"),
            Clip(seconds=90, size="640x360").make(folder / "long.mp4"),
            Clip(seconds=3, size="640x360", filters=noise, video=fine).make(folder / "large.mp4"),
            Clip(seconds=0.4, size="3840x2160").make(folder / "huge.mp4"),
        )


@dataclass
class Lane:
    """A Postgres server of its own, on which one run after the other takes place."""

    folder: Path
    clips: Clips
    postgres: Postgres

    @classmethod
    def open(cls, folder: Path, clips: Clips, bin_dir: Path | None = None) -> Lane:
        postgres = Postgres.start(folder / "postgres", options=FAST, bin_dir=bin_dir)
        postgres.create_database("template_faults")
        bootstrap(postgres.dsn("template_faults", SUPERUSER))
        migrate(postgres.dsn("template_faults"), lambda migration: None)
        with psycopg.connect(postgres.dsn("template_faults"), autocommit=True) as connection:
            connection.execute("alter role video_worker password 'postgres'")
        return cls(folder, clips, postgres)

    def close(self) -> None:
        self.postgres.stop()

    def restart_postgres(self) -> None:
        self.postgres = Postgres.start(
            self.postgres.data_dir,
            port=self.postgres.port,
            bin_dir=self.postgres.bin_dir,
            options=FAST,
        )


@dataclass
class Expectation:
    """How a job must end. ``attempts`` may be several where it depends on the moment."""

    statuses: tuple[str, ...] = ("completed",)
    attempts: tuple[int, ...] = (1,)
    code: str | None = None
    """The error of the row, or for a completed one of an attempt before."""


@dataclass
class Run:
    """One fault, once. Its details are the seed's."""

    lane: Lane
    name: str
    seed: int
    folder: Path = field(init=False)
    workers: list[Worker] = field(default_factory=list)
    expected: dict[UUID, Expectation] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    """Jobs whose rows were deleted on purpose."""
    killed: set[int] = field(default_factory=set)
    """Workers (by process id) that need not end in order."""

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.name} {self.seed}")
        tag = uuid4().hex[:8]
        self.folder = self.lane.folder / tag
        self.folder.mkdir()
        self.points = self.folder / "points"
        self.points.mkdir()
        self.work_dir = self.folder / "work"
        self.database = f"run_{tag}"
        self.lane.postgres.create_database(self.database, template="template_faults")
        self.stack = Stack.start(
            directory=self.folder / "stack", database_url=self.lane.postgres.dsn(self.database)
        )
        self.wire = Wire(self.lane.postgres.port)
        self.storage_wire = Wire(int(self.stack.url.rpartition(":")[2]))
        self.http = httpx.Client(
            base_url=f"{self.stack.url}/storage/v1",
            headers={"apikey": self.stack.secret_key},
            timeout=30,
        )

    def close(self) -> None:
        for worker in self.workers:
            worker.process.send_signal(signal.SIGCONT)
            worker.process.kill()
            worker.wait()
            if worker.process.stderr:
                worker.process.stderr.close()
        self.http.close()
        self.wire.close()
        self.storage_wire.close()
        self.stack.stop()
        self.lane.postgres.drop_database(self.database)
        if self.work_dir.is_mount():
            subprocess.run(["umount", "--lazy", self.work_dir], check=True)

    # Workers

    def start(
        self,
        *,
        wait: bool = True,
        limits: dict[int, int] | None = None,
        **settings: str,
    ) -> Worker:
        """A worker process; ``limits`` are the kernel's, by RLIMIT number."""

        def confine() -> None:
            for number, value in (limits or {}).items():
                resource.setrlimit(number, (value, value))

        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "SUPABASE_URL": f"http://127.0.0.1:{self.storage_wire.port}",
            "SUPABASE_SECRET_KEY": self.stack.secret_key,
            "DATABASE_URL": self.url(self.wire.port),
            "WORKER_WORK_DIR": str(self.work_dir),
            "WORKER_LEASE_SECONDS": str(LEASE),
            "WORKER_GRACE_SECONDS": "60",
            "FAULT_POINTS": str(self.points),
        } | settings
        process = subprocess.Popen(
            [sys.executable, str(LAUNCH)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=confine if limits else None,
        )
        worker = Worker(process, self.work_dir)
        self.workers.append(worker)
        if wait:
            self.until(lambda: worker.logged("worker.ready"), "a worker is ready")
        return worker

    def url(self, port: int) -> str:
        return f"postgresql://video_worker:postgres@127.0.0.1:{port}/{self.database}"

    def kill(self, worker: Worker) -> None:
        self.killed.add(worker.process.pid)
        worker.process.kill()

    def ffmpegs(self) -> list[int]:
        return ffmpegs_in(self.work_dir)

    def renders(self) -> list[int]:
        """Those ffmpegs that tell their progress."""
        found = []
        for process in self.ffmpegs():
            with suppress(OSError):
                if b"-progress" in Path(f"/proc/{process}/cmdline").read_bytes():
                    found.append(process)
        return found

    def use_small_disk(self, megabytes: int) -> None:
        """Workers' files are on a disk of their own from now on. Needs root."""
        if os.geteuid() != 0:
            pytest.skip("only root can mount a small disk")
        self.work_dir.mkdir()
        size = f"size={megabytes}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", self.work_dir], check=True)

    # Points

    def hold(self, point: str) -> None:
        """Workers that come to this point wait there."""
        (self.points / point).touch()

    def reached(self, point: str) -> None:
        """Wait until one has come to it."""
        self.until((self.points / f"{point}.reached").exists, f"a worker is at {point}")
        time.sleep(self.dice.uniform(0, 0.2))

    def let_go(self, point: str) -> None:
        (self.points / point).unlink(missing_ok=True)

    # Jobs

    def send(self, clip: Path | None = None, subtitles: str = SRT, **columns: Any) -> UUID:
        """A new user's job, expected to complete at the first attempt."""
        user = uuid4()
        self.sql("insert into auth.users (id, email) values (%s, %s)", user, f"{user}@example.com")
        return self.send_as(user, clip, subtitles, **columns)

    def send_as(
        self, user: UUID, clip: Path | None = None, subtitles: str = SRT, **columns: Any
    ) -> UUID:
        video, srt = f"{user}/{uuid4()}.mp4", f"{user}/{uuid4()}.srt"
        self.store("videos", video, (clip or self.lane.clips.short).read_bytes(), "video/mp4")
        self.store("subtitles", srt, subtitles.encode(), "text/plain")
        names = ["user_id", "input_path", "subtitle_path", *columns]
        (row,) = self.sql(
            f"insert into public.video_jobs ({', '.join(names)})"
            f" values ({', '.join(['%s'] * len(names))}) returning id",
            *(user, video, srt, *columns.values()),
        )
        job: UUID = row["id"]
        self.expected[job] = Expectation()
        return job

    def store(self, bucket: str, path: str, data: bytes, content_type: str) -> None:
        headers = {"content-type": content_type, "x-upsert": "true"}
        self.http.post(f"/object/{bucket}/{path}", content=data, headers=headers).raise_for_status()

    def expect(
        self,
        job: UUID,
        *statuses: str,
        attempts: int | Iterable[int] = 1,
        code: str | None = None,
    ) -> None:
        several = (attempts,) if isinstance(attempts, int) else tuple(attempts)
        self.expected[job] = Expectation(statuses or ("completed",), several, code)

    def job(self, job: UUID) -> Row:
        rows = self.sql("select * from public.video_jobs where id = %s", job)
        return rows[0] if rows else {"status": "deleted", "attempt": None}

    def wait_for(self, job: UUID, *statuses: str) -> Row:
        self.until(lambda: self.job(job)["status"] in (statuses or FINAL), f"the job is {statuses}")
        return self.job(job)

    def begun(self, job: UUID, attempt: int) -> None:
        """Wait until this attempt is under way."""
        self.until(lambda: self.job(job)["attempt"] == attempt, f"attempt {attempt} has begun")

    def make_due(self, job: UUID) -> None:
        """Do not wait for the time of the retry."""
        self.sql("update public.video_jobs set run_at = now() where id = %s", job)

    def retried_after(self, job: UUID, code: str) -> None:
        """Wait until an attempt has failed with this code, and make the next one due."""
        self.until(
            lambda: self.sql(
                "select 1 from video_worker.job_events where job_id = %s and error_code = %s",
                job,
                code,
            ),
            f"an attempt fails with {code}",
        )
        self.make_due(job)

    # The rest of the world

    def sql(self, query: str, *parameters: Any, user: str = SUPERUSER) -> list[Row]:
        """As the server's superuser, on a connection of its own."""
        with psycopg.connect(
            self.lane.postgres.dsn(self.database, user),
            autocommit=True,
            row_factory=dict_row,
            options="-c default_transaction_read_only=off",
        ) as connection:
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def end_sessions(self, condition: str = "true") -> None:
        """Terminate the workers' sessions."""
        self.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where usename = 'video_worker' and datname = current_database() and ({condition})"
        )

    def storage_fault(self, method: str, path: str, **kinds: Any) -> Fault:
        fault = Fault(method, path, **kinds)
        self.stack.faults.append(fault)
        return fault

    def until(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise StuckError(what)
            time.sleep(0.02)

    def wait_event(self, event: threading.Event, what: str) -> None:
        if not event.wait(PATIENCE):
            raise StuckError(what)
