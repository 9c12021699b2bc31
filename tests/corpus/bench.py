"""The worker's pipeline on local files: everything is real but Storage and the queue."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from worker.errors import JobError
from worker.media.encoder import X264
from worker.media.ffmpeg import Ffmpeg
from worker.pipeline import Pipeline
from worker.queue.jobs import Job
from worker.queue.outcome import Completed, Split, Unsplit
from worker.settings import Settings
from worker.storage.client import ObjectInfo, Progress, Storage
from worker.work import Tools
from worker.workspace import Workspace

SECONDS_PER_JOB = 60
OURS = ("internal_error", "render_failed", "render_incorrect", "render_killed", "render_stalled")
"""Codes that say that we don't know what is wrong: no answer to a user's file."""


@dataclass
class Result:
    """How a job ended: ``output`` if it completed, a code if it failed, and the trace of what
    nobody expected."""

    output: Path | None = None
    info: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    detail: str = ""

    @property
    def crashed(self) -> bool:
        return self.code in OURS

    @property
    def duration(self) -> float | None:
        """Seconds of the result, as the worker says."""
        return self.info.get("duration_seconds")

    @property
    def warnings(self) -> set[str]:
        return {warning["code"] for warning in self.info.get("warnings", [])}


def _part(job: Job, segment: int | None, split: dict[str, Any]) -> Job:
    token = uuid4()
    return replace(
        job,
        job_id=uuid4(),
        token=token,
        output_prefix=str(token),
        parent_id=job.job_id,
        segment=segment,
        split=split,
    )


class LocalFiles(Storage):
    """Files of this machine as the pipeline's Storage: paths of inputs are absolute."""

    def __init__(self, renders: Path) -> None:  # it opens no connection
        self._renders = renders

    async def info(self, bucket: str, path: str) -> ObjectInfo:
        return ObjectInfo((self._renders / path).stat().st_size, "")

    async def read(self, bucket: str, path: str) -> bytes:
        return Path(path).read_bytes()

    async def download(
        self,
        bucket: str,
        path: str,
        info: ObjectInfo,
        target: Path,
        progress: Progress,
        part: slice | None = None,
    ) -> None:
        source = self._renders / path
        if part:
            target.write_bytes(source.read_bytes()[part])
        else:
            shutil.copyfile(source, target)
        progress(info.size, info.size)

    async def upload(
        self, bucket: str, path: str, source: Path, content_type: str, progress: Progress
    ) -> None:
        target = self._renders / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


class Bench:
    """Runs jobs on local files; those longer than ``segment_seconds`` by way of segments."""

    def __init__(
        self,
        folder: Path,
        ffmpeg: Ffmpeg,
        workspace: Workspace,
        seconds: float,
        segment_seconds: float | None,
    ) -> None:
        self.ffmpeg = ffmpeg
        self.workspace = workspace
        self._renders = folder / "renders"
        settings = Settings(
            _env_file=None,
            SUPABASE_URL="http://localhost",
            SUPABASE_SECRET_KEY="none",
            DATABASE_URL="postgresql://localhost/none",
            WORKER_MAX_RENDER_SECONDS=seconds,
            WORKER_SEGMENT_SECONDS=segment_seconds,
        )
        storage = LocalFiles(self._renders)
        tools = Tools(settings, storage, ffmpeg, workspace, X264, threads=2)
        self._pipeline = Pipeline(tools)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        seconds: float = SECONDS_PER_JOB,
        segment_seconds: float | None = None,
    ) -> AsyncIterator[Bench]:
        """With its files below ``folder``; a job may render for ``seconds``."""
        workspace = Workspace(folder / "work", "bench")
        try:
            ffmpeg = await Ffmpeg.find(None, workspace.folder)
            yield cls(folder, ffmpeg, workspace, seconds, segment_seconds)
        finally:
            workspace.close()

    async def run(self, video: Path, subtitles: Path, **options: Any) -> Result:
        """Do one job; call ``forget`` when its output is not needed any more."""
        prefix = str(uuid4())
        job = Job(
            job_id=uuid4(),
            token=uuid4(),
            user_id=uuid4(),
            attempt=1,
            max_attempts=1,
            input_path=str(video),
            subtitle_path=str(subtitles),
            options=options,
            traceparent=None,
            output_prefix=prefix,
            waited=timedelta(),
        )
        try:
            completed = await self._complete(job)
        except JobError as error:
            return Result(code=error.code, detail=error.detail)
        except Exception as error:  # whatever it is, it is what this looks for
            return Result(code="internal_error", detail=repr(error))
        return Result(self._renders / completed.output_path, completed.output_info)

    async def _complete(self, job: Job) -> Completed:
        """As the queue has it done: what is split by its parts, what is given up as a whole."""
        outcome = await self._process(job)
        if isinstance(outcome, Split):
            outcome = await self._complete_parts(job, outcome.plan)
        if isinstance(outcome, Unsplit):
            outcome = await self._process(replace(job, whole=True))
        assert isinstance(outcome, Completed)
        return outcome

    async def _complete_parts(self, job: Job, plan: dict[str, Any]) -> Completed | Split | Unsplit:
        common = {**json.loads(json.dumps(plan)), "prefix": job.output_prefix}
        segments = common.pop("segments")
        done = []
        for number, segment in enumerate(segments):
            part = _part(job, number, {**common, "segment": segment})
            outcome = await self._process(part)
            if not isinstance(outcome, Completed):
                return outcome
            done.append({**outcome.output_info, "path": outcome.output_path})
        return await self._process(_part(job, None, {**common, "segments": done}))

    async def _process(self, job: Job) -> Completed | Split | Unsplit:
        return await self._pipeline.process(job, lambda stage, share, eta: None)

    def forget(self) -> None:
        """Remove all outputs."""
        shutil.rmtree(self._renders, ignore_errors=True)
