"""The render path on real ffmpeg: what is on the frames, in the sound, and in the file."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import worker.media.ffmpeg
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
from tests.conftest import eventually
from tests.rendering import burn
from worker.errors import ConfigurationError, JobError, JobWarning
from worker.media.ffmpeg import Ffmpeg, Limits, Position
from worker.media.probe import INPUT, probe
from worker.media.render import OUTPUT, POSTER, poster, render_limits

X265 = ("-c:v", "libx265", "-x265-params", "log-level=0")
TEXT_FRAMES = {*range(25, 50), *range(75, 87)}


async def test_text_is_on_the_frames_of_its_cue_and_on_no_other(
    program: Ffmpeg, tmp_path: Path
) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    _, rendered = await burn(program, tmp_path)
    frames = gray_frames(tmp_path / OUTPUT, WIDTH, HEIGHT)
    assert len(frames) == rendered.frames == 4 * RATE
    assert set(np.flatnonzero(shows_text(frames))) == TEXT_FRAMES
    assert shows_text(frames[:, HEIGHT // 2 :]).sum() == len(TEXT_FRAMES), "it is at the bottom"


async def test_outside_the_text_the_picture_is_the_sources(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    await burn(program, tmp_path)
    before = gray_frames(tmp_path / INPUT, WIDTH, HEIGHT)[:, : HEIGHT // 2].astype(int)
    after = gray_frames(tmp_path / OUTPUT, WIDTH, HEIGHT)[:, : HEIGHT // 2].astype(int)
    distance = np.abs(before - after).mean(axis=(1, 2))
    to_next = np.abs(before[1:] - after[:-1]).mean(axis=(1, 2))
    assert distance.max() < 1.0
    assert (distance[:-1] < to_next).all(), "a shift by one frame would show"


async def test_aac_sound_is_copied_bit_for_bit(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    _, rendered = await burn(program, tmp_path)
    assert rendered.audio == "copied"
    assert packets_digest(tmp_path / OUTPUT, "0:a:0") == packets_digest(tmp_path / INPUT, "0:a:0")


@pytest.mark.parametrize(
    ("name", "clip", "audio"),
    [
        ("x.mkv", Clip(audio="flac"), "aac"),
        ("x.webm", Clip(audio="libopus", video=("-c:v", "libvpx", "-b:v", "1M")), "aac"),
        ("x.avi", Clip(audio="pcm_s16le", video=("-c:v", "mpeg4")), "aac"),
        ("x.mov", Clip(audio=None), "none"),
        ("x.ts", Clip(), "copied"),
        ("x.mp4", Clip(audio="libmp3lame", video=X265), "copied"),
    ],
)
async def test_other_formats_become_mp4_with_every_frame(
    program: Ffmpeg, tmp_path: Path, name: str, clip: Clip, audio: str
) -> None:
    clip.make(tmp_path / name).rename(tmp_path / INPUT)
    _, rendered = await burn(program, tmp_path)
    assert rendered.audio == audio
    assert rendered.frames == 4 * RATE
    assert rendered.duration == pytest.approx(4.0, abs=0.15)
    text = shows_text(gray_frames(tmp_path / OUTPUT, WIDTH, HEIGHT))
    assert set(np.flatnonzero(text)) == TEXT_FRAMES


async def test_a_variable_frame_rate_keeps_its_times(program: Ffmpeg, tmp_path: Path) -> None:
    clip = Clip(filters="select='not(between(n,30,39))*not(between(n,60,62))'")
    clip.make(tmp_path / "clip.mp4", "-fps_mode", "vfr").rename(tmp_path / INPUT)
    await burn(program, tmp_path)
    assert frame_times(tmp_path / OUTPUT) == pytest.approx(frame_times(tmp_path / INPUT), abs=1e-3)


async def test_a_rotated_video_comes_out_upright(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4")
    ffmpeg(
        "-display_rotation", "90", "-i", tmp_path / "clip.mp4", "-c", "copy", "-f", "mp4",
        tmp_path / INPUT,
    )  # fmt: skip
    info, _ = await burn(program, tmp_path)
    assert (info.display_width, info.display_height) == (HEIGHT, WIDTH)
    listing = await program.run(["-i", OUTPUT], tmp_path, Limits())
    assert f"{HEIGHT}x{WIDTH}" in listing.log
    assert "rotation" not in listing.log
    frames = gray_frames(tmp_path / OUTPUT, HEIGHT, WIDTH)
    assert shows_text(frames[:, WIDTH // 2 :]).sum() == len(TEXT_FRAMES)


async def test_odd_sizes_lose_a_line_and_no_sharpness(program: Ffmpeg, tmp_path: Path) -> None:
    clip = Clip(size="161x121", audio=None, video=("-c:v", "ffv1", "-pix_fmt", "yuv444p"))
    clip.make(tmp_path / "clip.mkv").rename(tmp_path / INPUT)
    info, _ = await burn(program, tmp_path)
    assert (info.output_width, info.output_height) == (160, 120)
    assert len(gray_frames(tmp_path / OUTPUT, 160, 120)) == 4 * RATE


async def test_pixels_that_are_not_square_do_not_stretch_the_text(
    program: Ffmpeg, tmp_path: Path
) -> None:
    def width_of_text(frames: np.ndarray) -> int:
        columns = np.flatnonzero((frames[30] > 180).any(axis=0))
        return int(columns[-1] - columns[0])

    Clip(size="320x240").make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    await burn(program, tmp_path)
    square = width_of_text(gray_frames(tmp_path / OUTPUT, 320, 240))
    Clip(size="160x240", filters="setsar=2").make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    info, _ = await burn(program, tmp_path)
    assert (info.display_width, info.display_height) == (320, 240)
    narrow = width_of_text(gray_frames(tmp_path / OUTPUT, 160, 240))
    assert narrow * 2 == pytest.approx(square, abs=6)


async def test_hdr_is_tone_mapped_to_what_every_player_shows(
    program: Ffmpeg, tmp_path: Path
) -> None:
    hlg = "setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc"
    Clip(seconds=1, filters=hlg, video=(*X265, "-pix_fmt", "yuv420p10le")).make(
        tmp_path / "c.mp4"
    ).rename(tmp_path / INPUT)
    info, _ = await burn(program, tmp_path, "00:00 --> 00:01\nx\n")
    assert info.video.hdr
    listing = (await program.run(["-i", OUTPUT], tmp_path, Limits())).log
    assert "yuv420p(tv, bt709" in listing
    assert "bt2020" not in listing


async def test_the_result_starts_at_once_and_tells_nothing_of_the_user(
    program: Ffmpeg, tmp_path: Path
) -> None:
    secret = ("-metadata", "location=+52.5-13.4/", "-metadata", "title=secret")
    Clip().make(tmp_path / "clip.mp4", *secret).rename(tmp_path / INPUT)
    await burn(program, tmp_path)
    data = (tmp_path / OUTPUT).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"secret" not in data
    assert b"+52.5" not in data


async def test_progress_goes_up_to_the_end(program: Ffmpeg, tmp_path: Path) -> None:
    Clip(seconds=20, size="1280x720").make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    shares: list[float] = []
    await burn(program, tmp_path, on_progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) >= 2
    assert shares[-1] == pytest.approx(1.0, abs=0.02)


async def test_the_poster_is_a_picture_of_the_result(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    await burn(program, tmp_path)
    await poster(program, tmp_path, 1.5)
    assert shows_text(gray_frames(tmp_path / POSTER, WIDTH, HEIGHT)).all()
    await poster(program, tmp_path, 99.0)
    assert not shows_text(gray_frames(tmp_path / POSTER, WIDTH, HEIGHT)).any()


async def test_a_glyph_that_no_font_has_is_named(program: Ffmpeg, tmp_path: Path) -> None:
    Clip(seconds=1).make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    _, rendered = await burn(program, tmp_path, "00:00 --> 00:01\na \U00012000 b\n")
    assert rendered.warnings == [JobWarning.of("glyphs_missing", characters="\U00012000 (U+12000)")]


async def test_scripts_of_the_world_are_drawn(program: Ffmpeg, tmp_path: Path) -> None:
    Clip(seconds=1).make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    texts = "ä Ж λ مرحبا שלום 字幕 日本 한국 हिन्दी বাংলা தமிழ் ภาษา မြန်မာ ខ្មែរ"
    _, rendered = await burn(program, tmp_path, f"00:00 --> 00:01\n{texts}\n")
    assert rendered.warnings == []


def corrupt(path: Path, where: float, length: int) -> None:
    data = bytearray(path.read_bytes())
    start = int(len(data) * where)
    data[start : start + length] = bytes(length)
    path.write_bytes(bytes(data))


def huge_clip(path: Path) -> None:
    Clip(size="4096x4096", seconds=0.1).make(path.with_suffix(".mp4")).rename(path)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: path.write_bytes(b"This is no video."), "invalid_video"),
        (lambda path: path.write_bytes(b""), "invalid_video"),
        (
            lambda path: ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-f", "mp4", path),
            "no_video_stream",
        ),
        (lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\nother.mp4\n"), "invalid_video"),
        (lambda path: path.write_text("ffconcat version 1.0\nfile other.mp4\n"), "invalid_video"),
        (huge_clip, "video_too_big"),
    ],
    ids=["text", "empty", "sound only", "playlist", "concat", "huge"],
)
async def test_what_is_no_video_gets_a_code(
    program: Ffmpeg, tmp_path: Path, make: Callable[[Path], object], code: str
) -> None:
    make(tmp_path / INPUT)
    with pytest.raises(JobError) as raised:
        await probe(program, tmp_path, 4000 * 4000)
    assert raised.value.code == code


async def test_a_cover_picture_is_not_the_video(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4")
    ffmpeg("-f", "lavfi", "-i", "color=white:s=800x800:d=1", "-frames:v", "1", tmp_path / "c.png")
    ffmpeg(
        "-i", tmp_path / "c.png", "-i", tmp_path / "clip.mp4", "-map", "0", "-map", "1",
        "-c", "copy", "-disposition:v:0", "attached_pic", "-f", "mp4", tmp_path / INPUT,
    )  # fmt: skip
    info, rendered = await burn(program, tmp_path)
    assert (info.display_width, info.video_streams) == (WIDTH, 1)
    assert rendered.frames == 4 * RATE


async def test_a_truncated_video_is_told_from_a_good_one(program: Ffmpeg, tmp_path: Path) -> None:
    """With the index in front ffmpeg itself ends with 0."""
    source = Clip(seconds=10).make(tmp_path / "clip.mp4", "-movflags", "+faststart")
    data = source.read_bytes()
    (tmp_path / INPUT).write_bytes(data[: len(data) // 2])
    with pytest.raises(JobError) as raised:
        await burn(program, tmp_path)
    assert raised.value.code == "video_truncated"


async def test_damaged_frames_are_a_warning(program: Ffmpeg, tmp_path: Path) -> None:
    Clip(audio=None).make(tmp_path / "clip.mp4", "-g", "5").rename(tmp_path / INPUT)
    corrupt(tmp_path / INPUT, 0.3, 2000)
    _, rendered = await burn(program, tmp_path)
    assert rendered.frames < 4 * RATE
    (warning,) = rendered.warnings
    assert warning.code == "frames_damaged"
    damaged, total = map(int, re.findall(r"\d+", warning.message))
    assert damaged >= total - rendered.frames > 0, "lost ones, and some that were guessed in part"


async def test_a_longer_video_than_allowed_is_refused(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    with pytest.raises(JobError) as raised:
        await burn(program, tmp_path, max_duration=2.0)
    assert raised.value.code == "video_too_long"


def processes_in(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


ENDLESS = ["-re", "-f", "lavfi", "-i", "color=s=64x64", "-f", "null", "-"]


async def test_cancelling_kills_ffmpeg_at_once(program: Ffmpeg, tmp_path: Path) -> None:
    started = asyncio.Event()
    run = asyncio.create_task(
        program.run(ENDLESS, tmp_path, Limits(), on_progress=lambda position: started.set())
    )
    await started.wait()
    assert processes_in(tmp_path)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert processes_in(tmp_path) == []


async def test_a_run_that_takes_too_long_is_stopped(program: Ffmpeg, tmp_path: Path) -> None:
    with pytest.raises(JobError) as raised:
        await program.run(ENDLESS, tmp_path, Limits(seconds=1), on_progress=lambda position: None)
    assert raised.value.code == "render_timeout"
    assert processes_in(tmp_path) == []


async def test_a_run_that_stands_still_is_stopped(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.media.ffmpeg, "STALL_SECONDS", 0.5)
    stopped = False

    def stop(position: Position) -> None:
        nonlocal stopped
        if not stopped:
            os.kill(processes_in(tmp_path)[0], signal.SIGSTOP)
            stopped = True

    with pytest.raises(JobError) as raised:
        await program.run(ENDLESS, tmp_path, Limits(), on_progress=stop)
    assert (raised.value.code, raised.value.retry) == ("render_stalled", True)
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize(
    ("hours", "allowed"), [(0.01, 600 + 300 * 36), (3, 6 * 3600), (None, 6 * 3600)]
)
async def test_a_render_may_take_as_long_as_its_video_needs(
    program: Ffmpeg, tmp_path: Path, hours: float | None, allowed: float
) -> None:
    """Five minutes for a second, within what the settings allow; three hours get all of that."""
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    info = await probe(program, tmp_path, WIDTH * HEIGHT)
    info = replace(info, duration=hours and hours * 3600)
    assert render_limits(info, 4 * 3600, 6 * 3600).seconds == allowed


async def test_a_killed_ffmpeg_may_be_tried_again(program: Ffmpeg, tmp_path: Path) -> None:
    started = asyncio.Event()
    run = asyncio.create_task(
        program.run(ENDLESS, tmp_path, Limits(), on_progress=lambda position: started.set())
    )
    await started.wait()
    os.kill(processes_in(tmp_path)[0], signal.SIGKILL)
    with pytest.raises(JobError) as raised:
        await run
    assert (raised.value.code, raised.value.retry) == ("render_killed", True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child's life to its parent")
def test_ffmpeg_dies_with_its_worker(program: Ffmpeg, tmp_path: Path) -> None:
    script = f"""
