"""What a job gives besides the burned picture: a soft track, files, another size."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest

from tests.clips import Clip, ffmpeg, gray_frames, packets_digest, shows_text
from worker.media.cues import Cue, Look, Span
from worker.media.encoder import QUALITIES, X264, Encoding
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.options import Options
from worker.media.picture import scaled_down
from worker.media.probe import INPUT, MediaInfo, probe
from worker.media.render import OUTPUT, SCRIPT, render
from worker.media.script.make import script_for
from worker.media.smart.burn import smart_burn
from worker.media.smart.plan import NotSmart
from worker.media.soft_track import add_soft_track, as_shown, iso_639_2
from worker.media.style import Style
from worker.media.subtitles import Subtitles

CUES = [
    Cue(1000, 2000, "Grüße & <Küsse>\nзвук", spans=(Span(0, 5, Look(italic=True)),)),
    Cue(3000, 9000, "字幕 {\\an8} مرحبا"),
    Cue(5_000_000, 5_001_000, "after the end"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Ffmpeg:
    return asyncio.run(Ffmpeg.find(None, tmp_path_factory.mktemp("ffmpeg")))


@pytest.mark.parametrize("audio", ["aac", None])
async def test_a_soft_track_stands_beside_an_untouched_picture(
    program: Ffmpeg, tmp_path: Path, audio: str | None
) -> None:
    Clip(audio=audio).make(tmp_path / OUTPUT)
    before = [packets_digest(tmp_path / OUTPUT, s) for s in ("0:v:0", *(["0:a:0"] * bool(audio)))]
    await add_soft_track(program, tmp_path, CUES, "de", 4.0)
    after = [packets_digest(tmp_path / OUTPUT, s) for s in ("0:v:0", *(["0:a:0"] * bool(audio)))]
    assert after == before

    listing = (await program.run(["-i", OUTPUT], tmp_path, Limits())).log
    assert re.search(r"\(deu\): Subtitle: mov_text .*\n", listing)
    assert not re.search(r"Subtitle: mov_text .*\(default\)", listing), "off until switched on"
    assert re.search(r"Duration: 00:00:04\.", listing), "a late cue does not make the video longer"
    data = (tmp_path / OUTPUT).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")

    soft = ffmpeg("-i", tmp_path / OUTPUT, "-map", "0:s:0", "-f", "webvtt", "pipe:1").decode()
    assert "00:01.000 --> 00:02.000\n<i>Grüße</i> & <Küsse>\nзвук" in soft
    assert "00:03.000 --> 00:04.000\n字幕 ｛＼an8｝ مرحبا" in soft
    assert "after the end" not in soft


@pytest.mark.parametrize(
    ("language", "code"),
    [("en", "eng"), ("pt-BR", "por"), ("zh-Hant-TW", "zho"), ("deu", "deu"), ("xx", "und"),
     (None, "und")],
)  # fmt: skip
def test_languages_have_the_three_letters_of_mp4(language: str | None, code: str) -> None:
    assert iso_639_2(language) == code


def test_files_beside_the_video_hold_what_is_seen_in_order() -> None:
    cues = [Cue(2000, 3000, "b"), Cue(1000, 2000, "a"), Cue(5, 4, "never"), Cue(0, 1, "")]
    assert [cue.text for cue in as_shown(cues)] == ["a", "b"]


async def scaled(program: Ffmpeg, folder: Path, most: int) -> MediaInfo:
    """Burn into a scaled output."""
    info = scaled_down(await probe(program, folder, 4000 * 4000), most)
    cues = Subtitles("srt", "utf-8", [Cue(1000, 2000, "Word")])
    options = Options(style=Style(size=15))
    (folder / SCRIPT).write_text(script_for(cues, options, info.display_width, info.display_height))
    encoding = Encoding(X264, QUALITIES["draft"], 2)
    await render(
        program, folder, info, encoding,
        max_duration=3600, max_seconds=100, on_progress=lambda share: None,
    )  # fmt: skip
    return info


@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [
        ("640x480", 240, (320, 240)),
        ("480x640", 240, (240, 320)),
        ("854x480", 360, (640, 360)),
        ("320x240", 480, (320, 240)),
        ("161x121", 100, (132, 100)),
    ],
)
async def test_a_video_is_scaled_down_on_its_shorter_side(
    program: Ffmpeg, tmp_path: Path, size: str, most: int, expected: tuple[int, int]
) -> None:
    clip = Clip(size=size, video=("-c:v", "ffv1", "-pix_fmt", "yuv444p"))
    clip.make(tmp_path / "clip.mkv").rename(tmp_path / INPUT)
    info = await scaled(program, tmp_path, most)
    assert (info.output_width, info.output_height) == expected
    frames = gray_frames(tmp_path / OUTPUT, *expected)
    assert set(np.flatnonzero(shows_text(frames))) == {*range(25, 50)}
    listing = (await program.run(["-i", OUTPUT], tmp_path, Limits())).log
    assert f"{expected[0]}x{expected[1]}" in listing
    assert "SAR" not in listing or "SAR 1:1" in listing


async def test_pixels_that_are_not_square_stay_so_when_scaled(
    program: Ffmpeg, tmp_path: Path
) -> None:
    Clip(size="320x480", filters="setsar=2").make(tmp_path / "c.mp4").rename(tmp_path / INPUT)
    info = await scaled(program, tmp_path, 240)
    assert (info.output_width, info.display_width, info.display_height) == (160, 320, 240)
    assert "DAR 4:3" in (await program.run(["-i", OUTPUT], tmp_path, Limits())).log


async def test_a_scaled_video_is_rendered_in_full(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    info = scaled_down(await probe(program, tmp_path, 4000 * 4000), 144)
    (tmp_path / SCRIPT).write_text("")
    encoding = Encoding(X264, QUALITIES["draft"], 2)
    with pytest.raises(NotSmart) as refused:
        await smart_burn(
            program, tmp_path, info, encoding, limit=1.0,
            max_duration=9, max_seconds=9, on_progress=lambda share: None,
        )  # fmt: skip
    assert refused.value.reason == "picture"
