"""The schema arrives the same way by our migrator and by the Supabase CLI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.bootstrap import bootstrap
from devstack.postgres import Postgres
from worker.errors import ConfigurationError
from worker.queue.database import Database
from worker.queue.migrations import check_schema, migrate, shipped_migrations

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The DSN of a new project's database, as role postgres."""
    name = "new_project"
    postgres.create_database(name)
    bootstrap(postgres.dsn(name, "supabase_admin"))
    yield postgres.dsn(name)
    postgres.drop_database(name)


def history(dsn: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select version, name from supabase_migrations.schema_migrations order by 1"
        ).fetchall()


EXPECTED = [(m.version, m.name) for m in shipped_migrations()]


def test_migrating_twice_is_harmless(empty: str) -> None:
    applied: list[str] = []
    assert migrate(empty, lambda m: applied.append(m.version)) == len(EXPECTED)
    assert migrate(empty, lambda m: applied.append(m.version)) == 0
    assert applied == [version for version, _ in EXPECTED]
    assert history(empty) == EXPECTED


def test_a_failing_migration_leaves_nothing_of_itself(empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create table public.video_jobs (id int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(empty, lambda m: None)
    with psycopg.connect(empty) as connection:
        row = connection.execute("select to_regnamespace('video_worker')").fetchone()
    assert row == (None,)
    assert history(empty) == []


def test_the_schema_names_the_newest_migration(db_version: str) -> None:
    assert db_version == EXPECTED[-1][0]


@pytest.fixture
def db_version(empty: str) -> str:
    migrate(empty, lambda m: None)
    with psycopg.connect(empty) as connection:
        row = connection.execute("select video_worker.schema_version()").fetchone()
    assert row
    version: str = row[0]
    return version


async def check(dsn: str) -> None:
    database = Database(dsn, "test", 20.0)
    await database.open()
    try:
        await check_schema(database)
    finally:
        await database.close()


async def test_a_worker_says_that_the_queue_is_not_there(empty: str) -> None:
    with pytest.raises(ConfigurationError, match="video-worker migrate"):
        await check(empty)


async def test_a_worker_names_the_migration_that_is_missing(empty: str) -> None:
    migrate(empty, lambda m: None)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(
            "create or replace function video_worker.schema_version() returns text"
            f" language sql as $$ select '{EXPECTED[-2][0]}' $$"
        )
    with pytest.raises(ConfigurationError, match=EXPECTED[-1][1]):
        await check(empty)


async def test_a_worker_with_the_wrong_role_is_told_the_right_one(
    empty: str, postgres: Postgres
) -> None:
    migrate(empty, lambda m: None)
    with pytest.raises(ConfigurationError, match="role video_worker"):
        await check(postgres.dsn("new_project", "authenticator"))


@pytest.fixture
def supabase(node_modules: Path) -> Callable[..., str]:
    """The Supabase CLI in the checkout; returns what it printed, fails the test if it fails."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [node_modules / ".bin" / "supabase", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, "DO_NOT_TRACK": "1"},
            timeout=110,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_the_cli_applies_the_same_migrations(empty: str, supabase: Callable[..., str]) -> None:
    supabase("db", "push", "--yes", f"--remote={empty}")
    assert history(empty) == EXPECTED
    assert migrate(empty, lambda m: None) == 0


def test_the_cli_finds_nothing_to_do_after_ours_and_its_advisors_have_no_warning(
    empty: str, supabase: Callable[..., str]
) -> None:
    migrate(empty, lambda m: None)
    assert "up to date" in supabase("db", "push", "--yes", f"--remote={empty}")
    for kind in ("security", "performance"):
        supabase("db", "advisors", "--fail-on", "warn", "--type", kind, f"--remote={empty}")


def test_the_advisors_would_warn(empty: str, supabase: Callable[..., str]) -> None:
    """The check can fail: a table without row level security is found."""
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create table public.open (id int)")
        connection.execute("grant select on public.open to anon")
    with pytest.raises(AssertionError, match="rls_disabled_in_public"):
        supabase("db", "advisors", "--fail-on", "warn", f"--remote={empty}")


def test_squawk_has_no_objection() -> None:
    squawk = shutil.which("squawk") or str(ROOT / ".venv" / "bin" / "squawk")
    files = sorted((ROOT / "migrations").glob("*.sql"))
    done = subprocess.run([squawk, *files], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_function_says_what_it_is_for() -> None:
    """In a comment above it, or as \\df+ shows it."""
    for path in (ROOT / "migrations").glob("*.sql"):
        text = path.read_text()
        for function in re.finditer(r"^create function ([\w.]+)", text, re.MULTILINE):
            above = text[: function.start()].splitlines()[-1].startswith("--")
            assert above or f"comment on function {function[1]} is" in text, function[1]
