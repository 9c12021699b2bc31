"""Burns the subtitles into the video: the graph, the run, and the checks that prove the result.

ffmpeg's exit code proves little: a truncated input, a missing font or a file cut by a limit all
end with 0. So the same run that renders also writes down every packet it reads, and the result must
have a frame for each and last as long as they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import ffmpeg as graph

from worker.errors import JobError, JobWarning, span
from worker.media.encoder import X264, Encoder, Encoding
from worker.media.ffmpeg import Ffmpeg, Limits, Position, Run, reading
from worker.media.packets import Timeline, Track, read_timeline
from worker.media.picture import picture_filters, scale_filters
from worker.media.probe import FORMATS, INPUT, MediaInfo, padded_pixels

SCRIPT = "subtitles.ass"
OUTPUT = "out.mp4"
POSTER = "poster.jpg"
PACKETS = "packets.txt"

POSTER_WIDTH = 1280
"""The poster is at most this many pixels wide."""
HIGHEST_BYTES_PER_SECOND = 25_000_000
"""An output that exceeds this on average (200 Mbit/s) is stopped."""
SHORT = 0.3
"""Seconds by which an index may be wrong about the end of a good file."""
ROUNDED = 0.05
"""The same for MP4, whose index names every packet."""
BREAKS_OFF = "partial file"
"""What ffmpeg says when an MP4 ends before a packet that its index names."""
SLOWEST = 300
"""Seconds that a second of video may take, and ten minutes: the largest pictures took 65 on two
busy cores."""


@dataclass(frozen=True)
class Rendered:
    """A checked result: seconds, frames, what the user should know about it, and how it was made.

    ``reason``: why not by the way that was asked for (one of ``smart.plan.REASONS``);
    ``encoded_share``: how much of the frames was encoded again, 0 to 1; ``segments``: how many it
    was made of, if it was not encoded as a whole.
    """

    duration: float
    frames: int
    audio: str
    warnings: list[JobWarning]
    mode: Literal["full", "smart"] = "full"
    reason: str | None = None
    encoded_share: float = 1.0
    segments: int | None = None


async def render(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    encoding: Encoding,
    *,
    max_duration: float,
    max_seconds: float,
    on_progress: Callable[[float], None],
) -> Rendered:
    """Burn ``folder / SCRIPT`` into ``folder / INPUT``, giving ``folder / OUTPUT``.

    ``on_progress`` gets the share that is done, 0 to 1. Raises ``JobError``: ``invalid_video``,
    ``video_truncated``, ``video_too_long`` (more than ``max_duration`` seconds), ``disk_full``,
    ``render_*``.
    """

    def report(position: Position) -> None:
        if info.frames:
            on_progress(min(1.0, position.frame / info.frames))

    async def run_over(info: MediaInfo) -> tuple[Run, Timeline]:
        run = await ffmpeg.run(
            render_arguments(info, encoding, max_duration),
            folder,
            render_limits(info, max_duration, max_seconds, encoding.encoder),
            on_progress=report,
        )
        failed = run.returncode != 0
        return run, Timeline() if failed else await asyncio.to_thread(read_timeline, packets)

    packets = folder / PACKETS
    run, source = await run_over(info)
    if (run.returncode or source.audio.cut) and (plainer := _plainer(info)) != info:
        info = plainer
        run, source = await run_over(info)
    elif await _hindered(ffmpeg, folder, info, source):
        info = replace(info, others=())
        run, source = await run_over(info)
    if run.returncode:
        raise JobError("render_failed", f"exit code {run.returncode}: {run.log[-2000:]}")
    return await _check(ffmpeg, folder, info, source, run, max_duration)


def _plainer(info: MediaInfo) -> MediaInfo:
    """The same with sound that is decoded, and with nothing but picture and sound looked at.

    Copied sound can't be cut within a packet, and brings along those that only the decoder was
    meant to see, so that it lags behind the picture where an edit list has cuts. And damaged
    packets that a decoder passes over may be what the muxer refuses.
    """
    return replace(info, audio=info.audio and replace(info.audio, copyable=False), others=())


async def _hindered(ffmpeg: Ffmpeg, folder: Path, info: MediaInfo, source: Timeline) -> bool:
    """Whether there are more pictures than were read: a track that is only looked at, and whose
    index points behind the end of the file, ends the reading of all without a word."""
    if not info.others or source.end >= (info.duration or 0.0) - SHORT:
        return False
    picture = graph.input(f"file:{INPUT}", protocol_whitelist="file", format_whitelist=FORMATS)[
        str(info.video.index)
    ]
    output = graph.output(picture, f"file:{PACKETS}", f="framecrc", c="copy")
    await ffmpeg.run(["-v", "error", *output.get_args()], folder, reading(folder / INPUT))
    alone = await asyncio.to_thread(read_timeline, folder / PACKETS)
    return alone.video.packets > source.video.packets


def render_limits(
    info: MediaInfo, max_duration: float, max_seconds: float, encoder: Encoder = X264
) -> Limits:
    """What a run over the whole video may use."""
    duration = info.duration or max_duration
    return Limits(
        memory=encoder.address_space or (3 << 30) + 200 * info.video.width * info.video.height,
        file_size=round((duration + 60) * HIGHEST_BYTES_PER_SECOND),
        seconds=min(max_seconds, 600 + SLOWEST * duration),
        reach=encoder.reach,
    )


def render_arguments(info: MediaInfo, encoding: Encoding, max_duration: float) -> list[str]:
    """The command line: one reading of the input, two outputs, the video and the packet list."""
    source = graph.input(
        f"file:{INPUT}",
        protocol_whitelist="file",
        format_whitelist=FORMATS,
        max_pixels=padded_pixels(info.video),
        **({"c:v": info.video.decoder} if info.video.decoder else {}),
    )
    picture = source[str(info.video.index)]
    video = drawn(picture, info)
    for name, value in encoding.encoder.upload:
        video = video.filter(name, *filter(None, [value]))
    audio = [source[str(info.audio.index)]] if info.audio else []
    output = graph.output(
        video,
        *audio,
        f"file:{OUTPUT}",
        f="mp4",
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        t=max_duration,
        # The input's own clock: no frame of a variable rate is moved, doubled or dropped.
        enc_time_base="demux",
        **encoding.options(),
        **audio_options(info),
    )
    others = [source[str(index)] for index in info.others]
    packets = graph.output(
        picture, *audio, *others, f"file:{PACKETS}", f="framecrc", c="copy", t=max_duration
    )
    arguments: list[str] = graph.merge_outputs(output, packets).get_args()
    # However many errors a decoder meets, what it could save is looked at in the end.
    return ["-v", "repeat+warning", "-max_error_rate", "1", *encoding.encoder.device, *arguments]


def drawn(picture: Any, info: MediaInfo) -> Any:
    """The decoded stream as it is encoded: converted, scaled, with the subtitles on it."""
    for name, options in [*picture_filters(info.video), *scale_filters(info)]:
        picture = picture.filter(name, **options)
    # The size as displayed tells libass about pixels that are not square.
    size = f"{info.display_width}x{info.display_height}"
    return picture.filter("ass", SCRIPT, original_size=size)


def audio_options(info: MediaInfo) -> dict[str, Any]:
    """How the sound gets into MP4."""
    if info.audio is None:
        return {}
    if info.audio.copyable:
        return {"acodec": "copy"}
    return {"acodec": "aac", "b:a": "192k", "ac": 2}


def audio_result(info: MediaInfo) -> str:
    """What became of the sound: "copied", the codec it was encoded with, or "none"."""
    audio: str = audio_options(info).get("acodec", "none")
    return "copied" if audio == "copy" else audio


async def _check(
    ffmpeg: Ffmpeg, folder: Path, info: MediaInfo, source: Timeline, run: Run, max_duration: float
) -> Rendered:
    """Hold the result against the packets that were read."""
    warnings = check_source(info, source, run.log, max_duration)
    if run.position.frame == 0:
        raise JobError("invalid_video", f"no frame could be decoded: {run.log[-2000:]}")
    result = await _output_timeline(ffmpeg, folder)
    read, written = source.video, result.video
    if written.packets == 0 or written.packets < 0.45 * read.packets:
        raise JobError(
            "invalid_video", f"{written.packets} of {read.packets} frames: {run.log[-2000:]}"
        )
    slack = 0.5 + 0.01 * read.duration
    explained = read.guessed or missing_frames(info, read, written)
    too_short = written.duration < read.duration - slack and not explained
    too_long = written.duration > read.duration + slack
    if written.packets != run.position.frame or too_short or too_long:
        raise JobError(
            "render_incorrect",
            f"{written.packets} frames in {written.duration} s written, {run.position.frame} "
            f"encoded, {read.packets} in {read.duration} s read",
        )
    warnings += [*_losses(info, source, result, run), *glyph_warnings(run.missing_glyphs)]
    return Rendered(result.end, written.packets, audio_result(info), warnings)


def _losses(info: MediaInfo, source: Timeline, result: Timeline, run: Run) -> list[JobWarning]:
    """What of the input is not in the result."""
    warnings = []
    if damaged := missing_frames(info, source.video, result.video) + run.corrupt_frames:
        total = source.video.packets
        warnings.append(JobWarning.of("frames_damaged", count=damaged, total=total))
    return [*warnings, *sound_warnings(info, source.audio.duration, result.audio)]


def sound_warnings(info: MediaInfo, expected: float, result: Track) -> list[JobWarning]:
    """A warning when the result has not the ``expected`` seconds of sound."""
    heard = result.duration
    if info.audio is None or heard >= expected - max(0.25, 0.02 * expected):
        return []
    return [JobWarning.of("audio_damaged", actual=span(heard), total=span(expected))]


def check_source(
    info: MediaInfo, source: Timeline, log: str, max_duration: float
) -> list[JobWarning]:
    """Whether all of the input could be read; a warning if just a little is missing at its end.

    Raises ``video_encrypted`` (it may begin in clear), ``video_too_long``, ``video_truncated``.
    """
    if source.video.encrypted or (info.audio and source.audio.encrypted):
        raise JobError("video_encrypted")
    if source.end >= max_duration:
        raise JobError("video_too_long", actual=span(source.end), limit=span(max_duration))
    length = info.duration or 0.0
    # MP4's length counts what an edit list hides; there the reader says when packets are missing.
    mp4 = "mov" in info.container
    if source.end >= length - (ROUNDED if mp4 else SHORT) or (mp4 and BREAKS_OFF not in log):
        return []
    actual, expected = span(source.end), span(length)
    if source.end < length - max(SHORT, min(0.1 * length, 1.0), 0.02 * length):
        raise JobError("video_truncated", actual=actual, expected=expected)
    return [JobWarning.of("ends_early", actual=actual, expected=expected)]


def missing_frames(info: MediaInfo, read: Track, written: Track) -> int:
    """How many packets of the source became no frame."""
    # Half as many frames in the same time: each field of interlaced video came in its own packet.
    halves = abs(read.packets - 2 * written.packets) <= 2
    fields = halves and info.video.interlaced and written.duration > 0.9 * read.duration
    return 0 if fields else max(0, read.packets - written.packets)


def glyph_warnings(missing: Set[int]) -> list[JobWarning]:
    """A warning that names the characters (their code points) that no font could draw."""
    if not missing:
        return []
    characters = " ".join(f"{chr(g)} (U+{g:04X})" for g in sorted(missing)[:20])
    return [JobWarning.of("glyphs_missing", characters=characters)]


async def _output_timeline(ffmpeg: Ffmpeg, folder: Path) -> Timeline:
    output = graph.output(graph.input(f"file:{OUTPUT}"), f"file:{PACKETS}", f="framecrc", c="copy")
    limits = reading(folder / OUTPUT)
    run = await ffmpeg.run(["-v", "error", *output.get_args()], folder, limits)
    if run.returncode:
        raise JobError("render_incorrect", run.log)
    return await asyncio.to_thread(read_timeline, folder / PACKETS)


async def poster(ffmpeg: Ffmpeg, folder: Path, at: float) -> None:
    """A still of ``folder / OUTPUT`` at ``at`` seconds, in square pixels: ``folder / POSTER``."""
    for seconds in (at, 0.0):  # nothing comes of a time within the last frame
        picture = graph.input(f"file:{OUTPUT}", ss=seconds)["v:0"]
        picture = picture.filter("scale", f"min({POSTER_WIDTH},iw*sar)", "-2").filter("setsar", 1)
        output = picture.output(f"file:{POSTER}", f="image2", update=1, vframes=1, qscale=3)
        run = await ffmpeg.run(["-v", "error", *output.get_args()], folder, Limits())
        if run.returncode == 0 and (folder / POSTER).exists():
            return
    raise JobError("render_incorrect", f"no poster: {run.log}")
