"""What a worker shows of itself: /livez, /readyz and /metrics."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from worker.errors import DatabaseUnavailableError, JobError
from worker.media.ffmpeg import Ffmpeg
from worker.ops.health import Answer, Page
from worker.ops.metrics import CONTENT_TYPE, Metrics, State
from worker.queue.claimer import Claimer
from worker.queue.database import Database
from worker.queue.jobs import Jobs
from worker.queue.keeper import Keeper
from worker.queue.listener import Listener
from worker.storage.client import Storage
from worker.work import RENDERS
from worker.workspace import RESERVE_BYTES

STORAGE_CHECK_SECONDS = 15.0
"""How long one look at Storage holds for /readyz, however often it is asked."""


class Status:
    """Reads the parts of the worker. Some of them are there only once it is ``prepared``."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        slots: int,
        work_dir: Path,
        database: Database,
        storage: Storage,
        jobs: Jobs,
        listener: Listener,
        draining: Callable[[], bool],
    ) -> None:
        self._metrics = metrics
        self._slots = slots
        self._work_dir = work_dir
        self._database = database
        self._storage = storage
        self._jobs = jobs
        self._listener = listener
        self._draining = draining
        self._schema: str | None = None
        self._ffmpeg: Ffmpeg | None = None
        self._claimer: Claimer | None = None
        self._keeper: Keeper | None = None
        self._storage_looked_at = 0.0
        self._storage_answers = False

    def prepared(self, schema: str, ffmpeg: Ffmpeg, claimer: Claimer, keeper: Keeper) -> None:
        """The checks at the start are passed: the schema (its version) is there, ffmpeg works."""
        self._schema, self._ffmpeg, self._claimer, self._keeper = schema, ffmpeg, claimer, keeper

    @property
    def pages(self) -> Mapping[str, Page]:
        return {"/livez": self.livez, "/readyz": self.readyz, "/metrics": self.metrics}

    async def livez(self) -> Answer:
        """The process answers. It says nothing of the database: a restart would not mend that."""
        return Answer.of({"alive": True})

    async def readyz(self) -> Answer:
        """Whether jobs can be taken, and why not."""
        checks = {
            "prepared": self._ffmpeg is not None,
            "database": self._database.reachable,
            "checked_in": self._keeper is not None and self._keeper.checked_in.is_set(),
            "storage": await self._storage_is_there(),
            "disk": self._state().disk_free_bytes > RESERVE_BYTES,
            "accepting": not self._draining(),
        }
        facts = {
            "schema": self._schema,
            "wake_up": "notify" if self._listener.live else "poll",
            "sandbox": self._ffmpeg.level if self._ffmpeg else None,
            "ffmpeg": str(self._ffmpeg.path) if self._ffmpeg else None,
            "disk_free_bytes": self._state().disk_free_bytes,
        }
        ready = all(checks.values())
        return Answer.of({"ready": ready, **checks, **facts}, ok=ready)

    async def metrics(self) -> Answer:
        """In the text format of Prometheus."""
        try:
            queue = asdict(await self._jobs.figures())
        except DatabaseUnavailableError:
            queue = None
        return Answer(self._metrics.render(self._state(), queue), content_type=CONTENT_TYPE)

    def _state(self) -> State:
        return State(
            slots=self._slots,
            slots_busy=len(self._claimer.running) if self._claimer else 0,
            draining=self._draining(),
            listener_live=self._listener.live,
            database_up=self._database.reachable,
            disk_free_bytes=shutil.disk_usage(self._work_dir).free,
        )

    async def _storage_is_there(self) -> bool:
        now = time.monotonic()
        if now - self._storage_looked_at > STORAGE_CHECK_SECONDS or not self._storage_answers:
            self._storage_looked_at = now
            try:
                await self._storage.look(RENDERS)
                self._storage_answers = True
            except JobError:
                self._storage_answers = False
        return self._storage_answers
