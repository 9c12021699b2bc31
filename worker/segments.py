"""Long videos on many workers: one splits a video, any encode its segments, one joins them.

    split    a claimed job ──▶ an outcome: the plan, by which the queue makes a job of each segment
    encode   such a job    ──▶ an object in Storage, below the parent's folder
    join     when all are there ──▶ the whole video, which the pipeline publishes as any other

Between them nobody holds the job, so no worker has to live for as long as it takes, and what was
encoded is not encoded again. What passes from one to the next is the plan, in the database, and
objects: the user's file (of which each segment downloads its range), ``heads.bin`` and
``sound.mp4`` by who split it, ``segment.mp4`` by who encoded one. They go when the parent ends, in
whatever way; see the migration …_segments.sql.

A segment that can't be made as planned, or does not fit, is no verdict on the video: the outcome is
``Unsplit``, and the video is burned as a whole by whoever claims it next. Only what would stop that
as well (Storage is away, no disk) is a failure, which is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import structlog
from pydantic import TypeAdapter

from worker.errors import JobError
from worker.media.burn import RENDERS_FAULT
from worker.media.probe import MediaInfo
from worker.media.render import OUTPUT, Rendered
from worker.media.segments.child import HEADS, segment_file
from worker.media.segments.encode import DATA, HEAD, encode_segment
from worker.media.segments.join import Piece, join_segments
from worker.media.segments.layout import COPY, SOUND, lay_out, needs_copy
from worker.media.segments.plan import Segment, Unfit
from worker.queue.outcome import Completed, Split
from worker.storage.client import ObjectInfo, Progress
from worker.storage.faults import MissingObjectError
from worker.work import RENDERS, VIDEOS, Tools, Work

log = structlog.get_logger()

DOWNLOADS = 4
"""Segments that the joiner fetches at the same time."""
OUTPUT_FACTOR = 2.5
"""Room for a segment's result, as a multiple of what it is made from."""


@dataclass(frozen=True)
class Source:
    """What all parts of a split video know of it: the user's file as it was, what it is, how its
    frames count time, how much sound it has in seconds, and the number of its segments."""

    size: int
    etag: str
    info: MediaInfo
    timescale: int
    rate: tuple[int, int]
    sound_seconds: float
    count: int


@dataclass(frozen=True)
class Stored(Piece):
    """An encoded segment and its object in bucket renders."""

    path: str
    size: int


SOURCE = TypeAdapter(Source)
SEGMENT = TypeAdapter(Segment)
STORED = TypeAdapter(list[Stored])


