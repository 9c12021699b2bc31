"""The database of a new project: roles, default rights, and the functions that migrations build on.

Judged on the project under test, and on Postgres 15 where its binaries are: the oldest that hosted
Supabase runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from devstack.postgres import SUPERUSER, Postgres
from devstack.stack import bootstrap

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(scope="session")
def postgres_15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    if not POSTGRES_15.exists():
        pytest.skip(f"there is no {POSTGRES_15}")
    directory = tmp_path_factory.mktemp("postgres-15") / "data"
    with Postgres.start(directory, bin_dir=POSTGRES_15, options={"fsync": "off"}) as postgres:
        bootstrap(postgres.dsn(user=SUPERUSER))
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            yield connection


@pytest.fixture(params=["database", "postgres_15"])
def db(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A transaction as role postgres, of which nothing stays."""
    connection: Connection = request.getfixturevalue(request.param)
    with connection.transaction(force_rollback=True):
        yield connection


def one(db: Connection, query: str, *parameters: object) -> Any:
    row = db.execute(query, parameters).fetchone()
    return row[0] if row and len(row) == 1 else row


@contextmanager
def acting(db: Connection, role: str, **settings: object) -> Iterator[None]:
    """What follows is done as the role, with the settings of a request."""
    with db.transaction():
        for name, value in settings.items():
            text = value if isinstance(value, str) else json.dumps(value)
            db.execute("select set_config(%s, %s, true)", [name.replace("__", "."), text])
        db.execute(f"set local role {role}")
        yield
        db.execute("reset role")


@contextmanager
def refused(db: Connection) -> Iterator[None]:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
        yield


def test_postgres_is_no_superuser_and_may_create_roles(db: Connection) -> None:
    flags = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
    row = one(db, f"select {flags} from pg_roles where rolname = current_user")
    assert row == (False, True, True, True, True)
    role = f"worker_{uuid4().hex[:8]}"
    db.execute(f"create role {role} nologin")
    db.execute(f"grant usage on schema public to {role}")


def test_api_roles_are_what_a_request_can_become(db: Connection) -> None:
    for role in ("anon", "authenticated", "service_role"):
        with acting(db, role):
            assert one(db, "select current_user") == role
    bypass = "select rolname from pg_roles where rolbypassrls and rolname = any (%s) order by 1"
    names = ["anon", "authenticated", "service_role", "postgres"]
    assert [row[0] for row in db.execute(bypass, [names])] == ["postgres", "service_role"]
    settings = "select rolconfig from pg_roles where rolname = %s"
    assert "statement_timeout=3s" in one(db, settings, "anon")
    assert "statement_timeout=8s" in one(db, settings, "authenticated")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_a_new_table_is_not_exposed_on_its_own(db: Connection, role: str) -> None:
    db.execute("create table public.fresh (id int)")
    with refused(db), acting(db, role):
        db.execute("select from public.fresh")
    db.execute(f"grant select on public.fresh to {role}")
    with acting(db, role):
        db.execute("select from public.fresh")


def test_a_new_function_is_executable_by_all_until_that_is_revoked(db: Connection) -> None:
    db.execute("create function public.fresh() returns int language sql as 'select 1'")
    with acting(db, "anon"):
        assert one(db, "select public.fresh()") == 1
    db.execute("revoke execute on function public.fresh from public")
    with refused(db), acting(db, "anon"):
        db.execute("select public.fresh()")


def test_the_claims_of_a_request_say_who_it_is(db: Connection) -> None:
    user = str(uuid4())
    claims = {"sub": user, "role": "authenticated", "email": "ada@example.com"}
    query = "select auth.uid()::text, auth.role(), auth.email(), auth.jwt() ->> 'sub'"
    with acting(db, "authenticated", request__jwt__claims=claims):
        assert one(db, query) == (user, "authenticated", "ada@example.com", user)
    older = {"request__jwt__claim__sub": user, "request__jwt__claim__role": "x"}
    with acting(db, "authenticated", request__jwt__claims={"sub": "ignored"}, **older):
        assert one(db, "select auth.uid()::text, auth.role()") == (user, "x")


def test_without_claims_nobody_is_there(db: Connection) -> None:
    with acting(db, "anon", request__jwt__claims=""):
        assert one(db, "select auth.uid(), auth.role(), auth.jwt()") == (None, None, None)


