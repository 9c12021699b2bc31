"""The smart burn on real ffmpeg: what is copied, what is new, and when it is left alone.

Frame counts and copies can be right while the new frames are a frame or two off, or subtitles come
and go a frame late. So every new frame is compared with the source's outside the text, and the
frames that show text with those of a full burn.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

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
from tests.corpus.bench import Bench
from tests.integration.test_render import ENDLESS, X265, processes_in
from tests.integration.test_videos import with_edits
from tests.rendering import MAX_PIXELS
from worker.errors import JobError
from worker.media.burn import Way, burn
from worker.media.encoder import QUALITIES, X264, Encoding
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.probe import INPUT, MediaInfo, probe
from worker.media.render import OUTPUT, SCRIPT, Rendered
from worker.media.script.ass import write_script
from worker.media.style import Style
from worker.media.subtitles import read_subtitles
from worker.workspace import Workspace

SECONDS = 12
SRT = (
    "00:00:02,520 --> 00:00:03,000\nWord\n\n"
    "00:00:06,000 --> 00:00:06,520\nWort\n\n"
    "00:00:10,960 --> 00:00:11,480\nWord\n"
)
GOP = ("-g", str(2 * RATE))
CLIP = Clip(SECONDS, video=("-c:v", "libx264", "-preset", "veryfast", *GOP))


def x264(*options: str) -> Clip:
    return replace(CLIP, video=(*CLIP.video, *options))


async def burn_clip(
    program: Ffmpeg,
    folder: Path,
    way: Way,
    subtitles: str = SRT,
    encoding: Encoding | None = None,
) -> tuple[MediaInfo, Rendered]:
    """Burn ``folder / INPUT``; the subtitles stand in the lower half."""
    info = await probe(program, folder, MAX_PIXELS)
    cues = read_subtitles(subtitles.encode()).cues
    script = write_script(cues, Style(size=15), info.display_width, info.display_height)
    (folder / SCRIPT).write_text(script)
    rendered = await burn(
        program,
        folder,
        info,
        encoding or Encoding(X264, QUALITIES["standard"], threads=2),
        way,
        max_duration=60,
        max_seconds=60,
        on_progress=lambda share: None,
    )
    return info, rendered


def frame_digests(path: Path) -> list[str]:
    """A digest of every decoded frame, as it is coded."""
    lines = ffmpeg(
        "-noautorotate", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough",
        "-f", "framemd5", "-",
    ).decode()  # fmt: skip
    return [line.split(",")[-1].strip() for line in lines.splitlines() if line[0] != "#"]


async def assert_smart_is_right(program: Ffmpeg, folder: Path) -> Rendered:
    """Burn both ways; hold the smart one against the source and the full one."""
    source, full, smart = folder / INPUT, folder / "full.mp4", folder / "smart.mp4"
    info, whole = await burn_clip(program, folder, "full")
    (folder / OUTPUT).rename(full)
    _, rendered = await burn_clip(program, folder, "smart")
    (folder / OUTPUT).rename(smart)
    assert (rendered.mode, rendered.reason) == ("smart", None)
    assert 0.1 < rendered.encoded_share < 0.7
    assert rendered.frames == whole.frames

    decode = ["-v", "warning", "-i", smart.name, "-f", "null", "-"]
    listing = await program.run(decode, folder, Limits())
    assert listing.log == "", "nothing in it is odd to a decoder"
    assert frame_times(smart) == pytest.approx(frame_times(full), abs=2e-3)
    before, after = frame_digests(source), frame_digests(smart)
    copied = np.array([old == new for old, new in zip(before, after, strict=True)])
    assert 1 - copied.mean() <= rendered.encoded_share + 1e-9, "the rest is bit for bit the same"

    size = info.output_width, info.output_height
    old, new, burned = (gray_frames(path, *size) for path in (source, smart, full))
    assert (shows_text(new) == shows_text(burned)).all(), "text comes and goes as in a full burn"
    assert shows_text(new).sum() == shows_text(new[:, new.shape[1] // 2 :]).sum() == 38
    plain = np.flatnonzero(~shows_text(new))[:-1]
    distance = np.abs(old[plain].astype(int) - new[plain]).mean(axis=(1, 2))
    to_next = np.abs(old[plain + 1].astype(int) - new[plain]).mean(axis=(1, 2))
    assert distance.max() < 1.0
    assert (distance < to_next).all(), "a shift by one frame would show"
    return rendered


@pytest.mark.parametrize(
    "clip",
    [
        x264("-bf", "0"),
        x264("-bf", "1"),
        x264("-bf", "3"),
        x264("-bf", "8", "-refs", "5", "-b_strategy", "2"),
        x264("-profile:v", "baseline"),
        x264("-profile:v", "main", "-slices", "4"),
        x264("-x264-params", "sps-id=3"),
        x264("-x264-params", "scenecut=0:keyint=60:min-keyint=60:aud=1"),
        replace(CLIP, audio=None),
        replace(CLIP, rate=25, filters="setsar=4/3"),
        x264("-color_range", "pc", "-colorspace", "bt709", "-color_primaries", "bt709"),
    ],
    ids=[
        "no B-frames", "one B-frame", "B-frames", "many B-frames", "baseline", "slices",
        "another parameter set", "delimiters", "no sound", "pixels not square", "full range",
    ],
)  # fmt: skip
async def test_only_frames_with_text_are_new_and_all_else_is_as_it_was(
    program: Ffmpeg, tmp_path: Path, clip: Clip
) -> None:
    clip.make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    rendered = await assert_smart_is_right(program, tmp_path)
    if clip.audio:
        assert rendered.audio == "copied"
        assert packets_digest(tmp_path / "smart.mp4", "0:a:0") == packets_digest(
            tmp_path / INPUT, "0:a:0"
        )


@pytest.mark.parametrize(
    ("name", "audio", "result"),
    [
        ("x.mov", "aac", "copied"),
        ("x.mov", "pcm_s16le", "aac"),
        ("x.mkv", "aac", "copied"),
        ("x.mkv", "flac", "aac"),
        ("x.mkv", "libmp3lame", "copied"),
    ],
)
async def test_mov_and_mkv_become_mp4(
    program: Ffmpeg, tmp_path: Path, name: str, audio: str, result: str
) -> None:
    replace(CLIP, audio=audio).make(tmp_path / name).rename(tmp_path / INPUT)
    rendered = await assert_smart_is_right(program, tmp_path)
    assert rendered.audio == result


async def test_a_variable_frame_rate_keeps_its_times(program: Ffmpeg, tmp_path: Path) -> None:
    clip = replace(CLIP, filters="select='not(between(n,20,29))*not(between(n,163,165))'")
    clip.make(tmp_path / "clip.mp4", "-fps_mode", "vfr").rename(tmp_path / INPUT)
    await assert_smart_is_right(program, tmp_path)


@pytest.mark.parametrize("degrees", [90, 180, 270])
async def test_text_is_upright_in_a_video_that_players_turn(
    program: Ffmpeg, tmp_path: Path, degrees: int
) -> None:
    CLIP.make(tmp_path / "clip.mp4")
    ffmpeg(
        "-display_rotation", str(degrees), "-i", tmp_path / "clip.mp4", "-c", "copy", "-f", "mp4",
        tmp_path / INPUT,
    )  # fmt: skip
    await assert_smart_is_right(program, tmp_path)


async def test_a_file_in_fragments_is_cut_like_any_other(program: Ffmpeg, tmp_path: Path) -> None:
    CLIP.make(tmp_path / "clip.mp4", "-movflags", "frag_keyframe+empty_moov").rename(
        tmp_path / INPUT
    )
    await assert_smart_is_right(program, tmp_path)


async def test_the_result_starts_at_once_and_holds_both_parameter_sets(
    program: Ffmpeg, tmp_path: Path
) -> None:
    CLIP.make(tmp_path / "clip.mp4", "-metadata", "title=secret").rename(tmp_path / INPUT)
    await burn_clip(program, tmp_path, "smart")
    data = (tmp_path / OUTPUT).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"secret" not in data
    config = data[data.index(b"avcC") + 4 :]
    assert config[5] & 31 == 2
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {INPUT, OUTPUT, SCRIPT}, "nothing in between is left to fill the disk"


def open_gops(path: Path) -> None:
    x264("-x264-params", "open-gop=1:scenecut=0").make(path)


def two_sizes(path: Path) -> None:
    """One file, two parameter sets: in the stream, as a switching camera writes them."""
    for name, size in (("a.ts", "320x240"), ("b.ts", "160x120")):
        replace(CLIP, seconds=6, size=size).make(path.with_name(name))
    joined = path.with_name("a.ts").read_bytes() + path.with_name("b.ts").read_bytes()
    path.with_name("ab.ts").write_bytes(joined)
    ffmpeg("-i", path.with_name("ab.ts"), "-c", "copy", "-bsf:a", "aac_adtstoasc", path)


def trimmed(path: Path) -> None:
    CLIP.make(path.with_name("whole.mp4"))
    ffmpeg("-ss", "1.1", "-i", path.with_name("whole.mp4"), "-c", "copy", path)


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (replace(CLIP, video=X265).make, "c.mp4", "codec"),
        (x264("-pix_fmt", "yuv420p10le").make, "c.mp4", "codec"),
        (x264("-pix_fmt", "yuv422p").make, "c.mp4", "codec"),
        (x264("-flags", "+ildct+ilme").make, "c.mp4", "interlaced"),
        (CLIP.make, "c.ts", "container"),
        (two_sizes, "c.mp4", "parameter_sets"),
        (trimmed, "c.mp4", "edit_list"),
        (open_gops, "c.mp4", "not_worth_it"),
    ],
    ids=["HEVC", "10 bits", "4:2:2", "interlaced", "TS", "two sizes", "edit list", "open GOPs"],
)  # fmt: skip
async def test_what_does_not_qualify_is_burned_in_full_and_says_why(
    program: Ffmpeg, tmp_path: Path, make: object, name: str, reason: str
) -> None:
    assert callable(make)
    make(tmp_path / name)
    (tmp_path / name).rename(tmp_path / INPUT)
    early = "00:00:00,200 --> 00:00:00,600\nWord\n\n" + SRT
    _, rendered = await burn_clip(program, tmp_path, "auto", early)
    assert (rendered.mode, rendered.reason, rendered.encoded_share) == ("full", reason, 1.0)
    assert shows_text(gray_frames(tmp_path / OUTPUT, WIDTH, HEIGHT)).any()


@pytest.mark.parametrize(
    ("edits", "way"),
    [
        ([(0, 12)], ("smart", None)),
        ([(-1, 0.7), (0, 12)], ("smart", None)),
        ([(0, 6)], ("full", "edit_list")),
        ([(2, 8)], ("full", "edit_list")),
        ([(0, 4), (6, 5)], ("full", "edit_list")),
        ([(0, 4), (-1, 1), (4, 7)], ("full", "edit_list")),
        ([(4, 4), (0, 8)], ("full", "edit_list")),
    ],
    ids=["all", "shifted", "no end", "no beginning", "no middle", "a pause", "in another order"],
)
async def test_an_edit_list_may_shift_a_video_and_not_cut_it_and_the_row_says_so(
    program: Ffmpeg,
    tmp_path: Path,
    edits: list[tuple[float, float]],
    way: tuple[str, str | None],
) -> None:
    edited = with_edits(CLIP.make(tmp_path / "clip.mp4"), *edits)
    (tmp_path / INPUT).write_bytes(edited)
    if way[0] == "smart":
        await assert_smart_is_right(program, tmp_path)
    source, subtitles = tmp_path / "edited.mp4", tmp_path / "cues.srt"
    source.write_bytes(edited)
    subtitles.write_text(SRT)
    workspace = Workspace(tmp_path / "work", "bench")
    bench = Bench(tmp_path, program, workspace, 60, None)
    info = (await bench.run(source, subtitles, render="smart")).info
    workspace.close()
    assert (info["render"]["mode"], info["render"]["reason"]) == way


async def test_auto_burns_in_full_where_copying_saves_nothing(
    program: Ffmpeg, tmp_path: Path
) -> None:
    CLIP.make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    dense = "".join(f"00:00:{s:02},100 --> 00:00:{s:02},300\nx\n\n" for s in range(12))
    _, rendered = await burn_clip(program, tmp_path, "auto", dense)
    assert (rendered.mode, rendered.reason) == ("full", "not_worth_it")
    _, rendered = await burn_clip(program, tmp_path, "smart", dense)
    assert rendered.mode == "smart", "who asks for it gets it all the same"
    _, rendered = await burn_clip(program, tmp_path, "auto", "00:00:30,000 --> 00:00:31,000\nx\n")
    assert (rendered.mode, rendered.reason) == ("full", "no_subtitles")


async def test_what_the_source_has_no_room_for_fails_a_check_and_is_burned_in_full(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the encoder reorders frames although the source does not."""
    x264("-bf", "0").make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    monkeypatch.setattr(
        "worker.media.smart.burn._x264_params", lambda quality, verdict: "sps-id=1:bframes=3"
    )
    _, rendered = await burn_clip(program, tmp_path, "smart")
    assert (rendered.mode, rendered.reason) == ("full", "failed")