class Segments:
    """The three steps."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def wanted(self, work: Work, info: MediaInfo) -> bool:
        """Whether this video is to be split, if that can be done."""
        longest = self._tools.settings.segment_seconds
        return (
            longest is not None
            and not work.job.whole
            and work.options.render == "full"
            and info.duration is not None
            and info.duration > longest
        )

    async def split(self, work: Work, info: MediaInfo, video: ObjectInfo) -> Split | None:
        """Lay out the video in ``work.folder``; None when it is to be burned as a whole. Raises
        ``JobError``."""
        assert self._tools.settings.segment_seconds
        try:
            with _doubtful():
                layout, source = await lay_out(
                    self._tools.ffmpeg,
                    work.folder,
                    info,
                    self._tools.encoding(work.options),
                    self._tools.settings.segment_seconds,
                    max_duration=self._tools.settings.max_duration_seconds,
                    max_seconds=self._tools.settings.max_render_seconds,
                )
        except Unfit as unfit:
            log.info("split.refused", reason=unfit.reason, detail=unfit.detail)
            return None
        sound, copy = [SOUND] if info.audio else [], [COPY] if needs_copy(info) else []
        for name in (HEADS.name, *sound, *copy):
            await self._tools.storage.upload(
                RENDERS,
                f"{work.job.output_prefix}/{name}",
                work.folder / name,
                "application/octet-stream",
                _silent,
            )
        known = Source(
            video.size,
            video.etag,
            info,
            layout.timescale,
            layout.rate,
            source.audio.duration,
            len(layout.segments),
        )
        segments = [asdict(segment) for segment in layout.segments]
        log.info("split.laid_out", segments=len(segments))
        return Split({**asdict(known), "segments": segments})

    async def encode(self, work: Work) -> Completed:
        """Burn one segment. Raises ``Unfit`` and ``JobError``."""
        job = work.job
        assert job.split
        source = SOURCE.validate_python(job.split)
        segment = SEGMENT.validate_python(job.split["segment"])
        self._tools.workspace.require_space(round(segment.data.length * (1 + OUTPUT_FACTOR)))
        with _doubtful():
            await self._fetch(work, source, segment)
            work.progress.enter("subtitles")
            await work.write_script(source.info)
            work.progress.enter("render")
            burned = await encode_segment(
                self._tools.ffmpeg,
                work.folder,
                source.info,
                self._tools.encoding(work.options),
                segment,
                timescale=source.timescale,
                rate=source.rate,
                max_seconds=self._tools.settings.max_render_seconds,
                on_progress=partial(work.progress.update, stage="render"),
            )
        work.progress.enter("upload")
        path, output = f"{job.output_prefix}/segment.mp4", work.folder / OUTPUT
        await self._tools.storage.upload(
            RENDERS, path, output, "video/mp4", work.progress.update_bytes
        )
        work.progress.leave()
        facts = {"start": segment.start, "frames": segment.frames, "size": output.stat().st_size}
        return Completed(path, None, {**facts, **asdict(burned)})

    async def join(self, work: Work) -> tuple[MediaInfo, Rendered]:
        """Make the whole video in ``work.folder``. Raises ``Unfit`` and ``JobError``."""
        assert work.job.split
        source = SOURCE.validate_python(work.job.split)
        pieces = STORED.validate_python(work.job.split["segments"] or [])
        if len(pieces) != source.count:
            raise Unfit("missing", f"{len(pieces)} of {source.count} segments are there")
        self._tools.workspace.require_space(sum(piece.size for piece in pieces) * 3)
        with _doubtful():
            await self._fetch_pieces(work, source, pieces)
            work.progress.enter("render")
            rendered = await join_segments(
                self._tools.ffmpeg,
                work.folder,
                source.info,
                pieces,
                timescale=source.timescale,
                sound_seconds=source.sound_seconds,
                max_duration=self._tools.settings.max_duration_seconds,
                max_seconds=self._tools.settings.max_render_seconds,
            )
        return source.info, rendered

    async def _fetch(self, work: Work, source: Source, segment: Segment) -> None:
        """The segment's head, and its range of the video."""
        assert work.job.split
        prefix, on_bytes = work.job.split["prefix"], work.progress.update_bytes
        head, data = segment.head.slice, segment.data.slice
        await self._get(f"{prefix}/{HEADS.name}", work.folder / HEAD, _silent, head)
        if needs_copy(source.info):
            await self._get(f"{prefix}/{COPY}", work.folder / DATA, on_bytes, data)
        else:
            video = ObjectInfo(source.size, source.etag)
            path = work.job.input_path
            await self._tools.storage.download(
                VIDEOS, path, video, work.folder / DATA, on_bytes, data
            )

    async def _fetch_pieces(self, work: Work, source: Source, pieces: list[Stored]) -> None:
        """All encoded segments and the sound, some at a time."""
        assert work.job.split
        wanted = {segment_file(number): piece.path for number, piece in enumerate(pieces)}
        if source.info.audio:
            wanted[SOUND] = f"{work.job.split['prefix']}/{SOUND}"
        places = asyncio.Semaphore(DOWNLOADS)
        total, there = sum(piece.size for piece in pieces), dict.fromkeys(wanted, 0)

        async def fetch(name: str, path: str) -> None:
            def on_bytes(done: int, _: int) -> None:
                there[name] = done
                work.progress.update_bytes(min(total, sum(there.values())), total)

            async with places:
                await self._get(path, work.folder / name, on_bytes)

        tasks = [asyncio.create_task(fetch(*one)) for one in wanted.items()]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _get(
        self, path: str, target: Path, on_bytes: Progress, part: slice | None = None
    ) -> None:
        """An object of ours, or some of its bytes."""
        info = await self._tools.storage.info(RENDERS, path)
        await self._tools.storage.download(RENDERS, path, info, target, on_bytes, part)


def _silent(done: int, total: int) -> None:
    """Progress that is not worth a word."""


@contextmanager
def _doubtful() -> Iterator[None]:
    """What goes wrong in here, and may not when the video is burned as a whole, is ``Unfit``."""
    try:
        yield
    except MissingObjectError as error:
        raise Unfit("missing", str(error)) from error
    except JobError as error:
        if error.code in RENDERS_FAULT or error.code == "input_changed":
            raise Unfit("failed", error.detail) from error
        raise
