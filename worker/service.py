"""The worker as a whole: this file is the map.

    listener ──wake──▶ claimer ──job──▶ runner ──▶ pipeline ──▶ media, storage
                          ▲               └──▶ heart (a lease per job)
    keeper ───────────────┘  checks in, rescues, sweeps

Order of shutting down: claim nothing more; let what runs finish, with heartbeats, within the
grace period; give the rest back; check out.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any
from uuid import uuid4

import structlog

from worker import __version__
from worker.background import Backoff, happens_within
from worker.errors import ConfigurationError, DatabaseUnavailableError, JobError
from worker.media.encoder import choose_encoder
from worker.media.ffmpeg import Ffmpeg
from worker.ops.health import HealthServer
from worker.ops.metrics import Metrics
from worker.pipeline import Pipeline
from worker.queue.claimer import Claimer
from worker.queue.database import Database
from worker.queue.jobs import Jobs
from worker.queue.keeper import Keeper
from worker.queue.lease import Heart
from worker.queue.listener import Listener
from worker.queue.migrations import check_schema
from worker.queue.rhythm import Rhythm
from worker.runner import Runner
from worker.settings import Settings
from worker.status import Status
from worker.storage.client import Storage
from worker.work import RENDERS, Tools
from worker.workspace import Workspace

log = structlog.get_logger()

RELEASE_SECONDS = 10.0
"""What giving back the rest may take at the very end; the lease covers for what it can't."""


class Service:
    """One worker process. ``metrics`` observes the log already; with ``until_empty`` it ends when
    nothing is left to claim."""

    def __init__(self, settings: Settings, metrics: Metrics, *, until_empty: bool = False) -> None:
        self._settings = settings
        self._until_empty = until_empty
        self._id = uuid4()
        self._draining = asyncio.Event()
        self._grace_over = asyncio.Event()
        self._signals = 0
        self._workspace = Workspace(settings.work_dir, str(self._id))
        application_name = f"video-worker {settings.worker_name}"
        self._rhythm = Rhythm(settings.lease_seconds)
        self._database = Database(
            str(settings.database_url), application_name, self._rhythm.statement
        )
        self._storage = Storage(
            str(settings.supabase_url), settings.supabase_secret_key.get_secret_value()
        )
        self._jobs = Jobs(self._database, self._id, self._rhythm)
        self._heart = Heart(self._jobs, self._rhythm.heartbeat)
        self._listener = Listener(
            str(settings.listen_database_url or settings.database_url),
            application_name,
            self._id,
            self._rhythm,
            on_jobs=lambda: self._claimer.wake(),
            on_cancel=lambda: self._heart.beat_now(),
            on_change=lambda: self._keeper.check_in_now(),
        )
        self._status = Status(
            metrics,
            slots=settings.concurrency,
            work_dir=self._workspace.folder,
            database=self._database,
            storage=self._storage,
            jobs=self._jobs,
            listener=self._listener,
            draining=self._draining.is_set,
        )
        self._health = settings.health_port and HealthServer(
            settings.health_port, self._status.pages
        )

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, or until an admin drains this worker.

        Raises ``ConfigurationError`` when the installation is at fault.
        """
        structlog.contextvars.bind_contextvars(worker_id=str(self._id))
        self._handle_signals()
        try:
            await self._database.open()
            if self._health:
                await self._health.start()
            if await self._prepare():
                await self._work()
        finally:
            if self._health:
                await self._health.stop()
            await self._storage.close()
            await self._database.close()
            self._workspace.close()
        log.info("worker.stopped")

    async def _prepare(self) -> bool:
        """Everything that must be there before a job is claimed; false when told to stop first."""
        settings = self._settings
        ffmpeg = await Ffmpeg.find(
            settings.ffmpeg_path, self._workspace.folder, settings.font_dirs, settings.sandbox
        )
        encoder = await choose_encoder(ffmpeg, self._workspace.folder, settings.encoder)
        schema = await self._check_schema()
        if schema is None:
            return False
        await self._check_storage()
        threads = max(1, _cores() // settings.concurrency)
        tools = Tools(settings, self._storage, ffmpeg, self._workspace, encoder, threads)
        runner = Runner(self._jobs, self._heart, Pipeline(tools), self._storage)
        self._claimer = Claimer(
            self._jobs,
            self._rhythm,
            settings.concurrency,
            runner.run,
            notifications_arrive=lambda: self._listener.live,
            when_empty=self._draining.set if self._until_empty else lambda: None,
        )
        self._keeper = Keeper(
            self._jobs,
            self._rhythm,
            self._listener,
            name=settings.worker_name,
            version=__version__,
            slots=settings.concurrency,
            wake=self._claimer.wake,
            drain=self._draining.set,
            remove_orphan=lambda prefix: self._storage.remove_folder(RENDERS, prefix),
        )
        self._status.prepared(schema, ffmpeg, self._claimer, self._keeper)
        log.info(
            "worker.ready",
            version=__version__,
            name=settings.worker_name,
            slots=settings.concurrency,
            threads=threads,
            ffmpeg=str(ffmpeg.path),
            sandbox=ffmpeg.level,
            encoder=encoder.name,
        )
        return True

    async def _work(self) -> None:
        background = (self._heart, self._listener, self._keeper, self._claimer)
        for part in background:
            part.start()
        try:
            await self._draining.wait()
            await self._drain()
        finally:
            for part in reversed(background):
                await part.stop()

    async def _drain(self) -> None:
        """Nothing is claimed any more; what runs goes on, and so do its heartbeats."""
        await self._claimer.drain()
        running = asyncio.gather(*self._claimer.running, return_exceptions=True)
        log.info("worker.draining", running=len(self._claimer.running))
        grace_over = asyncio.create_task(self._grace_over.wait())
        either: set[asyncio.Future[Any]] = {running, grace_over}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        grace_over.cancel()
        if not running.done():
            self._heart.release_all()
            await asyncio.wait({running}, timeout=RELEASE_SECONDS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self._keeper.stop()
        try:
            await self._jobs.check_out()
        except DatabaseUnavailableError:
            log.warning("worker.not_checked_out")

    async def _check_schema(self) -> str | None:
        """Wait for the database, however long, and return the schema's version (None: told to stop
        before); a wrong one is an error at once."""
        backoff = Backoff()
        while not self._draining.is_set():
            try:
                return await check_schema(self._database)
            except DatabaseUnavailableError:
                await happens_within(self._draining, backoff.next_pause())
        return None

    async def _check_storage(self) -> None:
        """A key that Storage refuses would spend the attempts of every job that this worker took.
        When Storage does not answer, that is for the jobs to wait out."""
        try:
            await self._storage.look(RENDERS)
        except JobError as error:
            if error.code == "storage_denied":
                raise ConfigurationError(
                    f"Storage refuses this worker: {error.detail}. Check SUPABASE_URL and "
                    "SUPABASE_SECRET_KEY; `video-worker doctor` says more."
                ) from error
            log.warning("storage.unreachable", code=error.code, reason=error.detail)

    def _handle_signals(self) -> None:
        """The first signal drains within the grace period, a second one ends it. An admin's drain
        has no such end: it lets jobs run as long as they need."""
        loop = asyncio.get_running_loop()

        def signalled() -> None:
            if self._signals:
                self._grace_over.set()
            self._signals += 1
            self._draining.set()
            loop.call_later(self._settings.grace_seconds, self._grace_over.set)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, signalled)


def _cores() -> int:
    """Those that this process may use, of what the machine has."""
    available = getattr(os, "sched_getaffinity", None)  # on Linux
    return len(available(0)) if available else os.cpu_count() or 1
