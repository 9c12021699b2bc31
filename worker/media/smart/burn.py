"""The smart burn as the worker sees it: what ffmpeg does, and the confined Python in between."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import ffmpeg as graph

from worker.both import both
from worker.errors import JobWarning
from worker.media.encoder import X264, Encoding, Preset, Quality
from worker.media.ffmpeg import Ffmpeg, Limits, Position, Run
from worker.media.packets import Timeline, read_packets, read_timeline
from worker.media.probe import FORMATS, INPUT, MediaInfo
from worker.media.render import (
    OUTPUT,
    SCRIPT,
    Rendered,
    audio_options,
    audio_result,
    check_source,
    glyph_warnings,
    render_limits,
)
from worker.media.smart.check import check_sound, check_video
from worker.media.smart.child import (
    CHECK,
    CUT,
    PACKETS,
    REQUEST,
    SOURCE,
    SPANS,
    VERDICT,
    Request,
    Verdict,
)
from worker.media.smart.cut import UNITS
from worker.media.smart.plan import NotSmart, merged

Result = TypeVar("Result")

CHILD = "worker.media.smart.child"
CONTAINERS = ("mov,", "matroska,")
RESULT = "result.txt"
IN_BETWEEN = (SOURCE, PACKETS, REQUEST, VERDICT, CUT, SPANS, CHECK, RESULT)
DISK_FACTOR = 4
"""Room that the files in between take at most, as a multiple of the input."""
TIME = r"(\d+):(\d\d):(\d\d\.\d\d)"
DIALOGUE = re.compile(f"^Dialogue: [^,]*,{TIME},{TIME},", re.MULTILINE)
REFERENCES: dict[Preset, int] = {"faster": 2, "fast": 2, "medium": 3, "slow": 5, "slower": 8}
"""Reference frames of x264's presets; the quicker ones have 1."""
TURNS: dict[int, tuple[list[tuple[str, ...]], list[tuple[str, ...]]]] = {
    0: ([], []),
    90: ([("transpose", "clock")], [("transpose", "cclock")]),
    180: ([("hflip",), ("vflip",)], [("vflip",), ("hflip",)]),
    270: ([("transpose", "cclock")], [("transpose", "clock")]),
}
"""Filters that turn the picture upright, and back again."""


async def smart_burn(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    encoding: Encoding,
    *,
    limit: float,
    max_duration: float,
    max_seconds: float,
    on_progress: Callable[[float], None],
) -> Rendered:
    """As ``render``, but only what shows subtitles is encoded.

    Raises ``NotSmart`` when that can't be done, fails its checks, or would encode more than a share
    of ``limit``; and ``JobError``, like ``render``, for what is wrong with the input.
    """
    request = Request(shown_times((folder / SCRIPT).read_text(encoding="utf-8")), limit)
    _require_fit(folder, info, encoding, request)
    limits = render_limits(info, max_duration, max_seconds)
    work = _Work(ffmpeg, folder, info, limits)
    try:
        (folder / REQUEST).write_text(json.dumps(asdict(request)))
        copying = partial(work.copy, max_duration)
        (timeline, warnings), verdict = await work.run_child("plan", copying)
        encoding_spans = partial(work.encode, encoding, verdict, on_progress)
        burned, merged = await work.run_child("merge", encoding_spans)
        await work.check(verdict, merged.checked)
    finally:
        for name in IN_BETWEEN:
            (folder / name).unlink(missing_ok=True)
    return Rendered(
        timeline.end,
        verdict.frames,
        audio_result(info),
        [*warnings, *glyph_warnings(burned.missing_glyphs)],
        mode="smart",
        encoded_share=verdict.share,
    )


@dataclass(frozen=True)
class _Work:
    """The steps, all on files in ``folder``. Each raises ``NotSmart`` when it fails."""

    ffmpeg: Ffmpeg
    folder: Path
    info: MediaInfo
    limits: Limits

    async def copy(self, max_duration: float) -> tuple[Timeline, list[JobWarning]]:
        """``source.mp4``: the list of its packets, and what ``check_source`` says or raises."""
        arguments = _copy_arguments(self.info, max_duration)
        run = await self.ffmpeg.run(arguments, self.folder, self.limits)
        if run.returncode:
            raise NotSmart("failed", run.log)
        timeline = await asyncio.to_thread(read_timeline, self.folder / PACKETS)
        warnings = check_source(self.info, timeline, run.log, max_duration)
        if audio_result(self.info) == "copied" and timeline.audio.cut:
            raise NotSmart("edit_list", "the sound is cut within")
        return timeline, warnings

    async def run_child(
        self, step: str, beside: Callable[[], Awaitable[Result]]
    ) -> tuple[Result, Verdict]:
        """``plan`` or ``merge``, see ``child``; it starts up while ``beside`` makes what it needs,
        and its standard input ends when that is there."""
        results: list[Result] = []

        async def nothing_until_then() -> AsyncIterator[bytes]:
            results.append(await beside())
            yield b""

        run = await self.ffmpeg.run_python(
            CHILD, step, self.folder, self.limits, nothing_until_then
        )
        if run.returncode:
            raise NotSmart("failed", run.log)
        verdict = Verdict.read(self.folder)
        if verdict.reason:
            raise NotSmart(verdict.reason, verdict.detail)
        return results[0], verdict

    async def encode(
        self, encoding: Encoding, verdict: Verdict, on_progress: Callable[[float], None]
    ) -> Run:
        """``cut.mp4``, burned, as ``spans.mp4``."""

        def report(position: Position) -> None:
            on_progress(min(1.0, position.frame / verdict.encoded))

        arguments = _burn_arguments(self.info, encoding, verdict)
        run = await self.ffmpeg.run(arguments, self.folder, self.limits, on_progress=report)
        if run.returncode:
            raise NotSmart("failed", run.log)
        return run

    async def check(self, verdict: Verdict, expected: int) -> None:
        """Compare all packets with the source's, and decode the ``expected`` frames around
        spans."""
        listing = ["-i", f"file:{OUTPUT}", "-c", "copy", "-f", "framecrc", f"file:{RESULT}"]
        decoding = ["-xerror", "-i", f"file:{CHECK}", "-fps_mode", "passthrough", "-f", "null", "-"]
        listed, decoded = await both(
            self.ffmpeg.run(["-v", "error", *listing], self.folder, self.limits),
            self.ffmpeg.run(
                ["-v", "error", *decoding],
                self.folder,
                self.limits,
                on_progress=lambda position: None,
            ),
        )
        if listed.returncode or listed.log or decoded.returncode or decoded.log:
            raise NotSmart("failed", f"{listed.log}\n{decoded.log}")
        if decoded.position.frame != expected:
            raise NotSmart("failed", f"{decoded.position.frame} of {expected} frames were decoded")
        source = await asyncio.to_thread(read_packets, self.folder / PACKETS)
        result = await asyncio.to_thread(read_packets, self.folder / RESULT)
        await asyncio.to_thread(check_video, source["0"], result["0"], verdict.spans)
        if audio_result(self.info) == "copied":
            await asyncio.to_thread(check_sound, source["1"], result["1"])


