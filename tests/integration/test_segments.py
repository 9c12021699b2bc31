"""A video in segments, by the pipeline on real ffmpeg: the same as burned whole, frame by frame.

Counts can be right while the frames of a segment are a frame late, or subtitles come and go at
other times. So every frame of the result is compared with the source and with that of a full burn.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import worker.segments
from tests.clips import (
    HEIGHT,
    RATE,
    WIDTH,
    Clip,
    ffmpeg,
    frame_times,
    gray_frames,
    packets_digest,
    shows_text,
)
from tests.corpus.bench import Bench, Result
from tests.integration.test_render import X265
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.mp4.boxes import read_index
from worker.media.mp4.tracks import video_track
from worker.workspace import RESERVE_BYTES, Workspace

SECONDS = 12
SEGMENT_SECONDS = 4
GOP = ("-g", str(RATE))
CLIP = Clip(SECONDS, video=("-c:v", "libx264", "-preset", "veryfast", *GOP))
SRT = (
    "00:00:00,000 --> 00:00:00,480\nWord\n\n"
    "00:00:03,520 --> 00:00:04,520\nacross\n\n"
    "00:00:08,000 --> 00:00:08,240\nafter\n\n"
    "00:00:11,520 --> 00:00:12,000\nWort\n"
)
"""At the beginning, across a border, right behind one, and to the end."""
TEXT_FRAMES = 12 + 25 + 6 + 12


def x264(*options: str) -> Clip:
    return replace(CLIP, video=(*CLIP.video, *options))


@pytest.fixture
def bench(program: Ffmpeg, tmp_path: Path) -> Iterator[Bench]:
    workspace = Workspace(tmp_path / "work", "bench")
    yield Bench(tmp_path, program, workspace, 60, SEGMENT_SECONDS)
    workspace.close()


async def burn_both(
    bench: Bench, folder: Path, video: Path, **options: Any
) -> tuple[Result, Result]:
    """In segments, and whole."""
    subtitles = folder / "cues.srt"
    subtitles.write_text(SRT)
    options = {"style": {"size": 15}, **options}
    joined = await bench.run(video, subtitles, **options)
    plain = Bench(folder, bench.ffmpeg, bench.workspace, 60, None)
    whole = await plain.run(video, subtitles, **options)
    assert whole.output, whole
    assert joined.output, joined
    return joined, whole


def facts(result: Result) -> dict[str, Any]:
    """What must be the same, however it was made."""
    ways = ("render", "size_bytes", "duration_seconds")
    return {name: value for name, value in result.info.items() if name not in ways}


def times_differ_by(one: Result, other: Result, stream: str) -> float:
    """Seconds, at most."""
    assert one.output and other.output
    times, others = (frame_times(output, stream) for output in (one.output, other.output))
    assert len(times) == len(others)
    return float(np.abs(np.subtract(times, others)).max())


async def assert_same(program: Ffmpeg, joined: Result, whole: Result) -> None:
    """One frame for each, at its time, showing the same; and the same sound."""
    assert joined.output
    assert whole.output
    assert facts(joined) == facts(whole)
    assert joined.duration == pytest.approx(whole.duration, abs=2e-3)
    folder = joined.output.parent
    listing = await program.run(
        ["-v", "warning", "-i", joined.output.name, "-f", "null", "-"], folder, Limits()
    )
    assert listing.log == "", "nothing in it is odd to a decoder"
    assert times_differ_by(joined, whole, "0:v:0") < 1e-4
    if whole.info["audio"] == "copied":
        assert times_differ_by(joined, whole, "0:a:0") < 1e-4
        assert packets_digest(joined.output, "0:a:0") == packets_digest(whole.output, "0:a:0")
    elif whole.info["audio"] != "none":
        assert times_differ_by(joined, whole, "0:a:0") < 2e-3, "WebM counts milliseconds"

    size = whole.info["width"], whole.info["height"]
    new, burned = (gray_frames(path, *size) for path in (joined.output, whole.output))
    assert len(new) == len(burned) == whole.info["frames"]
    assert (shows_text(new) == shows_text(burned)).all(), "text comes and goes as in a full burn"
    distance = np.abs(new.astype(int) - burned).mean(axis=(1, 2))
    assert distance.max() < 2.0
    to_next = np.abs(new[:-1].astype(int) - burned[1:]).mean(axis=(1, 2))
    assert (distance[:-1] < to_next).all(), "a shift by one frame would show"


@pytest.mark.parametrize(
    "clip",
    [
        x264("-bf", "0"),
        x264("-bf", "3"),
        x264("-bf", "8", "-refs", "5", "-b_strategy", "2"),
        replace(CLIP, audio=None),
        replace(CLIP, rate=30, filters="setsar=4/3"),
        x264("-pix_fmt", "yuv420p10le", "-color_range", "pc", "-colorspace", "bt709"),
        replace(CLIP, filters="select='not(between(n,20,29))*not(between(n,98,103))'"),
    ],
    ids=["no B-frames", "B-frames", "many B-frames", "no sound", "pixels", "10 bits", "VFR"],
)
async def test_a_video_in_segments_is_frame_by_frame_what_it_is_as_a_whole(
    program: Ffmpeg, bench: Bench, tmp_path: Path, clip: Clip
) -> None:
    source = clip.make(tmp_path / "clip.mp4", "-fps_mode", "vfr")
    joined, whole = await burn_both(bench, tmp_path, source)
    assert joined.info["render"]["segments"] == 3
    await assert_same(program, joined, whole)
    if clip.rate == RATE and clip.filters == "null":
        assert shows_text(gray_frames(joined.output or source, WIDTH, HEIGHT)).sum() == TEXT_FRAMES


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("c.mov", CLIP.video, "pcm_s16le"),
        ("c.mp4", (*X265, *GOP), "aac"),
        ("c.mp4", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", *GOP), "aac"),
        ("c.mp4", ("-c:v", "libsvtav1", "-preset", "12", *GOP), "aac"),
        ("c.mov", ("-c:v", "prores_ks"), "aac"),
        ("c.mkv", CLIP.video, "libmp3lame"),
        (
            "c.webm",
            ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", *GOP),
            "libopus",
        ),
    ],
    ids=["MOV", "HEVC", "VP9", "AV1", "ProRes", "MKV", "WebM"],
)
async def test_other_formats_are_split_too(
    program: Ffmpeg, bench: Bench, tmp_path: Path, name: str, video: tuple[str, ...], audio: str
) -> None:
    source = replace(CLIP, video=video, audio=audio).make(tmp_path / name)
    joined, whole = await burn_both(bench, tmp_path, source)
    assert joined.info["render"]["segments"] == 3
    await assert_same(program, joined, whole)


@pytest.mark.parametrize("degrees", [90, 180])
async def test_a_turned_video_is_upright_in_every_segment(
    program: Ffmpeg, bench: Bench, tmp_path: Path, degrees: int
) -> None:
    CLIP.make(tmp_path / "clip.mp4")
    source = tmp_path / "turned.mp4"
    rotation = ("-display_rotation", str(degrees))
    ffmpeg(*rotation, "-i", tmp_path / "clip.mp4", "-c", "copy", source)
    joined, whole = await burn_both(bench, tmp_path, source)
    assert joined.info["render"]["segments"] == 3
    await assert_same(program, joined, whole)


async def test_options_hold_for_every_segment_and_for_the_whole(
    program: Ffmpeg, bench: Bench, tmp_path: Path
) -> None:
    source = CLIP.make(tmp_path / "clip.mp4")
    joined, whole = await burn_both(
        bench, tmp_path, source, max_resolution=144, quality="high", soft_track=True
    )
    assert joined.info["render"]["segments"] == 3
    assert (joined.info["height"], joined.info["soft_track"]) == (144, True)
    await assert_same(program, joined, whole)


async def test_sound_that_begins_before_the_picture_keeps_its_distance(
    program: Ffmpeg, bench: Bench, tmp_path: Path
) -> None:
    CLIP.make(tmp_path / "clip.mp4")
    source = tmp_path / "late.mp4"
    inputs = ("-itsoffset", "0.7", "-i", tmp_path / "clip.mp4", "-i", tmp_path / "clip.mp4")
    ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", source)
    joined, whole = await burn_both(bench, tmp_path, source)
    assert joined.info["render"]["segments"] == 3
    await assert_same(program, joined, whole)


async def test_all_segments_share_one_set_of_parameters(bench: Bench, tmp_path: Path) -> None:
    source = CLIP.make(tmp_path / "clip.mp4")
    joined, _ = await burn_both(bench, tmp_path, source)
    assert joined.output
    data = joined.output.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "it starts at once"
    config = data[data.index(b"avcC") + 4 :]
    assert config[5] & 31 == 1
    edits = video_track(read_index(joined.output)).get(b"edts", b"elst").content
    assert int.from_bytes(edits[4:8], "big") == 1, "no gap in front, none between"


def open_gops(path: Path) -> None:
    x264("-x264-params", "open-gop=1:scenecut=0").make(path)


def trimmed(path: Path) -> None:
    CLIP.make(path.with_name("whole.mp4"))
    ffmpeg("-ss", "0.5", "-i", path.with_name("whole.mp4"), "-c", "copy", path)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (replace(CLIP, video=("-c:v", "mpeg4", "-bf", "2")).make, "c.mp4"),
        (x264("-flags", "+ildct+ilme").make, "c.mp4"),
        (x264("-g", "1000").make, "c.mp4"),
        (open_gops, "c.mp4"),
        (trimmed, "c.mp4"),
        (CLIP.make, "c.ts"),
    ],
    ids=["MPEG-4", "interlaced", "one keyframe", "open GOPs", "edit list", "TS"],
)
async def test_what_can_not_be_split_is_burned_as_a_whole(
    program: Ffmpeg, bench: Bench, tmp_path: Path, make: Any, name: str
) -> None:
    make(tmp_path / name)
    joined, whole = await burn_both(bench, tmp_path, tmp_path / name)
    assert joined.info["render"]["segments"] is None
    await assert_same(program, joined, whole)


async def test_a_short_video_and_a_smart_burn_are_not_split(bench: Bench, tmp_path: Path) -> None:
    source = CLIP.make(tmp_path / "clip.mp4")
    joined, _ = await burn_both(bench, tmp_path, source, render="auto")
    assert joined.info["render"]["segments"] is None
    short = replace(CLIP, seconds=SEGMENT_SECONDS).make(tmp_path / "short.mp4")
    joined, _ = await burn_both(bench, tmp_path, short)
    assert joined.info["render"]["segments"] is None


@pytest.mark.parametrize("step", ["lay_out", "encode_segment", "join_segments"])
async def test_a_full_disk_is_no_doubt_about_the_video_but_a_failure_that_is_tried_again(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Somebody else fills it while a step is at work: of a segment that would be no reason to burn
    the video as a whole, which takes more room."""
    source, subtitles = CLIP.make(tmp_path / "clip.mp4"), tmp_path / "cues.srt"
    subtitles.write_text(SRT)
    with small_disk(tmp_path / "disk", RESERVE_BYTES + (20 << 20)) as disk:
        workspace = Workspace(disk, "bench")
        bench = Bench(tmp_path, program, workspace, 60, SEGMENT_SECONDS)
        go_on = getattr(worker.segments, step)

        async def fill(*given: Any, **more: Any) -> Any:
            with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
                while file.write(bytes(1 << 16)):
                    pass
            return await go_on(*given, **more)

        monkeypatch.setattr(worker.segments, step, fill)
        result = await bench.run(source, subtitles)
        workspace.close()
    assert result.code == "disk_full", result


@contextmanager
def small_disk(at: Path, size: int) -> Iterator[Path]:
    """A disk of so many bytes. Needs root."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


async def test_a_segment_with_damage_in_it_is_given_up_and_the_whole_has_a_warning(
    bench: Bench, tmp_path: Path
) -> None:
    data = bytearray(CLIP.make(tmp_path / "clip.mp4", "-movflags", "+faststart").read_bytes())
    middle = (data.index(b"mdat") + len(data)) // 2
    data[middle : middle + 3000] = bytes(3000)
    source = tmp_path / "damaged.mp4"
    source.write_bytes(data)
    joined, whole = await burn_both(bench, tmp_path, source)
    assert joined.info["render"]["segments"] is None
    assert joined.warnings == whole.warnings == {"frames_damaged"}
