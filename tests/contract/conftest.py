"""The Supabase under test: that of the environment, or a devstack of its own.

SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY and SUPABASE_SECRET_KEY name a project to judge, DATABASE_URL
its database (as role postgres). What needs SQL is skipped where there is no DATABASE_URL. Every
name is new, and all that was made is removed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow
from supabase import Client, ClientOptions, create_client

from devstack.postgres import SUPERUSER, Postgres
from devstack.stack import Stack, bootstrap

PASSWORD = "correct horse battery staple"
DEADLINE_SECONDS = 20
# The content of the object of fixture `name`.
BODY = bytes(range(256)) * 40


@dataclass(frozen=True)
class Project:
    url: str
    publishable_key: str
    secret_key: str
    database_url: str | None
    jwt_secret: str | None


@dataclass(frozen=True)
class User:
    id: str
    email: str
    client: Client
    access_token: str

    def headers(self, project: Project) -> dict[str, str]:
        return {
            "apikey": project.publishable_key,
            "authorization": f"Bearer {self.access_token}",
        }


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    if url := os.environ.get("SUPABASE_URL"):
        yield Project(
            url,
            os.environ["SUPABASE_PUBLISHABLE_KEY"],
            os.environ["SUPABASE_SECRET_KEY"],
            os.environ.get("DATABASE_URL"),
            os.environ.get("JWT_SECRET"),
        )
        return
    directory = tmp_path_factory.mktemp("devstack")
    with Postgres.start(directory / "postgres", options={"fsync": "off"}) as postgres:
        bootstrap(postgres.dsn(user=SUPERUSER))
        with Stack.start(
            directory=directory,
            database_url=postgres.dsn(),
            project_dir=Path(__file__).parent / "supabase",
        ) as stack:
            yield Project(
                stack.url,
                stack.publishable_key,
                stack.secret_key,
                stack.database_url,
                stack.jwt_secret,
            )


@pytest.fixture(scope="session")
def database(project: Project) -> Iterator[psycopg.Connection[TupleRow]]:
    if project.database_url is None:
        pytest.skip("needs DATABASE_URL")
    with psycopg.connect(project.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def http(project: Project) -> Iterator[httpx.Client]:
    """The wire itself. Requests carry the headers that they are given, and no key."""
    with httpx.Client(base_url=project.url, timeout=DEADLINE_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def admin(project: Project) -> Iterator[Client]:
    with client(project.url, project.secret_key) as admin:
        yield admin


@pytest.fixture
def visitor(project: Project) -> Iterator[Client]:
    """A client of somebody who has not signed in; new for each test."""
    with client(project.url, project.publishable_key) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def ada(project: Project, admin: Client) -> Iterator[User]:
    yield from _signed_in(project, admin)


@pytest.fixture(scope="session")
def bob(project: Project, admin: Client) -> Iterator[User]:
    yield from _signed_in(project, admin)


@pytest.fixture(scope="session")
def notes(
    project: Project, database: psycopg.Connection[TupleRow], http: httpx.Client
) -> Iterator[str]:
    """A table of the API: users see and change their own rows."""
    name = f"notes_{uuid4().hex[:8]}"
    script = (Path(__file__).parent / "notes.sql").read_text()
    database.execute(sql.SQL(script.replace("notes_", name)))
    database.execute("notify pgrst, 'reload schema'")
    headers = {"apikey": project.secret_key}
    deadline = time.monotonic() + DEADLINE_SECONDS
    while http.head(f"/rest/v1/{name}", headers=headers).status_code != 200:
        assert time.monotonic() < deadline, "the API does not know of the table"
    yield name
    database.execute(sql.SQL("drop table {} cascade").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def bucket(admin: Client, database: psycopg.Connection[TupleRow]) -> Iterator[str]:
    """A private bucket: users read and write in the folder that has their id as its name."""
    name = f"bucket-{uuid4().hex[:8]}"
    admin.storage.create_bucket(name, options={"public": False})
    names = {"policy": sql.Identifier(name), "bucket": sql.Literal(name)}
    database.execute(
        sql.SQL(
            "create policy {policy} on storage.objects to authenticated"
            " using (bucket_id = {bucket}"
            " and (storage.foldername(name))[1] = (select auth.uid())::text)"
        ).format(**names)
    )
    yield name
    admin.storage.empty_bucket(name)
    admin.storage.delete_bucket(name)
    database.execute(sql.SQL("drop policy {policy} on storage.objects").format(**names))


@pytest.fixture
def room(database: psycopg.Connection[TupleRow], ada: User) -> Iterator[str]:
    """A private topic of Ada's: she may listen and speak there, Bob may only listen."""
    name = f"room-{uuid4().hex[:8]}"
    topic = sql.Literal(name)
    for policy in (
        "create policy {read} on realtime.messages for select to authenticated"
        " using ((select realtime.topic()) = {topic})",
        "create policy {write} on realtime.messages for insert to authenticated"
        " with check ((select realtime.topic()) = {topic} and (select auth.uid()) = {user})",
    ):
        database.execute(
            sql.SQL(policy).format(
                read=sql.Identifier(f"{name} read"),
                write=sql.Identifier(f"{name} write"),
                topic=topic,
                user=sql.Literal(ada.id),
            )
        )
    yield name
    for policy in ("read", "write"):
        name_of_policy = sql.Identifier(f"{name} {policy}")
        database.execute(sql.SQL("drop policy {} on realtime.messages").format(name_of_policy))


