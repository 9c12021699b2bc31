"""Results in Chromium: it shows the frames that ffmpeg decodes, at their times, to the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.browser.conftest import HEIGHT, WIDTH, Player, aside
from tests.clips import ffmpeg, frame_times
from tests.rendering import burn
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import INPUT
from worker.media.render import OUTPUT

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2"]
SOUND = ["-f", "lavfi", "-i", "sine=d=2"]
H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"]
SRT = "00:00:00,500 --> 00:00:01,500\nWord\n"
Thumbnails = npt.NDArray[np.int16]

SOURCES: dict[str, list[str]] = {
    "plain.mp4": H264,
    "vp9.webm": ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"],
    "mpeg2.ts": ["-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2"],
    "no sound.mp4": ["-an", *H264],
    "variable rate.mp4": ["-vf", "select='mod(n,3)+between(n,30,40)'", "-fps_mode", "vfr", *H264],
    "fields.mp4": ["-vf", "interlace", "-flags", "+ildct+ilme", *H264],
    "wide pixels.mp4": ["-vf", "setsar=4/3", *H264],
    "full range.mp4": ["-vf", "scale=out_range=full", "-pix_fmt", "yuvj420p", "-c:a", "aac"],
    "late.mp4": ["-vf", "setpts=PTS+0.6/TB", *H264],
    "rgb.mov": ["-c:v", "qtrle", "-c:a", "aac"],
}  # fmt: skip


def result(program: Ffmpeg, folder: Path, make: Callable[[Path], object]) -> Path:
    make(folder / INPUT)
    aside(burn(program, folder, SRT))
    return folder / OUTPUT


def thumbnails(path: Path) -> Thumbnails:
    """Every frame as Chromium would show it, small: (frames, height, width, RGB)."""
    raw = ffmpeg(
        "-i", path,
        "-vf", f"zscale={WIDTH}:{HEIGHT}:filter=bilinear:matrix=gbr:range=full,format=gbrp",
        "-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1",
    )  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3).astype(np.int16)


@pytest.mark.parametrize("name", SOURCES)
def test_every_frame_is_the_one_that_ffmpeg_decodes(
    player: Player, program: Ffmpeg, tmp_path: Path, name: str
) -> None:
    def make(target: Path) -> None:
        ffmpeg(*PICTURE, *SOUND, *SOURCES[name], tmp_path / name)
        (tmp_path / name).rename(target)

    output = result(program, tmp_path, make)
    times, frames = frame_times(output), thumbnails(output)
    facts = player.load(output)
    assert facts["duration"] == pytest.approx(max(2.0, times[-1] + 0.04), abs=0.06)
    for number in (len(times) // 2, 0, len(times) - 1, len(times) // 4, len(times) // 4 + 1, 3):
        shown = player.seek(times[number])
        distances = np.abs(frames - shown.pixels).mean(axis=(1, 2, 3))
        assert int(distances.argmin()) == number
        assert distances[number] < 8
        assert shown.time == pytest.approx(times[number], abs=0.002)


def test_it_plays_to_the_end_without_going_back(
    player: Player, program: Ffmpeg, tmp_path: Path
) -> None:
    def make(target: Path) -> None:
        ffmpeg(*PICTURE, *SOUND, *H264, "-f", "mp4", target)

    player.load(result(program, tmp_path, make))
    times = player.play()
    assert times == sorted(times)
    assert times[-1] > 1.5


TURNS = {
    "90": ["-display_rotation", "90"],
    "180": ["-display_rotation", "180"],
    "270": ["-display_rotation", "270"],
    "mirrored": ["-display_hflip"],
    "upside down": ["-display_vflip"],
    "90, mirrored": ["-display_rotation", "90", "-display_hflip"],
}


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_video_looks_as_its_source_did(
    player: Player, program: Ffmpeg, tmp_path: Path, turn: str
) -> None:
    ffmpeg(*PICTURE, *H264, tmp_path / "flat.mp4")

    def make(target: Path) -> None:
        ffmpeg(*TURNS[turn], "-i", tmp_path / "flat.mp4", "-c", "copy", "-f", "mp4", target)

    output = result(program, tmp_path, make)
    shown = {}
    for path in (tmp_path / INPUT, output):
        facts = player.load(path)
        shown[path] = (facts["width"], facts["height"], player.seek(0.2).pixels)
    before, after = shown.values()
    assert before[:2] == after[:2]
    assert np.abs(before[2].astype(int) - after[2]).mean() < 8
