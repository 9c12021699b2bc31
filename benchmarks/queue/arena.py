"""One Postgres for all contestants, databases to try them in, and their worker processes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.queue.contestants import Contestant
from benchmarks.queue.handler import START
from devstack.postgres import SUPERUSER, Postgres

SETTINGS = {"shared_preload_libraries": "pg_stat_statements"}
"""All else is as Postgres comes: fsync and synchronous_commit are on."""


class NoStartError(Exception):
    """No job was started in time."""


class Worker:
    """A process of a contestant, which tells starts of jobs through its standard output."""

    def __init__(self, contestant: Contestant, dsn: str, slots: int, seconds: float = 0) -> None:
        command = (sys.executable, "-m", contestant.worker, dsn, str(slots), str(seconds))
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def next_start(self, within: float) -> int:
        """When the next job was started, in ns of the monotonic clock. Raises NoStartError."""
        assert self._process.stdout
        pipe = self._process.stdout.fileno()
        if not select.select([pipe], [], [], within)[0]:
            raise NoStartError
        told = os.read(pipe, START.size)
        if not told:
            raise RuntimeError(f"a worker ended with {self._process.wait()}")
        (at,) = START.unpack(told)
        return int(at)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


class Ring:
    """A fresh database of one contestant. Statements run as the superuser."""

    def __init__(self, postgres: Postgres, contestant: Contestant, database: str) -> None:
        self.contestant = contestant
        self.database = database
        self._postgres = postgres
        self.connection = self.connect()

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn(SUPERUSER), autocommit=True)

    def dsn(self, role: str) -> str:
        return self._postgres.dsn(self.database, role)

    def value(self, query: str) -> Any:
        row = self.connection.execute(query.encode()).fetchone()
        assert row
        return row[0]

    def send(self, jobs: int = 1, **how: Any) -> None:
        self.connection.execute(self.contestant.sending(jobs, **how).encode())

    def fill(self, jobs: int, **how: Any) -> None:
        """Send without triggers, so without a word to the workers."""
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica")
            self.send(jobs, **how)
            self.connection.execute(self.contestant.settle.encode())

    def vacuum(self) -> None:
        """As after a while: no dead rows, and the planner knows what is there."""
        self.connection.execute(f"vacuum analyze {self.contestant.table}".encode())

    def wal(self) -> int:
        """Bytes of write-ahead log so far, of the whole server."""
        return int(self.value("select pg_current_wal_insert_lsn() - '0/0'"))

    def start(self, slots: int, seconds: float = 0) -> Worker:
        """A worker process, for the caller to kill."""
        return Worker(self.contestant, self.dsn(self.contestant.role), slots, seconds)

    @contextmanager
    def workers(self, processes: int, slots: int) -> Iterator[list[Worker]]:
        """Processes of which each has done a job that told its start, and no such job is left."""
        with ExitStack() as stack:
            workers = [self.start(slots) for _ in range(processes)]
            for worker in workers:
                stack.callback(worker.kill)
            sent, told = 0, dict.fromkeys(workers, 0)
            while not all(told.values()) or sum(told.values()) < sent:
                if not all(told.values()):
                    self.send(tells=True, priority=1)
                    sent += 1
                for worker in workers:
                    told[worker] += _starts_within(worker, 0.1)
            yield workers


def _starts_within(worker: Worker, seconds: float) -> bool:
    try:
        worker.next_start(seconds)
    except NoStartError:
        return False
    return True


class Arena:
    """Postgres in ``folder``, and a template database for each contestant. Use it as a context."""

    def __init__(
        self, folder: Path, contestants: tuple[Contestant, ...], settings: dict[str, str] = SETTINGS
    ) -> None:
        self._folder = folder
        self._contestants = contestants
        self._settings = settings
        self._numbers = count(1)

    def __enter__(self) -> Arena:
        self._postgres = Postgres.start(self._folder / "postgres", options=self._settings)
        for database in ("postgres", "template1"):
            with psycopg.connect(self._postgres.dsn(database, SUPERUSER)) as connection:
                connection.execute("create extension pg_stat_statements")
        for contestant in self._contestants:
            self._postgres.create_database(contestant.name)
            contestant.install(self._postgres, contestant.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._postgres.stop()

    @contextmanager
    def ring(self, contestant: Contestant) -> Iterator[Ring]:
        """A database of its own, dropped in the end."""
        name = f"{contestant.name}_{next(self._numbers)}"
        self._postgres.create_database(name, template=contestant.name)
        ring = Ring(self._postgres, contestant, name)
        try:
            yield ring
        finally:
            ring.connection.close()
            self._postgres.drop_database(name)

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._folder / "postgres" / "server.log"

    def statements(self, database: str) -> int:
        """How many statements clients have sent to a database so far."""
        return self._count(
            "select coalesce(sum(calls), 0) from pg_stat_statements s"
            " join pg_database d on d.oid = s.dbid where toplevel and datname = %s",
            database,
        )

    def connections(self, database: str) -> int:
        """How many sessions are open in a database."""
        return self._count("select count(*) from pg_stat_activity where datname = %s", database)

    def _count(self, query: str, database: str) -> int:
        with psycopg.connect(self._postgres.dsn(user=SUPERUSER)) as connection:
            row = connection.execute(query.encode(), [database]).fetchone()
        assert row
        return int(row[0])