def shown_times(script: str) -> list[tuple[float, float]]:
    """From when to when, in seconds, an ASS script of ours shows anything."""
    found = []
    for match in DIALOGUE.finditer(script):
        hours, minutes, seconds, *end = match.groups()
        begins = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        ends = int(end[0]) * 3600 + int(end[1]) * 60 + float(end[2])
        if ends > begins:
            found.append((begins, ends))
    return found


def _require_fit(folder: Path, info: MediaInfo, encoding: Encoding, request: Request) -> None:
    """What can be said before the video is read."""
    if encoding.encoder is not X264:
        raise NotSmart("hardware", encoding.encoder.name)
    if not info.container.startswith(CONTAINERS):
        raise NotSmart("container", info.container)
    if info.video.codec != "h264":
        raise NotSmart("codec", info.video.codec)
    if info.scaled or info.video.hdr or (info.video.width % 2 or info.video.height % 2):
        raise NotSmart("picture")
    if info.duration:
        times = merged([(round(a * 1000), round(b * 1000)) for a, b in request.shown])
        covered = sum(max(0, min(end, info.duration * 1000) - begin) for begin, end in times)
        if covered / (info.duration * 1000) > request.limit:
            raise NotSmart("not_worth_it", "subtitles are shown nearly all the time")
    size = (folder / INPUT).stat().st_size
    if shutil.disk_usage(folder).free < DISK_FACTOR * size:
        raise NotSmart("disk")


def _copy_arguments(info: MediaInfo, max_duration: float) -> list[str]:
    """``source.mp4`` and the list of its packets."""
    source = graph.input(f"file:{INPUT}", protocol_whitelist="file", format_whitelist=FORMATS)
    streams = [source[str(info.video.index)]]
    if info.audio:
        streams.append(source[str(info.audio.index)])
    copy = graph.output(
        *streams,
        f"file:{SOURCE}",
        f="mp4",
        map_metadata=-1,
        map_chapters=-1,
        t=max_duration,
        vcodec="copy",
        **audio_options(info),
    )
    packets = graph.output(*streams, f"file:{PACKETS}", f="framecrc", c="copy", t=max_duration)
    return ["-v", "warning", *graph.merge_outputs(copy, packets).get_args()]


def _burn_arguments(info: MediaInfo, encoding: Encoding, verdict: Verdict) -> list[str]:
    """``cut.mp4``, burned, as ``spans.mp4``: the wanted frames only, each span from an IDR frame
    on, in the form that the source's decoder is set up for."""
    upright, back = TURNS[verdict.turn]
    video = graph.input(f"file:{CUT}", protocol_whitelist="file", format_whitelist="mov")["v:0"]
    video = video.filter("select", f"not(mod(pts,{UNITS}))")
    for name, *values in upright:
        video = video.filter(name, *values)
    video = video.filter("ass", SCRIPT, original_size=f"{info.display_width}x{info.display_height}")
    for name, *values in back:
        video = video.filter(name, *values)
    quality = replace(encoding.quality, params=_x264_params(encoding.quality, verdict))
    output = graph.output(
        video,
        f"file:{SPANS}",
        f="mp4",
        fps_mode="passthrough",
        enc_time_base="demux",
        video_track_timescale=UNITS * verdict.timescale,
        force_key_frames=",".join(f"{start:.6f}" for start in verdict.starts),
        **{"forced-idr": 1, "profile:v": verdict.profile, "level:v": f"{verdict.level / 10:.1f}"},
        **replace(encoding, quality=quality).options(),
    )
    return ["-v", "warning", "-copyts", "-noautorotate", *output.get_args()]


def _x264_params(quality: Quality, verdict: Verdict) -> str:
    """Of its own parameter set, without B-frames that the source's timing has no room for, and with
    no more reference frames than the source's decoder holds."""
    params = [quality.params] if quality.params else []
    params += [f"sps-id={verdict.parameter_id}", "open-gop=0", "stitchable=1"]
    references = min(REFERENCES.get(quality.preset, 1), verdict.references)
    params.append(f"ref={max(1, references)}")
    if verdict.depth == 0:
        params.append("bframes=0")
    elif verdict.depth == 1 or verdict.references < 4:
        params.append("b-pyramid=none")
    return ":".join(params)
