"""Makes one video of encoded segments and the sound."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import ffmpeg as graph

from worker.media.ffmpeg import Ffmpeg
from worker.media.packets import read_timeline
from worker.media.probe import MediaInfo
from worker.media.render import (
    OUTPUT,
    PACKETS,
    Rendered,
    audio_result,
    glyph_warnings,
    render_limits,
    sound_warnings,
)
from worker.media.segments.child import JOINED, segment_file
from worker.media.segments.files import digest, list_packets, run_child
from worker.media.segments.layout import SOUND
from worker.media.segments.plan import Unfit


@dataclass(frozen=True)
class Piece:
    """An encoded segment, as its encoder described it."""

    start: int
    frames: int
    digest: str
    missing_glyphs: list[int]


async def join_segments(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    pieces: Sequence[Piece],
    *,
    timescale: int,
    sound_seconds: float,
    max_duration: float,
    max_seconds: float,
) -> Rendered:
    """Make ``OUTPUT`` of ``segment_file(0)`` and so on, and of ``SOUND`` if ``info`` has any.

    ``sound_seconds``: how much sound the source has. Raises ``Unfit``, and ``JobError`` like
    ``render``.
    """
    limits = render_limits(info, max_duration, max_seconds)
    request = {
        "timescale": timescale,
        "segments": [{"start": piece.start, "frames": piece.frames} for piece in pieces],
    }
    await run_child(ffmpeg, folder, limits, "join", request)
    run = await ffmpeg.run(_arguments(info, len(pieces), timescale), folder, limits)
    if run.returncode:
        raise Unfit("failed", run.log[-2000:])
    sound = (await list_packets(ffmpeg, folder, SOUND))["0"] if info.audio else None
    result = await list_packets(ffmpeg, folder, OUTPUT)
    timeline = await asyncio.to_thread(read_timeline, folder / PACKETS)
    video = result["0"]
    at = 0
    for number, piece in enumerate(pieces):
        if digest(video, at, at + piece.frames) != piece.digest:
            raise Unfit("failed", f"segment {number} is not in the result as it was encoded")
        at += piece.frames
    if at != len(video.pts):
        raise Unfit("failed", f"{len(video.pts)} frames, not {at}")
    if any(after <= before for before, after in pairwise(video.dts)):
        raise Unfit("timestamps", "decoding times do not grow")
    if sound and digest(sound) != digest(result["1"]):
        raise Unfit("failed", "the sound is not in the result as it was")
    glyphs = {glyph for piece in pieces for glyph in piece.missing_glyphs}
    return Rendered(
        timeline.end,
        at,
        audio_result(info),
        [*sound_warnings(info, sound_seconds, timeline.audio), *glyph_warnings(glyphs)],
        segments=len(pieces),
    )


def _arguments(info: MediaInfo, count: int, timescale: int) -> list[str]:
    files = "|".join([str(JOINED), *(segment_file(number) for number in range(count))])
    picture = graph.input(
        f"concat:{files}", protocol_whitelist="concat,file", format_whitelist="mov"
    )["v:0"]
    sound = [graph.input(f"file:{SOUND}")["a:0"]] if info.audio else []
    output = graph.output(
        picture,
        *sound,
        f"file:{OUTPUT}",
        f="mp4",
        c="copy",
        movflags="+faststart",
        map_metadata=-1,
        video_track_timescale=timescale,
    )
    return ["-v", "error", "-copyts", *output.get_args()]