def test_a_migration_may_build_on_users(db: Connection) -> None:
    db.execute("create table public.profile (id uuid references auth.users on delete cascade)")
    db.execute(
        "create function public.make_profile() returns trigger language plpgsql security definer"
        " set search_path = '' as"
        " $$ begin insert into public.profile values (new.id); return new; end $$"
    )
    db.execute(
        "create trigger make_profile after insert on auth.users"
        " for each row execute function public.make_profile()"
    )
    db.execute("insert into auth.users (id) values (gen_random_uuid())")
    assert one(db, "select count(*) from public.profile") == 1
    db.execute("delete from auth.users where id in (select id from public.profile)")
    assert one(db, "select count(*) from public.profile") == 0


@pytest.mark.parametrize("table", ["storage.objects", "realtime.messages"])
def test_a_migration_may_write_policies_and_change_nothing_else(db: Connection, table: str) -> None:
    db.execute(f"create policy mine on {table} for select to authenticated using (true)")
    db.execute(f"alter policy mine on {table} using (false)")
    db.execute(f"drop policy mine on {table}")
    with refused(db):
        db.execute(f"alter table {table} add column mine int")
    with refused(db):
        db.execute(f"alter table {table} disable row level security")


@pytest.mark.parametrize("schema", ["auth", "storage", "realtime"])
def test_a_migration_adds_nothing_to_the_platforms_schemas(db: Connection, schema: str) -> None:
    with refused(db):
        db.execute(f"create table {schema}.mine (id int)")


def test_users_can_not_read_other_users(db: Connection) -> None:
    for role in ("anon", "authenticated"):
        with refused(db), acting(db, role):
            db.execute("select from auth.users")


def test_paths_are_taken_apart_for_policies(db: Connection) -> None:
    query = "select storage.foldername(%s), storage.filename(%s), storage.extension(%s)"
    assert one(db, query, *["a/b/c.tar.gz"] * 3) == (["a", "b"], "c.tar.gz", "gz")
    assert one(db, "select storage.foldername('file')") == []


def test_a_table_can_be_published_to_realtime(db: Connection) -> None:
    db.execute("create table public.fresh (id int primary key)")
    db.execute("alter publication supabase_realtime add table public.fresh")
    query = "select count(*) from pg_publication_tables where tablename = 'fresh'"
    assert one(db, query) == 1


def test_a_broadcast_is_a_row_that_policies_guard(db: Connection) -> None:
    db.execute("select realtime.send('{\"n\": 1}', 'progress', 'jobs:1', true)")
    row = one(
        db,
        "select topic, event, extension, private, payload ->> 'n', payload ->> 'id' = id::text"
        " from realtime.messages where topic = 'jobs:1'",
    )
    assert row == ("jobs:1", "progress", "broadcast", True, "1", True)
    count = "select count(*) from realtime.messages"
    with acting(db, "authenticated", realtime__topic="jobs:1"):
        assert one(db, count) == 0
    db.execute(
        "create policy mine on realtime.messages for select to authenticated"
        " using ((select realtime.topic()) = topic)"
    )
    with acting(db, "authenticated", realtime__topic="jobs:1"):
        assert one(db, count) == 1
    with acting(db, "authenticated", realtime__topic="jobs:2"):
        assert one(db, count) == 0


def test_a_change_is_broadcast_with_both_records(db: Connection) -> None:
    db.execute("create table public.fresh (id int, state text)")
    db.execute(
        "create function public.tell() returns trigger language plpgsql as $$ begin"
        " perform realtime.broadcast_changes('fresh', tg_op, tg_op, tg_table_name,"
        " tg_table_schema, new, old); return null; end $$"
    )
    db.execute(
        "create trigger tell after insert or update on public.fresh"
        " for each row execute function public.tell()"
    )
    db.execute("insert into public.fresh values (1, 'new')")
    db.execute("update public.fresh set state = 'done'")
    query = "select payload from realtime.messages where topic = 'fresh' and event = %s"
    payload = one(db, query, "UPDATE")
    assert payload.pop("id")
    assert payload == {
        "operation": "UPDATE",
        "schema": "public",
        "table": "fresh",
        "record": {"id": 1, "state": "done"},
        "old_record": {"id": 1, "state": "new"},
    }
    assert one(db, query, "INSERT")["old_record"] is None


def test_a_broadcast_never_fails_the_callers_transaction(db: Connection) -> None:
    warnings: list[str | None] = []
    db.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    db.execute("select realtime.send('{}', 'event', null, true)")
    assert one(db, "select 1") == 1
    assert any("ErrorSendingBroadcastMessage" in (warning or "") for warning in warnings)
