"""When the claimer looks for jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from tests.conftest import Db
from worker.queue.claimer import Claimer
from worker.queue.database import Database
from worker.queue.jobs import Job, Jobs
from worker.queue.rhythm import Rhythm

RHYTHM = Rhythm(lease=6)  # polls every 0.2 s


@asynccontextmanager
async def claiming(
    db: Db, notified: Callable[[], bool]
) -> AsyncIterator[tuple[Claimer, asyncio.Queue[Job]]]:
    """A claimer that nobody has woken, after its first look; and the jobs that it claims."""
    claimed: asyncio.Queue[Job] = asyncio.Queue()
    looked = asyncio.Event()
    database = Database(db.dsn("video_worker"), "test", 20.0)
    await database.open()
    claimer = Claimer(
        Jobs(database, uuid4(), RHYTHM),
        RHYTHM,
        1,
        claimed.put,
        notifications_arrive=notified,
        when_empty=looked.set,
    )
    claimer.start()
    try:
        await asyncio.wait_for(looked.wait(), 20)
        yield claimer, claimed
    finally:
        await claimer.stop()
        await database.close()


async def test_while_notifications_do_not_arrive_it_polls(db: Db) -> None:
    async with claiming(db, lambda: False) as (_, claimed):
        job_id = db.new_job()
        assert (await asyncio.wait_for(claimed.get(), 20)).job_id == job_id


async def test_when_they_cease_it_begins_to_poll(db: Db) -> None:
    """The listener says so once; what comes later is found without another word."""
    arrive = [True]
    async with claiming(db, lambda: arrive[0]) as (claimer, claimed):
        arrive[0] = False
        claimer.wake()
        await asyncio.sleep(RHYTHM.poll)
        job_id = db.new_job()
        assert (await asyncio.wait_for(claimed.get(), 20)).job_id == job_id


async def test_while_they_arrive_it_asks_nothing_until_it_is_woken(db: Db) -> None:
    async with claiming(db, lambda: True) as (claimer, claimed):
        job_id = db.new_job()
        await asyncio.sleep(RHYTHM.poll * 3)
        assert claimed.empty()
        claimer.wake()
        assert (await asyncio.wait_for(claimed.get(), 20)).job_id == job_id
