"""Finds where a video can be cut, and takes its sound out: what the worker that splits it does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import ffmpeg as graph

from worker.media.encoder import X264, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.packets import Timeline, read_timeline
from worker.media.probe import FORMATS, INPUT, MediaInfo
from worker.media.render import audio_options, check_source, render_limits
from worker.media.segments.child import PACKETS
from worker.media.segments.files import run_child
from worker.media.segments.plan import Extent, Layout, Segment, Unfit

SOUND = "sound.mp4"
COPY = "source.mp4"
CODECS = ("h264", "hevc", "vp9", "av1", "prores")
"""Those that were tried; the others are burned as a whole."""


async def lay_out(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    encoding: Encoding,
    longest: float,
    *,
    max_duration: float,
    max_seconds: float,
) -> tuple[Layout, Timeline]:
    """Cut ``folder / INPUT`` into segments of about ``longest`` seconds or less: writes ``HEADS``
    and, if there is sound, ``SOUND``; returns where the segments lie, and what there is in the
    source. The segments of what is no MP4 lie in a copy of its picture that is one: ``COPY``.

    Raises ``Unfit``, and ``JobError`` like ``render`` for what is wrong with the input.
    """
    _require_fit(info, encoding)
    limits = render_limits(info, max_duration, max_seconds)
    run = await ffmpeg.run(_arguments(info, max_duration), folder, limits)
    if run.returncode:
        raise Unfit("failed", run.log[-2000:])
    source = await asyncio.to_thread(read_timeline, folder / PACKETS)
    if warnings := check_source(info, source, run.log, max_duration):
        raise Unfit("index", warnings[0].message)
    if source.audio.cut:
        raise Unfit("edit_list", "the sound is cut within")
    request = {"file": COPY if needs_copy(info) else INPUT, "longest": longest}
    verdict = await run_child(ffmpeg, folder, limits, "lay_out", request)
    return _layout(verdict), source


def needs_copy(info: MediaInfo) -> bool:
    """Whether ranges of the file itself won't do as segments."""
    return not info.container.startswith("mov,")


def _require_fit(info: MediaInfo, encoding: Encoding) -> None:
    if encoding.encoder is not X264:
        raise Unfit("hardware", encoding.encoder.name)
    if not info.container.startswith(("mov,", "matroska,")):
        raise Unfit("container", info.container)
    if info.video.codec not in CODECS or info.video.decoder:
        raise Unfit("codec", info.video.codec)
    if info.video.interlaced:
        raise Unfit("interlaced")


def _arguments(info: MediaInfo, max_duration: float) -> list[str]:
    """One reading: the list of all packets, as ``render`` makes it, the sound, and the copy."""
    source = graph.input(f"file:{INPUT}", protocol_whitelist="file", format_whitelist=FORMATS)
    audio = [source[str(info.audio.index)]] if info.audio else []
    others = [source[str(index)] for index in info.others]
    picture = source[str(info.video.index)]
    streams = [picture, *audio, *others]
    plain: Any = {"f": "mp4", "map_metadata": -1, "map_chapters": -1, "t": max_duration}
    outputs = [graph.output(*streams, f"file:{PACKETS}", f="framecrc", c="copy", t=max_duration)]
    if info.audio:
        outputs.append(graph.output(*audio, f"file:{SOUND}", **plain, **audio_options(info)))
    if needs_copy(info):
        outputs.append(graph.output(picture, f"file:{COPY}", **plain, c="copy"))
    arguments: list[str] = graph.merge_outputs(*outputs).get_args()
    return ["-v", "error", *arguments]


def _layout(verdict: dict[str, Any]) -> Layout:
    segments = [
        Segment(Extent(**one["head"]), Extent(**one["data"]), one["start"], one["frames"])
        for one in verdict["segments"]
    ]
    first, second = verdict["rate"]
    return Layout(verdict["timescale"], (first, second), segments)