async def test_new_frames_under_the_old_ones_parameter_set_fail_a_check(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x264("-bf", "0").make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    monkeypatch.setattr(
        "worker.media.smart.burn._x264_params", lambda quality, verdict: "bframes=0"
    )
    _, rendered = await burn_clip(program, tmp_path, "smart")
    assert (rendered.mode, rendered.reason) == ("full", "failed")


async def test_without_room_for_what_lies_in_between_it_is_burned_in_full(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CLIP.make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)

    async def fill(*given: object, **more: object) -> None:
        raise JobError("disk_full")

    monkeypatch.setattr("worker.media.burn.smart_burn", fill)
    _, rendered = await burn_clip(program, tmp_path, "smart")
    assert (rendered.mode, rendered.reason) == ("full", "disk")


async def test_a_truncated_video_is_no_reason_to_burn_it_in_full(
    program: Ffmpeg, tmp_path: Path
) -> None:
    data = CLIP.make(tmp_path / "clip.mp4", "-movflags", "+faststart").read_bytes()
    (tmp_path / INPUT).write_bytes(data[: len(data) // 2])
    with pytest.raises(JobError) as raised:
        await burn_clip(program, tmp_path, "smart")
    assert raised.value.code == "video_truncated"


async def test_an_encoder_that_ends_with_an_error_leads_to_a_full_burn(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CLIP.make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    monkeypatch.setattr(
        "worker.media.smart.burn._burn_arguments", lambda *given: ["-i", "file:absent.mp4"]
    )
    _, rendered = await burn_clip(program, tmp_path, "smart")
    assert (rendered.mode, rendered.reason) == ("full", "failed")


async def test_cancelling_ends_the_encoder_and_what_starts_up_beside_it(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CLIP.make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    monkeypatch.setattr("worker.media.smart.burn._burn_arguments", lambda *given: ENDLESS)
    run = asyncio.create_task(burn_clip(program, tmp_path, "smart"))
    async with asyncio.timeout(60):
        while not {ENDLESS[-1], "merge"} <= last_words(tmp_path):
            await asyncio.sleep(0.02)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert processes_in(tmp_path) == []


def last_words(folder: Path) -> set[str]:
    """The last word of the command line of each process that works there."""
    found = set()
    for process in processes_in(folder):
        with suppress(OSError):  # it has just ended
            command = Path(f"/proc/{process}/cmdline").read_text()
            found.add(command.rstrip("\0").rpartition("\0")[2])
    return found
