"""A whole project for a benchmark: devstack, a worker behind a link, and a user who sends jobs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from supabase import ClientOptions, create_client

from benchmarks.measure import wait_for_frames
from devstack.local_worker import prepare_database, start_worker
from devstack.stack import Stack
from tests.proxy import Proxy, proxy

Row = dict[str, Any]
FINAL = ("completed", "failed", "cancelled")


class Project:
    """Everything in ``folder``. Use it as a context."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Project:
        self._stack = Stack.start(directory=self._folder / "stack")
        self._environment = prepare_database(self._stack)
        self._http = httpx.Client(timeout=120)
        options = ClientOptions(httpx_client=self._http, auto_refresh_token=False)
        self._client = create_client(self._stack.url, self._stack.publishable_key, options)
        answer = self._client.auth.sign_up(
            {"email": f"{uuid4()}@example.com", "password": "correct horse"}
        )
        assert answer.user
        self._user = answer.user.id
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._stack.stop()

    @contextmanager
    def worker(
        self, rate: float | None = None, core: int | None = None, **settings: str
    ) -> Iterator[Path]:
        """A worker whose link to the project carries ``rate`` bytes per second, bound to one
        ``core`` of the machine; gives its log."""
        folder = self._folder / str(uuid4())
        folder.mkdir()
        with _link(self._stack.url, rate) as link:
            environment = {**self._environment, "SUPABASE_URL": link.address, **settings}
            with _bound_to(core):
                process = start_worker(folder, environment, folder / "log")
            try:
                yield folder / "log"
            finally:
                _end(process)

    def upload(self, video: Path) -> str:
        """Its path in Storage, for any number of jobs."""
        path = f"{self._user}/{uuid4()}.mp4"
        files = self._client.storage.from_("videos")
        files.upload(path, video, {"content-type": "video/mp4"})
        return path

    def send(self, video: str, subtitles: str) -> str:
        """Queue a job; returns its id."""
        path = f"{self._user}/{uuid4()}.srt"
        self._client.storage.from_("subtitles").upload(path, subtitles.encode())
        row = {"input_path": video, "subtitle_path": path}
        inserted: Any = self._client.table("video_jobs").insert(row).execute().data
        return str(inserted[0]["id"])

    def wait(self, job: str) -> Row:
        """The completed row."""
        while True:
            row: Any = self._client.table("video_jobs").select("*").eq("id", job).single().execute()
            if row.data["status"] in FINAL:
                assert row.data["status"] == "completed", row.data
                return dict(row.data)
            time.sleep(0.05)

    def seconds(self, video: str, subtitles: str) -> float:
        """From the claim of a job to its completion."""
        row = self.wait(self.send(video, subtitles))
        begin, end = (datetime.fromisoformat(row[at]) for at in ("started_at", "finished_at"))
        return (end - begin).total_seconds()

    def first_frame(self, video: str, subtitles: str, log: Path) -> float:
        """Seconds from the claim of a job until its first frame has been encoded."""
        work = log.with_name("work")
        job = self.send(video, subtitles)
        wait_for_frames(lambda: work.glob("*/*/out.mp4"))
        at = time.time()
        self.wait(job)
        lines = map(json.loads, log.read_text().splitlines())
        claimed = next(
            line for line in lines if line["event"] == "job.claimed" and line["job_id"] == job
        )
        return at - datetime.fromisoformat(claimed["timestamp"]).timestamp()


@contextmanager
def _link(url: str, rate: float | None) -> Iterator[Proxy]:
    opened: list[Proxy] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with proxy(url) as started:
            started.rate = rate
            opened.append(started)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    ready.wait()
    try:
        yield opened[0]
    finally:
        done.set()
        thread.join()


@contextmanager
def _bound_to(core: int | None) -> Iterator[None]:
    """What is started in here runs on that core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()