import asyncio, pathlib
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.options import Options
folder = pathlib.Path({str(tmp_path)!r})
program = Ffmpeg(pathlib.Path({str(program.path)!r}), folder / "fonts.conf")
tell = lambda position: print("on", flush=True)
asyncio.run(program.run({ENDLESS!r}, folder, Limits(), on_progress=tell))
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        worker.stdout.readline()
        assert processes_in(tmp_path)
        worker.kill()
    eventually(lambda: not processes_in(tmp_path))


async def test_no_secret_reaches_ffmpeg(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_do_not_tell")
    started = asyncio.Event()
    run = asyncio.create_task(
        program.run(ENDLESS, tmp_path, Limits(), on_progress=lambda position: started.set())
    )
    await started.wait()
    environment = Path(f"/proc/{processes_in(tmp_path)[0]}/environ").read_bytes()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert b"sb_secret" not in environment


async def test_an_ffmpeg_that_cannot_burn_is_refused_with_the_reason(tmp_path: Path) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\necho no such filter: ass >&2\nexit 8\n")
    fake.chmod(0o755)
    with pytest.raises(ConfigurationError, match="no such filter: ass"):
        await Ffmpeg.find(fake, tmp_path)


async def test_without_any_font_the_program_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.media.fonts.FONT_PACKAGES", ())
    monkeypatch.setattr("worker.media.fonts.SYSTEM_FOLDERS", ())
    with pytest.raises(ConfigurationError, match="no font was found"):
        await Ffmpeg.find(None, tmp_path)
