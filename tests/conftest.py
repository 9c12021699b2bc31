"""What all tests share: one Postgres server, and a database of its own for every test.

Each database is a copy of a template that holds what a Supabase project has and our migrations.
``TEST_POSTGRES_BIN`` names the folder with another Postgres's programs (default: the embedded one).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from devstack.bootstrap import bootstrap
from devstack.postgres import Postgres
from worker.queue.migrations import migrate

Connection = psycopg.Connection[DictRow]

WORKER_PASSWORD = "postgres"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    binaries = os.environ.get("TEST_POSTGRES_BIN")
    server = Postgres.start(
        tmp_path_factory.mktemp("postgres") / "data",
        bin_dir=Path(binaries) if binaries else None,
        options=FAST,
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """A database with everything a new project has, and our migrations."""
    name = "template_migrated"
    postgres.create_database(name)
    bootstrap(postgres.dsn(name, "supabase_admin"))
    migrate(postgres.dsn(name), lambda migration: None)
    with psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        connection.execute(f"alter role video_worker password '{WORKER_PASSWORD}'")
    return name


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm packages of tests/package.json. Without them tests are skipped, but never in CI."""
    folder = Path(__file__).parent
    installed = folder / "node_modules" / ".package-lock.json"
    wanted = folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        npm = shutil.which("npm")
        if npm is None:
            absent("there is no Node.js")
        # Not `npm ci`: the lock file names the Supabase CLI's binary for one platform only.
        command = [npm, "install", "--no-save"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            absent(f"npm install failed: {done.stderr}")
    return folder / "node_modules"


@pytest.fixture(scope="session")
def deno() -> str:
    """The program that runs Edge Functions."""
    program = shutil.which("deno", path=sysconfig.get_path("scripts")) or shutil.which("deno")
    return program or absent("there is no Deno")


def absent(reason: str) -> NoReturn:
    """Something that a test needs is not on this machine."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until ``condition`` holds; fails when it doesn't within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


_numbers = count(1)


@pytest.fixture
def db(postgres: Postgres, template: str) -> Iterator[Db]:
    """A fresh database."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    postgres.create_database(name, template=template)
    database = Db(postgres, name)
    yield database
    database.close()
    postgres.drop_database(name)


@dataclass
class Db:
    """One test's database, and the roles that act on it."""

    postgres: Postgres
    name: str

    def __post_init__(self) -> None:
        self._open: list[Connection] = []
        self.admin = self.connect("postgres")

    def dsn(self, user: str = "postgres") -> str:
        return self.postgres.dsn(self.name, user)

    def connect(self, user: str = "postgres") -> Connection:
        """A connection in autocommit mode, closed when the test ends."""
        connection: Connection = psycopg.connect(
            self.dsn(user), autocommit=True, row_factory=dict_row
        )
        self._open.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._open:
            connection.close()

    @contextmanager
    def acting_as(self, user_id: UUID | None, role: str = "authenticated") -> Iterator[Connection]:
        """A transaction as the Data API runs it for a signed-in user."""
        connection: Connection
        with psycopg.connect(self.dsn(), row_factory=dict_row) as connection:
            claims = {"role": role} | ({"sub": str(user_id)} if user_id else {})
            connection.execute(
                "select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)]
            )
            connection.execute(f"set local role {role}")
            yield connection

    def new_user(self) -> UUID:
        user_id = uuid4()
        self.admin.execute(
            "insert into auth.users (id, email) values (%s, %s)",
            [user_id, f"{user_id}@example.com"],
        )
        return user_id

    def new_job(self, user_id: UUID | None = None, **columns: Any) -> UUID:
        """Insert a job and return its id."""
        user_id = user_id or self.new_user()
        values = {
            "user_id": user_id,
            "input_path": f"{user_id}/video.mp4",
            "subtitle_path": f"{user_id}/subtitles.srt",
            **columns,
        }
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        row = self.admin.execute(
            f"insert into public.video_jobs ({names}) values ({marks}) returning id",
            list(values.values()),
        ).fetchone()
        assert row
        job_id: UUID = row["id"]
        return job_id

    def job(self, job_id: UUID) -> DictRow:
        row = self.admin.execute(
            "select * from public.video_jobs where id = %s", [job_id]
        ).fetchone()
        assert row, "the job is gone"
        return row

    def value(self, query: str, parameters: list[Any] | None = None) -> Any:
        row = self.admin.execute(query, parameters).fetchone()
        assert row
        return next(iter(row.values()))
