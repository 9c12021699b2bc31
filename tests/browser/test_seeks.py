"""What is made of pieces, in Chromium: it seeks across every border, between copied and new frames
of a smart burn and between joined segments, and plays through to the end."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pytest

from tests.browser.conftest import HEIGHT, WIDTH, Player, aside
from tests.clips import RATE, Clip, ffmpeg, frame_times
from tests.corpus.bench import Bench
from tests.integration.test_smart import CLIP, SECONDS, SRT, burn_clip, frame_digests, x264
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import INPUT
from worker.media.render import OUTPUT
from worker.workspace import Workspace

SEGMENT_SECONDS = 4


@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_seeks_across_every_border_show_the_frame_of_that_time(
    player: Player, program: Ffmpeg, tmp_path: Path, b_frames: str
) -> None:
    result = smart_burn(program, tmp_path, x264("-bf", b_frames))
    borders = span_borders(tmp_path / INPUT, result)
    assert len(borders) >= 5
    assert_seeks(player, result, borders)


@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_seeks_across_the_borders_of_segments_show_the_frame_of_that_time(
    player: Player, program: Ffmpeg, tmp_path: Path, b_frames: str
) -> None:
    result = in_segments(program, tmp_path, x264("-bf", b_frames))
    borders = [second * RATE for second in range(SEGMENT_SECONDS, SECONDS, SEGMENT_SECONDS)]
    assert_seeks(player, result, borders)


def assert_seeks(player: Player, result: Path, borders: list[int]) -> None:
    """What is shown around each of these frames is what lies there."""
    frames = thumbnails(result)
    facts = player.load(result)
    assert facts["duration"] == pytest.approx(SECONDS, abs=0.1)
    # Backwards and forwards, so that no seek goes on from where the last one ended.
    at = sorted({frame + near for frame in borders for near in (-2, -1, 0, 1)})
    for frame in [*at[::2], *at[::-2]]:
        shown = player.seek(frame / RATE)
        assert shown.time == pytest.approx(frame / RATE, abs=1e-3)
        distances = np.abs(frames - shown.pixels).mean(axis=(1, 2, 3))
        assert distances[frame] < 8
        # The box moves by 4 pixels per frame of 320: less than two of the picture that is compared.
        assert distances[frame] <= distances.min() + 0.1


@pytest.mark.parametrize("way", ["smart", "segments"])
def test_it_plays_to_the_end_without_a_step_back(
    player: Player, program: Ffmpeg, tmp_path: Path, way: str
) -> None:
    make = smart_burn if way == "smart" else in_segments
    result = make(program, tmp_path, CLIP)
    player.load(result)
    times = player.play()
    assert times == sorted(times)
    assert times[-1] == pytest.approx(frame_times(result)[-1], abs=0.2)


def smart_burn(program: Ffmpeg, folder: Path, clip: Clip) -> Path:
    clip.make(folder / "clip.mp4").rename(folder / INPUT)
    _, rendered = aside(burn_clip(program, folder, "smart"))
    assert rendered.mode == "smart"
    return (folder / OUTPUT).rename(folder / f"{uuid4()}.mp4")


def in_segments(program: Ffmpeg, folder: Path, clip: Clip) -> Path:
    """Joined of pieces of four seconds, which the clip has keyframes for."""
    source, subtitles = clip.make(folder / "clip.mp4"), folder / "cues.srt"
    subtitles.write_text(SRT)
    workspace = Workspace(folder / "work", "bench")
    bench = Bench(folder, program, workspace, 60, SEGMENT_SECONDS)
    result = aside(bench.run(source, subtitles))
    workspace.close()
    assert result.output
    assert result.info["render"]["segments"] == SECONDS / SEGMENT_SECONDS
    return result.output


def span_borders(source: Path, result: Path) -> list[int]:
    """The frames at which copied ones follow new ones or the other way round."""
    before, after = frame_digests(source), frame_digests(result)
    new = [old != now for old, now in zip(before, after, strict=True)]
    return [at for at in range(1, len(new)) if new[at] != new[at - 1]]


def thumbnails(path: Path) -> npt.NDArray[np.int16]:
    """Every frame as Chromium shows a video that says nothing of its colours, small."""
    raw = ffmpeg(
        "-i", path, "-fps_mode", "passthrough", "-vf", f"scale={WIDTH}:{HEIGHT}:flags=bilinear",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
    )  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3).astype(np.int16)
