"""One job, start to end: download → probe → subtitles → render → upload.

Everything here may be cancelled at any await: the folder goes, ffmpeg is killed, an upload that was
not finished becomes no object. Every fault is a ``JobError`` with a code; the result is a value.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import structlog

from worker.errors import JobError, JobWarning, size, span
from worker.media.burn import burn
from worker.media.encoder import Encoder, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.options import Options, read_options
from worker.media.probe import INPUT, MediaInfo, probe
from worker.media.render import OUTPUT, POSTER, SCRIPT, Rendered, poster
from worker.media.script import cues_past, script_for
from worker.media.subtitles import MAX_BYTES, Subtitles, read_subtitles
from worker.progress import Progress, Report
from worker.queue.jobs import Job
from worker.queue.outcome import Completed
from worker.settings import Settings
from worker.storage.client import ObjectInfo, Storage
from worker.storage.faults import MissingObjectError
from worker.workspace import Workspace

log = structlog.get_logger()

VIDEOS = "videos"
SUBTITLES = "subtitles"
RENDERS = "renders"


class Pipeline:
    """Processes jobs, ``settings.concurrency`` at a time, ``threads`` of ``encoder`` for each."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        ffmpeg: Ffmpeg,
        workspace: Workspace,
        encoder: Encoder,
        threads: int,
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._encoder = encoder
        self._threads = threads

    async def process(self, job: Job, report: Report) -> Completed:
        """Do the job and return where its result is. Raises ``JobError``."""
        progress = Progress(report)
        options = read_options(job.options)
        with self._workspace.job_folder(str(job.token)) as folder:
            # Read before the video is fetched: what is wrong with them is known at once.
            subtitles = await self._read_subtitles(job.subtitle_path, options)
            await self._download(job.input_path, folder / INPUT, progress)
            progress.enter("probe")
            info = await self._probe(folder, options.audio_track)
            progress.enter("subtitles")
            script = script_for(subtitles, options, info.display_width, info.display_height)
            (folder / SCRIPT).write_text(script, encoding="utf-8")
            progress.enter("render")
            rendered = await self._burn(folder, info, options, progress)
            await poster(self._ffmpeg, folder, _poster_time(subtitles, rendered.duration))
            progress.enter("upload")
            video_path, poster_path = await self._upload(job, folder, progress)
            progress.leave()
            output_info = describe(info, subtitles, rendered, folder / OUTPUT)
        return Completed(video_path, poster_path, output_info)

    async def _read_subtitles(self, path: str, options: Options) -> Subtitles:
        try:
            info = await self._storage.info(SUBTITLES, path)
            if info.size > MAX_BYTES:
                raise JobError("subtitles_too_large", reason=f"it has {size(info.size)}")
            data = await self._storage.read(SUBTITLES, path)
        except MissingObjectError as error:
            raise JobError("subtitles_missing", str(error)) from error
        return await asyncio.to_thread(read_subtitles, data, options)

    async def _download(self, path: str, target: Path, progress: Progress) -> None:
        limit = self._settings.max_input_bytes
        try:
            info: ObjectInfo = await self._storage.info(VIDEOS, path)
            if info.size == 0:
                raise JobError("input_empty")
            if info.size > limit:
                raise JobError("input_too_large", size=size(info.size), limit=size(limit))
            self._workspace.require_space(round(info.size * 2.5))
            await self._storage.download(VIDEOS, path, info, target, progress.update_bytes)
        except MissingObjectError as error:
            raise JobError("input_missing", str(error)) from error

    async def _probe(self, folder: Path, audio_track: int | None) -> MediaInfo:
        info = await probe(self._ffmpeg, folder, self._settings.max_pixels, audio_track)
        limit = self._settings.max_duration_seconds
        if info.duration and info.duration > limit:
            raise JobError("video_too_long", actual=span(info.duration), limit=span(limit))
        return info

    async def _burn(
        self, folder: Path, info: MediaInfo, options: Options, progress: Progress
    ) -> Rendered:
        started = time.monotonic()
        rendered = await burn(
            self._ffmpeg,
            folder,
            info,
            Encoding(self._encoder, options.encoding, self._threads),
            options.render,
            max_duration=self._settings.max_duration_seconds,
            max_seconds=self._settings.max_render_seconds,
            on_progress=progress.update,
        )
        seconds = time.monotonic() - started
        log.debug(
            "job.rendered",
            frames=rendered.frames,
            video_seconds=round(rendered.duration, 3),
            seconds=round(seconds, 3),
            speed=round(rendered.duration / seconds, 2),
        )
        return rendered

    async def _upload(self, job: Job, folder: Path, progress: Progress) -> tuple[str, str]:
        poster_path = f"{job.output_prefix}/poster.jpg"
        await self._storage.upload(
            RENDERS, poster_path, folder / POSTER, "image/jpeg", lambda done, total: None
        )
        video_path = f"{job.output_prefix}/video.mp4"
        await self._storage.upload(
            RENDERS, video_path, folder / OUTPUT, "video/mp4", progress.update_bytes
        )
        return video_path, poster_path


def describe(
    info: MediaInfo, subtitles: Subtitles, rendered: Rendered, output: Path
) -> dict[str, Any]:
    """Column ``output_info``: facts of the result, and what the user should know about it."""
    warnings = [*subtitles.warnings, *rendered.warnings]
    if late := cues_past(subtitles, rendered.duration):
        warnings.append(JobWarning.of("cues_past_end", count=late))
    if info.video_streams > 1:
        number = info.video.number
        warnings.append(JobWarning.of("video_tracks", count=info.video_streams, number=number))
    if info.audio is None and info.audio_streams:
        warnings.append(JobWarning.of("audio_unreadable"))
    if info.audio and info.audio_streams > 1:
        number = info.audio.number
        warnings.append(JobWarning.of("audio_tracks", count=info.audio_streams, number=number))
    return {
        "duration_seconds": round(rendered.duration, 3),
        "frames": rendered.frames,
        "width": info.output_width,
        "height": info.output_height,
        "size_bytes": output.stat().st_size,
        "audio": rendered.audio,
        "cues": subtitles.count,
        "subtitle_format": subtitles.format,
        "subtitle_charset": subtitles.charset,
        "tone_mapped": info.video.hdr,
        "deinterlaced": info.video.interlaced,
        "render": {
            "mode": rendered.mode,
            "reason": rendered.reason,
            "encoded_share": round(rendered.encoded_share, 3),
        },
        "warnings": [warning.as_dict() for warning in warnings],
    }


def _poster_time(subtitles: Subtitles, duration: float) -> float:
    """Seconds: the middle of the first subtitle that is shown, else a third of the video."""
    for cue in sorted(subtitles.cues, key=lambda cue: cue.start):
        middle = (cue.start + cue.end) / 2000
        if cue.text and cue.end > cue.start and middle < duration:
            return middle
    return duration / 3
