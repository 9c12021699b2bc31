"""What stands before Postgres, and a standby that takes its place."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from devstack.bootstrap import bootstrap
from devstack.postgres import SUPERUSER, Postgres
from devstack.stack import Stack
from tests.acceptance.conftest import Project, User, free_port, metrics
from tests.conftest import FAST, WORKER_PASSWORD, Db, absent, eventually
from tests.faults.wire import Wire
from worker.queue.migrations import migrate

NOTICED = "database.unavailable"


class Bouncer:
    """pgbouncer in transaction mode, before the test's database."""

    def __init__(self, db: Db, folder: Path) -> None:
        self.program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        if self.program is None:
            absent("there is no pgbouncer")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.settings = folder / "pgbouncer.ini"
        self.settings.write_text(
            "[databases]\n"
            f"{db.name} = host=127.0.0.1 port={db.postgres.port}"
            f" user=video_worker password={WORKER_PASSWORD}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        )
        self.settings.chmod(0o644)
        for above in folder.parents:
            with suppress(PermissionError):
                above.chmod(above.stat().st_mode | 0o011)
        self.url = f"postgresql://video_worker:any@127.0.0.1:{self.port}/{db.name}"
        self.start()

    def start(self) -> None:
        # It does not run as root.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        assert self.program
        self.process = subprocess.Popen(
            [self.program, "-q", *user, self.settings], stderr=subprocess.DEVNULL
        )
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "pgbouncer did not start"
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def bouncer(db: Db, tmp_path: Path) -> Iterator[Bouncer]:
    started = Bouncer(db, tmp_path)
    yield started
    started.stop()


def test_queries_through_a_transaction_pooler_and_listening_directly(
    project: Project, user: User, db: Db, bouncer: Bouncer, clip: Path
) -> None:
    worker = project.start_worker(
        DATABASE_URL=bouncer.url, LISTEN_DATABASE_URL=db.dsn("video_worker")
    )
    worker.wait_for("listener.live")
    jobs = [user.send(clip.read_bytes()) for _ in range(2)]
    for job in jobs:
        assert user.wait(job)["status"] == "completed"
    assert worker.logged("listener.polling") == []
    assert worker.logged(NOTICED) == []


def test_listening_through_a_transaction_pooler_is_noticed_and_polling_does_it(
    project: Project, user: User, bouncer: Bouncer, clip: Path
) -> None:
    worker = project.start_worker(DATABASE_URL=bouncer.url, WORKER_LEASE_SECONDS="6")
    worker.wait_for("listener.polling")
    assert user.wait(user.send(clip.read_bytes()))["status"] == "completed"
    assert len(worker.logged("listener.polling")) == 1, "said once, not at every ping"


def test_a_listening_connection_that_falls_silent_is_noticed_and_comes_back(
    project: Project, user: User, db: Db, clip: Path
) -> None:
    """Half open: TCP seems fine, and nothing arrives. The queries have a way of their own."""
    wire = Wire(db.postgres.port)
    port = free_port()
    worker = project.start_worker(
        LISTEN_DATABASE_URL=db.dsn("video_worker").replace(
            f":{db.postgres.port}/", f":{wire.port}/"
        ),
        WORKER_LEASE_SECONDS="6",
        WORKER_HEALTH_PORT=str(port),
    )
    worker.wait_for("listener.live")
    assert metrics(port)["video_worker_listener_live"] == 1
    wire.hold_up()
    worker.wait_for("listener.polling")
    assert metrics(port)["video_worker_listener_live"] == 0
    assert user.wait(user.send(clip))["status"] == "completed"
    wire.flow()
    worker.wait_for("listener.live", count=2)
    assert metrics(port)["video_worker_listener_live"] == 1
    assert user.wait(user.send(clip))["status"] == "completed"
    assert len(worker.logged("listener.polling")) == 1, "said once, not at every attempt"
    assert worker.logged(NOTICED) == []
    wire.close()


def test_a_pooler_that_restarts_is_waited_for(
    project: Project, user: User, db: Db, bouncer: Bouncer, clip: Path
) -> None:
    worker = project.start_worker(
        DATABASE_URL=bouncer.url,
        LISTEN_DATABASE_URL=db.dsn("video_worker"),
        WORKER_LEASE_SECONDS="6",
    )
    worker.wait_for("listener.live")
    bouncer.stop()
    job = user.send(clip.read_bytes())
    worker.wait_for(NOTICED)
    bouncer.start()
    assert user.wait(job)["status"] == "completed"
    worker.wait_for("database.back")
    assert len(worker.logged(NOTICED)) == 1
    assert worker.process.poll() is None


def make_standby(primary: Postgres, folder: Path) -> Postgres:
    """A copy of a server that follows it, and can be read from."""
    source = primary.dsn(user=SUPERUSER)
    subprocess.run(
        [primary.bin_dir / "pg_basebackup", "-d", source, "-D", folder, "-R", "-c", "fast"],
        check=True,
        capture_output=True,
    )
    owner = primary.data_dir.stat()
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)
    return Postgres.start(folder, bin_dir=primary.bin_dir, options=FAST)


