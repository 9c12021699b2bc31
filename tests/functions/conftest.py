"""The project's own edge functions, on a devstack: one for all tests, with a new user for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from devstack.postgres import Postgres
from devstack.stack import Stack
from tests.conftest import Connection

PROJECT = Path(__file__).parents[2] / "supabase"
# Deno starts within a second; the first time ever it fetches what the function is made of.
DEADLINE_SECONDS = 90


@dataclass(frozen=True)
class User:
    """Somebody who has signed in, with a video uploaded."""

    id: str
    http: httpx.Client
    video: str

    def process(self, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """Calls the function; `None` leaves a field out that is usually given."""
        usual = {"video_path": self.video, "subtitle_text": SRT}
        body = {name: value for name, value in (usual | fields).items() if value is not None}
        return self.http.post("/functions/v1/process-video", json=body, headers=headers)

    def upload(self, bucket: str, content: bytes = b"content") -> str:
        path = f"{self.id}/{uuid4()}"
        self.http.post(f"/storage/v1/object/{bucket}/{path}", content=content).raise_for_status()
        return path

    def download(self, path: str) -> bytes:
        answer = self.http.get(f"/storage/v1/object/authenticated/subtitles/{path}")
        return answer.raise_for_status().content

    def jobs(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.http.get("/rest/v1/video_jobs?select=*").json()
        return rows


SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.fixture(scope="session")
def database(postgres: Postgres, template: str) -> Iterator[Connection]:
    name = "test_functions"
    postgres.create_database(name, template=template)
    with psycopg.connect(postgres.dsn(name), autocommit=True, row_factory=dict_row) as connection:
        yield connection
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def stack(
    database: Connection,
    postgres: Postgres,
    deno: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    with Stack.start(
        directory=tmp_path_factory.mktemp("devstack"),
        database_url=postgres.dsn(database.info.dbname),
        project_dir=PROJECT,
    ) as stack:
        yield stack


@pytest.fixture
def ada(stack: Stack) -> Iterator[User]:
    with new_user(stack) as user:
        yield user


@pytest.fixture
def bob(stack: Stack) -> Iterator[User]:
    with new_user(stack) as user:
        yield user


@contextmanager
def new_user(stack: Stack) -> Iterator[User]:
    headers = {"apikey": stack.publishable_key}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=DEADLINE_SECONDS) as http:
        account = {"email": f"{uuid4()}@example.com", "password": "correct horse"}
        session = http.post("/auth/v1/signup", json=account).raise_for_status().json()
        http.headers["authorization"] = f"Bearer {session['access_token']}"
        user = User(session["user"]["id"], http, "")
        yield User(user.id, http, user.upload("videos"))
