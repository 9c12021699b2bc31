"""The launcher of the devstack's own Postgres."""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.bootstrap import bootstrap
from devstack.postgres import SUPERUSER, Postgres, PostgresError

from .conftest import DEADLINE_SECONDS
from .test_database import POSTGRES_15

REPOSITORY = Path(__file__).parents[2]
NO_FSYNC = {"fsync": "off"}

# What a process that owns a server does: start it, say its process id, wait.
OWNER = """
import sys
from pathlib import Path
from devstack.postgres import Postgres

server = Postgres.start(Path(sys.argv[1]), options={"fsync": "off"})
print((server.data_dir / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.readline()
server.stop()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user of the machine can reach, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="devstack-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def answer(server: Postgres, query: str = "select 1", database: str = "postgres") -> object:
    with psycopg.connect(server.dsn(database, user=SUPERUSER), autocommit=True) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def process_id(server: Postgres) -> int:
    return int((server.data_dir / "postmaster.pid").read_text().split()[0])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("bin_dir", [None, POSTGRES_15], ids=["embedded", "15"])
def test_a_server_starts_stops_and_keeps_its_data(tmp_path: Path, bin_dir: Path | None) -> None:
    if bin_dir and not bin_dir.exists():
        pytest.skip(f"there is no {bin_dir}")
    with Postgres.start(tmp_path / "data", bin_dir=bin_dir, options=NO_FSYNC) as server:
        answer(server, "create table kept as select 7 as n")
        assert answer(server, "show wal_level") == "logical"
        assert answer(server, "show timezone") == "UTC"
        pid = process_id(server)
    assert not is_running(pid)
    with Postgres.start(tmp_path / "data", bin_dir=bin_dir, options=NO_FSYNC) as server:
        assert answer(server, "select n from kept") == 7


def test_a_server_that_crashed_recovers(tmp_path: Path) -> None:
    server = Postgres.start(tmp_path / "data")
    answer(server, "create table kept as select 7 as n")
    server.stop("immediate")
    with Postgres.start(tmp_path / "data") as server:
        assert answer(server, "select n from kept") == 7


def test_a_server_that_was_killed_starts_again_on_the_same_port(tmp_path: Path) -> None:
    server = Postgres.start(tmp_path / "data")
    os.kill(process_id(server), signal.SIGKILL)
    server.stop()
    with Postgres.start(tmp_path / "data", port=server.port) as server:
        assert answer(server) == 1


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits by a pidfd")
def test_a_server_does_not_outlive_an_owner_that_was_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "data")],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout
    server = os.pidfd_open(int(owner.stdout.readline()))
    owner.kill()
    owner.communicate()
    ended, _, _ = select.select([server], [], [], DEADLINE_SECONDS)
    os.close(server)
    assert ended


def test_stopping_ends_a_server_with_clients_in_it(tmp_path: Path) -> None:
    server = Postgres.start(tmp_path / "data", options=NO_FSYNC)
    with psycopg.connect(server.dsn(user=SUPERUSER)) as connection:
        connection.execute("select 1")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_a_failed_start_says_what_the_server_said(tmp_path: Path) -> None:
    with Postgres.start(tmp_path / "data", options=NO_FSYNC) as server:
        with pytest.raises(PostgresError, match="Address already in use"):
            Postgres.start(tmp_path / "other", port=server.port)
        with pytest.raises(PostgresError, match=r'lock file "postmaster.pid" already exists'):
            Postgres.start(tmp_path / "data")
        assert answer(server) == 1


def test_a_setting_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="no_such_setting"):
        Postgres.start(tmp_path / "data", options={"no_such_setting": "1"})


def test_only_a_password_opens_the_server(tmp_path: Path) -> None:
    with Postgres.start(tmp_path / "data", options=NO_FSYNC) as server:
        dsn = server.dsn(user=SUPERUSER).replace(":postgres@", ":wrong@")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(dsn)


def test_a_database_is_a_copy_of_its_template(tmp_path: Path) -> None:
    with Postgres.start(tmp_path / "data", options=NO_FSYNC) as server:
        server.create_database("template")
        bootstrap(server.dsn("template", user=SUPERUSER))
        bootstrap(server.dsn("template", user=SUPERUSER))
        server.create_database("copy", template="template")
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'copy'"
        assert answer(server, owner) == "postgres"
        with psycopg.connect(server.dsn("copy")) as connection:
            connection.execute("create table public.mine (id int)")
            connection.commit()
            server.drop_database("copy")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        server.drop_database("copy")
        with pytest.raises(PostgresError, match="no database"):
            server.create_database("another", template="absent")


@as_root
def test_root_can_do_without_a_user_namespace(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.postgres._NAMESPACE", ["false"])
    with Postgres.start(open_directory / "data", options=NO_FSYNC) as server:
        assert answer(server) == 1
        assert server.data_dir.stat().st_uid != 0
    monkeypatch.undo()
    with Postgres.start(open_directory / "data", options=NO_FSYNC) as server:
        assert answer(server) == 1


@as_root
def test_an_ordinary_user_can_run_a_server(open_directory: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(open_directory, nobody.pw_uid, nobody.pw_gid)

    def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-B", *arguments],
            cwd=REPOSITORY,
            input="\n",
            capture_output=True,
            text=True,
            check=False,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
        )

    try:
        as_nobody("-c", "import devstack").check_returncode()
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("nobody can't reach this Python")
    owner = as_nobody("-c", OWNER, str(open_directory / "data"))
    assert owner.returncode == 0, owner.stderr
    assert not is_running(int(owner.stdout))