def test_a_job_in_work_survives_a_failover_to_a_standby(tmp_path: Path, long_clip: Path) -> None:
    """The primary dies within a render; for a while there is only the read-only standby."""
    with Postgres.start(tmp_path / "primary", options=FAST) as primary:
        bootstrap(primary.dsn(user=SUPERUSER))
        migrate(primary.dsn(), lambda migration: None)
        with psycopg.connect(primary.dsn(), autocommit=True) as connection:
            connection.execute(f"alter role video_worker password '{WORKER_PASSWORD}'")
        with make_standby(primary, tmp_path / "standby") as standby:
            wire = Wire(primary.port)
            try:
                fail_over(primary, standby, wire, tmp_path, long_clip)
            finally:
                wire.close()


def fail_over(
    primary: Postgres, standby: Postgres, wire: Wire, folder: Path, long_clip: Path
) -> None:
    address = f"{WORKER_PASSWORD}@127.0.0.1:{wire.port}/postgres"
    stack = Stack.start(directory=folder / "stack", database_url=f"postgresql://postgres:{address}")
    project = Project(stack, Db(primary, "postgres"), folder)
    try:
        user = project.new_user()
        worker = project.start_worker(
            DATABASE_URL=f"postgresql://video_worker:{address}",
            WORKER_LEASE_SECONDS="6",
        )
        worker.wait_for("listener.live")
        job = user.send(long_clip)
        user.wait_for_stage(job, "render")
        with psycopg.connect(standby.dsn(), autocommit=True) as reader:
            followed = "select exists (select from video_worker.leases)"
            eventually(lambda: reader.execute(followed).fetchone() == (True,))
            primary.stop("immediate")
            wire.target = standby.port
            wire.cut()
            worker.wait_for(NOTICED)
            here = "select count(*) > 0 from pg_stat_activity where usename = 'video_worker'"
            eventually(lambda: reader.execute(here).fetchone() == (True,))
        with psycopg.connect(standby.dsn(user=SUPERUSER), autocommit=True) as admin:
            admin.execute("select pg_promote()")
        worker.wait_for("database.back")
        row = user.wait(job, seconds=90)
        assert (row["status"], row["attempt"]) == ("completed", 1)
        worker.wait_for("listener.live", 2)
        assert len(worker.logged(NOTICED)) == 1, "said once, through all that it was"
        assert worker.process.poll() is None
    finally:
        project.stop()
        project.db.close()


class Doorman:
    """Lets everybody in and throws them out at once; counts them."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.guests = 0
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        with suppress(OSError):
            while True:
                guest, _ = self.door.accept()
                guest.close()
                self.guests += 1


def test_a_worker_that_is_not_let_in_neither_ends_nor_spins(project: Project) -> None:
    doorman = Doorman()
    url = f"postgresql://video_worker:x@127.0.0.1:{doorman.port}/postgres"
    worker = project.start_worker(ready=False, DATABASE_URL=url, WORKER_LEASE_SECONDS="6")
    worker.wait_for(NOTICED)
    before = doorman.guests
    time.sleep(8)  # what is counted is how often it tries
    tries = doorman.guests - before
    doorman.door.close()
    assert 1 <= tries <= 40
    assert len(worker.logged(NOTICED)) == 1
    assert worker.process.poll() is None
    worker.terminate()
    assert worker.wait() == 0