@pytest.fixture
def shelf(ada: User, notes: str) -> Iterator[str]:
    """The table with four notes of Ada's in it."""
    rows: list[dict[str, Any]] = [
        {"title": "Rain", "slug": "rain", "stars": 1, "tags": ["a", "b"], "data": {"n": {"m": 7}}},
        {"title": "50% off, (now)", "slug": "sale", "stars": 5, "tags": ["b"], "data": {"n": [1]}},
        {"title": 'say "hi"', "slug": "hi", "stars": 3, "tags": [], "data": None},
        {"title": "Sun", "slug": "sun", "stars": 4, "tags": ["c"], "data": {"n": "text"}},
    ]
    ada.client.table(notes).insert(rows).execute()
    yield notes
    ada.client.table(notes).delete().gte("id", 0).execute()


@pytest.fixture
def folder(ada: User, bucket: str) -> Iterator[str]:
    """A folder of Ada's that is empty again after the test."""
    folder = f"{ada.id}/{uuid4().hex[:8]}"
    yield folder
    files = ada.client.storage.from_(bucket)
    files.remove([f"{folder}/{item['name']}" for item in files.list(folder)])


@pytest.fixture
def name(ada: User, bucket: str, folder: str) -> str:
    """The name of an object of Ada's."""
    name = f"{folder}/clip.bin"
    options: Any = {"content-type": "video/x-test", "cache-control": "60", "metadata": {"take": 2}}
    ada.client.storage.from_(bucket).upload(name, BODY, options)
    return name


@contextmanager
def client(url: str, key: str) -> Iterator[Client]:
    """The unmodified `supabase` client, on connections that are closed in the end."""
    with httpx.Client(timeout=DEADLINE_SECONDS) as connections:
        options = ClientOptions(auto_refresh_token=False, httpx_client=connections)
        yield create_client(url, key, options)


def _signed_in(project: Project, admin: Client) -> Iterator[User]:
    email = f"{uuid4().hex}@example.com"
    created = admin.auth.admin.create_user(
        {"email": email, "password": PASSWORD, "email_confirm": True}
    )
    with client(project.url, project.publishable_key) as user:
        session = user.auth.sign_in_with_password({"email": email, "password": PASSWORD}).session
        assert session is not None
        yield User(created.user.id, email, user, session.access_token)
    admin.auth.admin.delete_user(created.user.id)
