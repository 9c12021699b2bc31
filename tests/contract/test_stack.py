"""The devstack as a whole: it starts, keeps its data, bears large files, and ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from devstack.postgres import SUPERUSER, Postgres
from devstack.stack import Stack, bootstrap
from tests.conftest import eventually

from .conftest import PASSWORD, Project, client
from .phoenix import phoenix
from .test_postgres import REPOSITORY, is_running
from .test_resumable import CHUNK, Uploader

MIB = 1024**2


def test_a_stack_keeps_what_it_was_given(tmp_path: Path) -> None:
    body = b"x" * CHUNK + b"the end"
    email = "ada@example.com"
    with Stack.start(directory=tmp_path) as stack, client(stack.url, stack.secret_key) as admin:
        first = stack
        admin.auth.admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True})
        admin.storage.create_bucket("films")
        admin.storage.from_("films").upload("kept.txt", b"kept")
        with psycopg.connect(stack.database_url) as connection:
            connection.execute("create table public.kept as select 7 as n")
            connection.execute("grant select on public.kept to service_role")
        headers = {"authorization": f"Bearer {stack.service_role_key}"}
        with httpx.Client(base_url=stack.url) as http:
            uploader = Uploader(http, headers)
            uploader.create("films", "long.bin", upload_length=str(len(body)))
            uploader.send(0, body[:CHUNK])
            location = uploader.location.removeprefix(stack.url)
    with Stack.start(directory=tmp_path) as stack, client(stack.url, stack.secret_key) as admin:
        assert (stack.publishable_key, stack.secret_key) == (
            first.publishable_key,
            first.secret_key,
        )
        assert (stack.anon_key, stack.service_role_key) == (
            first.anon_key,
            first.service_role_key,
        )
        assert admin.table("kept").select("n").execute().data == [{"n": 7}]
        assert admin.storage.from_("films").download("kept.txt") == b"kept"
        with httpx.Client(base_url=stack.url) as http:
            uploader = Uploader(http, headers)
            uploader.location = location
            assert uploader.head().headers["upload-offset"] == str(CHUNK)
            assert uploader.send(CHUNK, body[CHUNK:]).headers["tus-complete"] == "1"
        assert admin.storage.from_("films").download("long.bin") == body
        admin.auth.sign_in_with_password({"email": email, "password": PASSWORD})


def test_the_legacy_keys_are_keys_too(tmp_path: Path) -> None:
    with Stack.start(directory=tmp_path) as stack, httpx.Client(base_url=stack.url) as http:
        for key, status in ((stack.service_role_key, 200), (stack.anon_key, 403)):
            headers = {"apikey": key, "authorization": f"Bearer {key}"}
            assert http.get("/auth/v1/admin/users", headers=headers).status_code == status


def test_the_gateway_bears_a_restart_of_the_database(tmp_path: Path) -> None:
    postgres = Postgres.start(tmp_path / "postgres", options={"fsync": "off"})
    bootstrap(postgres.dsn(user=SUPERUSER))
    with (
        Stack.start(directory=tmp_path, database_url=postgres.dsn()) as stack,
        httpx.Client(base_url=stack.url, headers={"apikey": stack.secret_key}) as http,
    ):
        assert http.get("/auth/v1/admin/users").status_code == 200
        postgres.stop("immediate")
        with Postgres.start(tmp_path / "postgres", port=postgres.port):
            assert http.get("/auth/v1/admin/users").status_code == 200
            assert http.get("/rest/v1/absent").status_code == 404
            assert http.get("/storage/v1/bucket").status_code == 200


def test_sockets_are_closed_when_the_changes_of_the_database_are_lost(tmp_path: Path) -> None:
    postgres = Postgres.start(tmp_path / "postgres", options={"fsync": "off"})
    bootstrap(postgres.dsn(user=SUPERUSER))
    with Stack.start(directory=tmp_path, database_url=postgres.dsn()) as stack:
        keys = (stack.publishable_key, stack.secret_key, stack.database_url, stack.jwt_secret)
        project = Project(stack.url, *keys)
        with phoenix(project) as line:
            assert line.join("lobby")[4]["status"] == "ok"
            postgres.stop("immediate")
            with pytest.raises(ConnectionClosed):
                line.next()
        with Postgres.start(tmp_path / "postgres", port=postgres.port), phoenix(project) as line:
            assert line.join("lobby")[4]["status"] == "ok"


def test_a_change_is_told_when_others_can_see_it_and_not_before(tmp_path: Path) -> None:
    # A commit that waits for a standby is in the log, but no other session sees it.
    options = {"synchronous_standby_names": "nobody", "synchronous_commit": "local"}
    insert = "insert into public.things values (1)"
    with (
        ThreadPoolExecutor() as threads,
        Postgres.start(tmp_path / "postgres", options=options) as postgres,
        psycopg.connect(postgres.dsn(user=SUPERUSER), autocommit=True) as admin,
    ):
        bootstrap(postgres.dsn(user=SUPERUSER))
        for statement in (
            "create table public.things (id int primary key)",
            "alter table public.things enable row level security",
            "create policy everybody on public.things for select to anon using (true)",
            "grant select on public.things to anon",
            "alter publication supabase_realtime add table public.things",
        ):
            admin.execute(statement)
        with Stack.start(directory=tmp_path, database_url=postgres.dsn()) as stack:
            keys = (stack.publishable_key, stack.secret_key, stack.database_url, stack.jwt_secret)
            with phoenix(Project(stack.url, *keys)) as line:
                changes = {"event": "INSERT", "schema": "public", "table": "things"}
                line.watch("things", stack.publishable_key, changes)
                inserting = threads.submit(_execute, postgres.dsn(user=SUPERUSER), insert)
                waiting = "from pg_stat_activity where wait_event = 'SyncRep'"
                eventually(lambda: admin.execute(f"select {waiting}").fetchone() is not None)
                # The gateway has heard of it, and looks whether it is there.
                looking = (
                    "select from pg_stat_activity"
                    " where query ~ 'visible_in_snapshot' and pid <> pg_backend_pid()"
                )
                eventually(lambda: admin.execute(looking).fetchone() is not None)
                admin.execute(f"select pg_cancel_backend(pid) {waiting}")
                inserting.result()
                assert line.change()["record"] == {"id": 1}


def _execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, options="-c synchronous_commit=on") as connection:
        connection.execute(statement)


def test_a_stack_that_can_not_start_leaves_nothing(tmp_path: Path) -> None:
    with Stack.start(directory=tmp_path / "one") as stack:
        port = int(stack.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Stack.start(directory=tmp_path / "two", port=port)
    with pytest.raises(RuntimeError, match="did not start"):
        Stack.start(directory=tmp_path / "three", database_url="postgresql://127.0.0.1:1/none")


# `python -m devstack`


class Command:
    """A stack as a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "devstack",
                "--dir",
                str(directory),
                "--port",
                str(_two_ports()),
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.values = dict(self._printed())
        self.postgres = int((directory / "postgres" / "postmaster.pid").read_text().split()[0])

    def _printed(self) -> Iterator[tuple[str, str]]:
        assert self.process.stdout
        for line in self.process.stdout:
            name, _, value = line.strip().partition(": ")
            yield name, value
            if name == "JWT secret":
                return

    def memory(self) -> int:
        """The most bytes that the process ever had in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert match
        return int(match[1]) * 1024

    def stop(self, signal_number: int) -> int:
        self.process.send_signal(signal_number)
        self.process.communicate()
        return self.process.returncode


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path)
    yield command
    if command.process.poll() is None:
        command.stop(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_how_to_reach_it_and_ends_when_told(command: Command, number: int) -> None:
    values = command.values
    assert httpx.get(
        f"{values['API URL']}/auth/v1/health", headers={"apikey": values["Publishable key"]}
    ).is_success
    with psycopg.connect(values["DB URL"]) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)
    assert command.stop(number) == 0
    assert not is_running(command.postgres)


@pytest.mark.skipif(not Path("/proc").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("form", [False, True], ids=["raw", "form"])
def test_a_large_file_is_never_held_in_memory(command: Command, tmp_path: Path, form: bool) -> None:
    size = 64 * MIB
    url = f"{command.values['API URL']}/storage/v1"
    key = command.values["Secret key"]
    with httpx.Client(headers={"apikey": key, "authorization": f"Bearer {key}"}) as http:
        http.post(f"{url}/bucket", json={"name": "films"}).raise_for_status()
        http.post(f"{url}/object/films/small", content=b"x").raise_for_status()
        http.get(f"{url}/object/films/small").raise_for_status()
        before = command.memory()
        if form:
            film = tmp_path / "film.bin"
            with film.open("wb") as file:
                file.truncate(size)
            with film.open("rb") as file:
                sent = http.post(f"{url}/object/films/large", files={"": ("film.bin", file)})
        else:
            content = (bytes(MIB) for _ in range(size // MIB))
            headers = {"content-length": str(size)}
            sent = http.post(f"{url}/object/films/large", content=content, headers=headers)
        assert sent.status_code == 200, sent.text
        with http.stream("GET", f"{url}/object/films/large") as response:
            assert sum(len(chunk) for chunk in response.iter_bytes()) == size
        assert command.memory() - before < size // 4


def _two_ports() -> int:
    """A free port whose successor is free, too: the stack takes both."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
