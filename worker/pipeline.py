"""One job, start to end: download → probe → subtitles → render → upload.

The render overlaps the download where the video's format lets it be read in order. A long video may
be split instead, for many workers: what becomes of it then is in ``segments``.

Everything here may be cancelled at any await: the folder goes, ffmpeg is killed, an upload that was
not finished becomes no object. Every fault is a ``JobError`` with a code; the result is a value.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from worker.arriving import ArrivingFile, InterruptedFileError
from worker.barrier import reach
from worker.both import both
from worker.errors import JobError, JobWarning, size, span
from worker.media.burn import burn
from worker.media.cues import Cue
from worker.media.ffmpeg import Ffmpeg
from worker.media.options import Options, read_options
from worker.media.picture import scaled_down
from worker.media.probe import INPUT, MediaInfo, probe
from worker.media.render import OUTPUT, POSTER, Rendered, poster
from worker.media.script.make import cues_past
from worker.media.segments.plan import Unfit
from worker.media.soft_track import add_soft_track, as_shown
from worker.media.subtitles import MAX_BYTES, Subtitles, read_subtitles
from worker.media.subtitles.srt import write_srt
from worker.media.subtitles.webvtt import write_vtt
from worker.progress import Pace, Progress, Report
from worker.queue.jobs import Job
from worker.queue.outcome import Completed, Split, Unsplit
from worker.segments import Segments
from worker.storage.client import ObjectInfo
from worker.storage.faults import MissingObjectError
from worker.work import RENDERS, SUBTITLES, VIDEOS, Tools, Work

log = structlog.get_logger()

SIDECARS: dict[str, tuple[Callable[[Sequence[Cue]], str], str]] = {
    "srt": (write_srt, "application/x-subrip"),
    "vtt": (write_vtt, "text/vtt"),
}
LAST_MOMENT = 0.1
"""Seconds before the end at which there is a frame for sure."""


class Pipeline:
    """Processes jobs, any number at a time."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._segments = Segments(tools)

    async def process(self, job: Job, report: Report) -> Completed | Split | Unsplit:
        """Do the job and return what came of it. Raises ``JobError``."""
        options = read_options(job.options)
        with self._tools.workspace.job_folder(str(job.token)) as folder:
            # Read before the video is fetched: what is wrong with them is known at once.
            reading = self._read_subtitles(job.subtitle_path, options)
            if job.parent_id:
                return await self._do_part(
                    Work(job, options, await reading, folder, Progress(report))
                )
            subtitles, video = await both(reading, self._find_video(job.input_path))
            work = Work(job, options, subtitles, folder, Progress(report))
            burned = await self._fetch_and_burn(work, video)
            if isinstance(burned, Split):
                return burned
            return await self._publish(work, *burned)

    async def _do_part(self, work: Work) -> Completed | Unsplit:
        """A segment of a video, or the joining of all."""
        try:
            if work.job.is_segment:
                return await self._segments.encode(work)
            return await self._publish(work, *await self._segments.join(work))
        except Unfit as unfit:
            log.warning("split.given_up", reason=unfit.reason, detail=unfit.detail)
            return Unsplit()

    async def _publish(self, work: Work, info: MediaInfo, rendered: Rendered) -> Completed:
        """Finish the video that lies in the folder, and store it with all that goes with it."""
        options, subtitles, folder = work.options, work.subtitles, work.folder
        if options.soft_track:
            cues, language = subtitles.cues, options.language
            await add_soft_track(self._tools.ffmpeg, folder, cues, language, rendered.duration)
        poster_time = _poster_time(options.poster_time, subtitles, rendered.duration)
        work.progress.enter("upload")
        sidecars = await self._upload_sidecars(work)
        # To get at its frame the poster may have to decode ten seconds of video.
        poster_path, video_path = await both(
            self._make_poster(work, poster_time), self._upload_video(work)
        )
        work.progress.leave()
        output_info = describe(info, subtitles, rendered, folder / OUTPUT)
        output_info |= {"soft_track": options.soft_track, "sidecars": sidecars}
        return Completed(video_path, poster_path, output_info)

    async def _read_subtitles(self, path: str, options: Options) -> Subtitles:
        try:
            info = await self._tools.storage.info(SUBTITLES, path)
            if info.size > MAX_BYTES:
                raise JobError("subtitles_too_large", reason=f"it has {size(info.size)}")
            data = await self._tools.storage.read(SUBTITLES, path)
        except MissingObjectError as error:
            raise JobError("subtitles_missing", str(error)) from error
        return await asyncio.to_thread(read_subtitles, data, options)

    async def _find_video(self, path: str) -> ObjectInfo:
        limit = self._tools.settings.max_input_bytes
        try:
            info = await self._tools.storage.info(VIDEOS, path)
        except MissingObjectError as error:
            raise JobError("input_missing", str(error)) from error
        if info.size == 0:
            raise JobError("input_empty")
        if info.size > limit:
            raise JobError("input_too_large", size=size(info.size), limit=size(limit))
        self._tools.workspace.require_space(round(info.size * 2.5))
        return info

    async def _fetch_and_burn(
        self, work: Work, video: ObjectInfo
    ) -> tuple[MediaInfo, Rendered] | Split:
        """Burn while the video comes in, where its format allows that; else when it is there,
        unless it is long and others shall help.

        Whatever goes wrong before it is complete and checked is no verdict on it: then it is burned
        from the complete file.
        """
        arriving = ArrivingFile(work.folder / INPUT, video.size)
        decided = asyncio.Event()
        early = asyncio.create_task(self._burn_early(work, arriving, decided))
        try:
            await self._download(work, video, arriving)
            # A file with its index at the end is known as such when all of it has gone by.
            await decided.wait()
            if not early.done():
                work.progress.enter("render")
            if burned := await early:
                return burned
        finally:
            early.cancel()
            await asyncio.gather(early, return_exceptions=True)
        work.progress.enter("probe")
        info = await self._probe(self._tools.ffmpeg, work)
        work.progress.enter("subtitles")
        await work.write_script(info)
        if self._segments.wanted(work, info) and (
            split := await self._segments.split(work, info, video)
        ):
            return split
        work.progress.enter("render")
        return info, await self._burn(self._tools.ffmpeg, work, info, Pace())

    async def _burn_early(
        self, work: Work, arriving: ArrivingFile, decided: asyncio.Event
    ) -> tuple[MediaInfo, Rendered] | None:
        """None when it can't be done: a smart burn, segments, an index at the end, a broken
        download.
        ``decided`` happens when it looks as if it could, or when it can't."""
        ffmpeg = self._tools.ffmpeg.fed_with(INPUT, arriving.pieces)
        try:
            if work.options.render != "full":
                return None
            info = await self._probe(ffmpeg, work)
            if info.duration is None or self._segments.wanted(work, info):
                return None
            await work.write_script(info)
            decided.set()
            rendered = await self._burn(ffmpeg, work, info, Pace(lambda: arriving.complete))
            log.debug("overlap.rendered")
            return info, rendered
        except (JobError, InterruptedFileError) as error:
            log.info("overlap.abandoned", reason=str(error))
            return None
        finally:
            decided.set()

    async def _download(self, work: Work, video: ObjectInfo, arriving: ArrivingFile) -> None:
        def on_bytes(done: int, total: int) -> None:
            arriving.reach(done)
            work.progress.update_bytes(done, total)

        path = work.job.input_path
        try:
            await self._tools.storage.download(VIDEOS, path, video, arriving.path, on_bytes)
        except MissingObjectError as error:
            raise JobError("input_missing", str(error)) from error

    async def _probe(self, ffmpeg: Ffmpeg, work: Work) -> MediaInfo:
        track = work.options.audio_track
        info = await probe(ffmpeg, work.folder, self._tools.settings.max_pixels, track)
        limit = self._tools.settings.max_duration_seconds
        if info.duration and info.duration > limit:
            raise JobError("video_too_long", actual=span(info.duration), limit=span(limit))
        return scaled_down(info, work.options.max_resolution)

    async def _burn(self, ffmpeg: Ffmpeg, work: Work, info: MediaInfo, pace: Pace) -> Rendered:
        def on_progress(share: float) -> None:
            pace.update(share)
            work.progress.update(share, stage="render")

        started = time.monotonic()
        rendered = await burn(
            ffmpeg,
            work.folder,
            info,
            self._tools.encoding(work.options),
            work.options.render,
            max_duration=self._tools.settings.max_duration_seconds,
            max_seconds=self._tools.settings.max_render_seconds,
            on_progress=on_progress,
        )
        log.debug(
            "job.rendered",
            frames=rendered.frames,
            video_seconds=round(rendered.duration, 3),
            seconds=round(time.monotonic() - started, 3),
            speed=pace.speed(rendered.duration),
        )
        return rendered

    async def _upload_sidecars(self, work: Work) -> dict[str, str]:
        """Subtitle files beside the video: returns the path of each kind."""
        paths: dict[str, str] = {}
        for kind in work.options.sidecars:
            write, content_type = SIDECARS[kind]
            file = work.folder / f"subtitles.{kind}"
            file.write_text(write(as_shown(work.subtitles.cues)), encoding="utf-8")
            paths[kind] = f"{work.job.output_prefix}/{file.name}"
            await self._tools.storage.upload(
                RENDERS, paths[kind], file, content_type, lambda done, total: None
            )
        return paths

    async def _make_poster(self, work: Work, at: float) -> str:
        """Returns its path in Storage."""
        await poster(self._tools.ffmpeg, work.folder, at)
        path = f"{work.job.output_prefix}/poster.jpg"
        await self._tools.storage.upload(
            RENDERS, path, work.folder / POSTER, "image/jpeg", lambda done, total: None
        )
        return path

    async def _upload_video(self, work: Work) -> str:
        """Returns its path in Storage."""
        await reach("upload")
        path = f"{work.job.output_prefix}/video.mp4"
        await self._tools.storage.upload(
            RENDERS, path, work.folder / OUTPUT, "video/mp4", work.progress.update_bytes
        )
        return path


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
            "segments": rendered.segments,
        },
        "warnings": [warning.as_dict() for warning in warnings],
    }


def _poster_time(wanted: float | None, subtitles: Subtitles, duration: float) -> float:
    """Seconds: what is wanted, the middle of the first subtitle that is shown, or a third."""
    if wanted is not None:
        return min(wanted, max(0.0, duration - LAST_MOMENT))
    for cue in sorted(subtitles.cues, key=lambda cue: cue.start):
        middle = (cue.start + cue.end) / 2000
        if cue.text and cue.end > cue.start and middle < duration:
            return middle
    return duration / 3
