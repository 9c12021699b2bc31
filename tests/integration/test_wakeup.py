"""NOTIFY: when it is sent, that it is heard, and what happens when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Db
from tests.integration.conftest import SqlWorker
from worker.queue.database import Database
from worker.queue.jobs import Jobs
from worker.queue.listener import Listener
from worker.queue.rhythm import Rhythm


def heard(connection: psycopg.Connection[Any]) -> list[str]:
    return [n.payload for n in connection.notifies(timeout=0.2)]


@pytest.fixture
def ear(db: Db) -> psycopg.Connection[Any]:
    connection = db.connect("video_worker")
    connection.execute("listen video_worker")
    return connection


def test_a_bulk_insert_wakes_workers_once(db: Db, ear: psycopg.Connection[Any]) -> None:
    db.admin.execute(
        "update video_worker.config set max_open_jobs_per_user = null,"
        " max_jobs_per_hour_per_user = null"
    )
    user_id = db.new_user()
    db.admin.execute(
        "insert into public.video_jobs (user_id, input_path, subtitle_path)"
        " select %s, %s || '/v' || n, %s || '/s' from generate_series(1, 10000) n",
        [user_id, str(user_id), str(user_id)],
    )
    assert heard(ear) == ["jobs"]
    assert db.value("select count(*) from public.video_jobs") == 10_000


def test_progress_and_completion_wake_nobody(
    db: Db, ear: psycopg.Connection[Any], worker: SqlWorker
) -> None:
    db.new_job()
    assert heard(ear) == ["jobs"]
    claim = worker.claim_one()
    for progress in range(10):
        claim.heartbeat(progress=progress)
    claim.complete()
    assert heard(ear) == []


def test_a_job_that_comes_back_and_a_cancel_wake_workers(
    db: Db, ear: psycopg.Connection[Any], worker: SqlWorker
) -> None:
    job_id = db.new_job()
    worker.claim_one().release()
    assert heard(ear) == ["jobs", "jobs"]
    worker.claim_one()
    with db.acting_as(None, "service_role") as connection:
        connection.execute("select public.cancel_video_job(%s)", [job_id])
    assert heard(ear) == ["cancel"]


USUAL = Rhythm()


class Ears:
    """What a listener called, and a way to wait for it."""

    def __init__(self) -> None:
        self.jobs = asyncio.Event()
        self.cancel = asyncio.Event()
        self.change = asyncio.Event()


@asynccontextmanager
async def listening(
    db: Db, ears: Ears, rhythm: Rhythm = USUAL
) -> AsyncIterator[tuple[Listener, Jobs]]:
    worker_id = uuid4()
    database = Database(db.dsn("video_worker"), "test", 20.0)
    await database.open()
    listener = Listener(
        db.dsn("video_worker"),
        "test listener",
        worker_id,
        rhythm,
        on_jobs=ears.jobs.set,
        on_cancel=ears.cancel.set,
        on_change=ears.change.set,
    )
    listener.start()
    try:
        yield listener, Jobs(database, worker_id, rhythm)
    finally:
        await listener.stop()
        await database.close()


async def ping(listener: Listener, jobs: Jobs) -> None:
    listener.ping_sent()
    await jobs.check_in(name="t", version="0", slots=1, holds_lock=listener.holds_lock, ping=True)


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def until_live(listener: Listener, jobs: Jobs) -> None:
    """Ping, as the keeper does, until it is heard."""
    async with asyncio.timeout(20):
        while not listener.live:
            await ping(listener, jobs)
            await asyncio.sleep(0.1)


async def test_the_listener_is_live_once_it_has_heard_itself(db: Db) -> None:
    ears = Ears()
    async with listening(db, ears) as (listener, jobs):
        await asyncio.wait_for(ears.jobs.wait(), 20)  # connected: look for what was missed
        assert not listener.live
        await until_live(listener, jobs)
        await until(lambda: listener.holds_lock)


async def test_an_insert_and_a_cancel_are_heard(db: Db) -> None:
    ears = Ears()
    async with listening(db, ears):
        await asyncio.wait_for(ears.jobs.wait(), 20)
        ears.jobs.clear()
        job_id = db.new_job()
        await asyncio.wait_for(ears.jobs.wait(), 20)
        with db.acting_as(None, "service_role") as connection:
            connection.execute("select public.cancel_video_job(%s)", [job_id])
        assert not ears.cancel.is_set(), "a waiting job needs no worker to be cancelled"


async def test_a_cut_connection_comes_back_and_looks_for_jobs_at_once(db: Db) -> None:
    ears = Ears()
    async with listening(db, ears) as (listener, jobs):
        await asyncio.wait_for(ears.jobs.wait(), 20)
        await until_live(listener, jobs)
        ears.jobs.clear()
        db.admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'test listener'"
        )
        await until(lambda: not listener.live)
        await asyncio.wait_for(ears.jobs.wait(), 20)
        await until_live(listener, jobs)


async def test_a_ping_that_is_not_heard_means_polling_and_a_new_connection(
    db: Db,
) -> None:
    """As behind a transaction pooler: the connection is fine, but nothing arrives."""
    ears = Ears()
    async with listening(db, ears, Rhythm(lease=6)) as (listener, jobs):
        await asyncio.wait_for(ears.jobs.wait(), 20)
        await until_live(listener, jobs)
        ears.jobs.clear()
        listener.ping_sent()  # and nothing is sent
        await until(lambda: not listener.live)
        await asyncio.wait_for(ears.jobs.wait(), 20)
        await until_live(listener, jobs)


async def test_a_ping_is_heard_by_its_sender_only(db: Db, ear: psycopg.Connection[Any]) -> None:
    async with listening(db, Ears()) as (listener, jobs):
        await until_live(listener, jobs)
    assert heard(ear) == []


async def test_the_session_lock_dies_with_the_listener(db: Db, worker: SqlWorker) -> None:
    ears = Ears()
    async with listening(db, ears) as (listener, jobs):
        await asyncio.wait_for(ears.jobs.wait(), 20)
        await until_live(listener, jobs)
        await until(lambda: listener.holds_lock)
        lock = "select pg_try_advisory_lock_shared(hashtextextended(%s, 0)) free"
        assert db.value(lock, [str(jobs.worker_id)]) is False
    await until(lambda: db.value(lock, [str(jobs.worker_id)]))
