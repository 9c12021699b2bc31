"""Burns the subtitles into one segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import ffmpeg as graph

from worker.media.encoder import X264, Encoding, Quality
from worker.media.ffmpeg import Ffmpeg, Position
from worker.media.packets import Packets, read_packets
from worker.media.probe import MediaInfo, padded_pixels
from worker.media.render import OUTPUT, PACKETS, drawn, render_limits
from worker.media.segments.files import ERRORS, digest, list_packets
from worker.media.segments.plan import Segment, Unfit

HEAD = "head.mp4"
DATA = "data.bin"


@dataclass(frozen=True)
class Burned:
    """An encoded segment: a digest over its packets, and code points that no font could draw."""

    digest: str
    missing_glyphs: list[int]


async def encode_segment(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    encoding: Encoding,
    segment: Segment,
    *,
    timescale: int,
    rate: tuple[int, int],
    max_seconds: float,
    on_progress: Callable[[float], None],
) -> Burned:
    """Burn ``folder / SCRIPT`` into ``HEAD`` and ``DATA``, giving ``OUTPUT``: the picture alone,
    frames at the times of the whole. ``info`` is that of the whole video; see ``plan.Layout``.

    Raises ``Unfit``, and ``JobError`` like ``render``.
    """

    def report(position: Position) -> None:
        on_progress(min(1.0, position.frame / segment.frames))

    encoding = replace(encoding, encoder=X264, quality=_joinable(encoding.quality, rate))
    run = await ffmpeg.run(
        _arguments(info, encoding, timescale),
        folder,
        render_limits(info, 0.0, max_seconds),
        on_progress=report,
    )
    errors = [line for line in run.log.splitlines() if any(mark in line for mark in ERRORS)]
    if run.returncode or errors or run.corrupt_frames:
        raise Unfit("decoding", "\n".join(errors)[-2000:] or run.log[-2000:])
    read = read_packets(folder / PACKETS)["0"]
    written = (await list_packets(ffmpeg, folder, OUTPUT))["0"]
    _check(read, written, segment)
    return Burned(digest(written), sorted(run.missing_glyphs))


def _joinable(quality: Quality, rate: tuple[int, int]) -> Quality:
    """x264 leaves what it sees of the content, and of the rate, out of the parameter sets."""
    params = [quality.params] if quality.params else []
    params += ["stitchable=1", "open-gop=0", f"fps={rate[0]}/{rate[1]}"]
    return replace(quality, params=":".join(params))


def _arguments(info: MediaInfo, encoding: Encoding, timescale: int) -> list[str]:
    source = graph.input(
        f"concat:{HEAD}|{DATA}",
        protocol_whitelist="concat,file",
        format_whitelist="mov",
        max_pixels=padded_pixels(info.video),
    )
    picture = source["v:0"]
    output = graph.output(
        drawn(picture, info),
        f"file:{OUTPUT}",
        f="mp4",
        map_metadata=-1,
        fps_mode="passthrough",
        enc_time_base="demux",
        video_track_timescale=timescale,
        **encoding.options(),
    )
    packets = graph.output(picture, f"file:{PACKETS}", f="framecrc", c="copy")
    arguments: list[str] = graph.merge_outputs(output, packets).get_args()
    return ["-v", "repeat+level+warning", "-copyts", *arguments]


def _check(read: Packets, written: Packets, segment: Segment) -> None:
    """One frame for every packet, at its time. Raises ``Unfit``."""
    if len(written.pts) != segment.frames:
        raise Unfit("decoding", f"{len(written.pts)} of {segment.frames} frames")
    if read.time_base != written.time_base or sorted(read.pts) != sorted(written.pts):
        raise Unfit("timestamps", "frames came out at other times")
    if min(written.pts) != segment.start:
        raise Unfit("timestamps", f"it begins at {min(written.pts)}, not {segment.start}")
    if any(after <= before for before, after in pairwise(written.dts)):
        raise Unfit("timestamps", "decoding times do not grow")
