"""Videos as phones, cameras, editors and the web make them: what comes out is in sync and valid."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.boxes import change
from tests.clips import ffmpeg, gray_frames, shows_text
from tests.marks import (
    AT,
    CUE_END,
    RATE,
    SECONDS,
    SRT,
    X264,
    Marks,
    find_marks,
    listing,
    picture,
    sound,
)
from tests.rendering import burn
from worker.errors import JobError, JobWarning
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import INPUT
from worker.media.render import OUTPUT
from worker.media.style import Style

FRAME = 1 / RATE
NO_CUE = "00:00:09,000 --> 00:00:09,500\nlater\n"
X265 = ["-c:v", "libx265", "-x265-params", "log-level=0"]
AAC = ["-c:a", "aac"]
FIELDS = ["-vf", "interlace", "-flags", "+ildct+ilme"]
AMR = ["-c:a", "libopencore_amrnb", "-ar", "8000"]
ALPHA = ["-profile:v", "4444", "-pix_fmt", "yuva444p10le"]
FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov+default_base_moof", "-g", "10"]


@dataclass
class Kind:
    """How to make a clip with marks, and what becomes of its sound."""

    name: str
    codecs: list[str]
    result: str = "aac"
    picture: list[str] = field(default_factory=picture)
    sound: list[str] = field(default_factory=sound)
    frames: int = int(SECONDS * RATE)

    def make(self, folder: Path) -> Path:
        path = folder / self.name.split(" ")[-1]
        ffmpeg(*self.picture, *self.sound, *self.codecs, path)
        return path


KINDS = [
    Kind("x.mp4", [*X264, *AAC], "copied"),
    Kind("b-frames.mp4", ["-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", *AAC], "copied"),
    Kind("fragments.mp4", [*X264, *AAC, *FRAGMENTS], "copied"),
    Kind("x.mov", [*X264, "-c:a", "pcm_s16be"]),
    Kind("alac.mov", [*X264, "-c:a", "alac"]),
    Kind("x.mkv", [*X264, "-c:a", "flac"]),
    Kind("opus.mkv", [*X264, "-c:a", "libopus"]),
    Kind("vp8.webm", ["-c:v", "libvpx", "-c:a", "libvorbis"]),
    Kind("vp9.webm", ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"]),
    Kind("from a browser's recorder.webm", ["-c:v", "libvpx", "-c:a", "libopus", "-live", "1"]),
    Kind("av1.mp4", ["-c:v", "libsvtav1", "-preset", "12", *AAC], "copied"),
    Kind("hevc.mp4", [*X265, "-pix_fmt", "yuv420p", "-tag:v", "hvc1", *AAC], "copied"),
    Kind("hevc-10.mp4", [*X265, "-pix_fmt", "yuv420p10le", *AAC], "copied"),
    Kind("mpeg4.avi", ["-c:v", "mpeg4", "-c:a", "libmp3lame"], "copied"),
    Kind("mjpeg.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"]),
    Kind("x.ts", ["-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p", *AAC], "copied"),
    Kind("recorded at ten.ts", [*X264, *AAC, "-output_ts_offset", "36000"], "copied"),
    Kind("clock-wraps.ts", [*X264, *AAC, "-output_ts_offset", "95441.7"], "copied"),
    Kind("camera.mts", [*X264, "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"]),
    Kind("dvd.mpg", ["-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2"]),
    Kind("mpeg2.ts", ["-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2"]),
    Kind("x.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"]),
    Kind("x.flv", [*X264, *AAC, "-ar", "44100"], "copied"),
    Kind("sorenson.flv", ["-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"], "copied"),
    Kind("x.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"]),
    Kind("old-phone.3gp", ["-c:v", "h263", "-s", "176x144", *AMR]),
    Kind("prores.mov", ["-c:v", "prores_ks", "-c:a", "pcm_s24le"]),
    Kind("prores4444.mov", ["-c:v", "prores_ks", *ALPHA, *AAC], "copied"),
    Kind("animation.mov", ["-c:v", "qtrle", "-pix_fmt", "argb", *AAC], "copied"),
    Kind("444.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv444p", *AAC], "copied"),
    Kind("screen.mp4", ["-c:v", "libx264rgb", *AAC], "copied"),
    Kind("palette.mov", ["-c:v", "png", "-pix_fmt", "pal8", *AAC], "copied"),
    Kind("gray.mkv", ["-c:v", "ffv1", "-pix_fmt", "gray", *AAC], "copied"),
    Kind("bitmaps.avi", ["-c:v", "rawvideo", "-pix_fmt", "bgr24", "-c:a", "pcm_s16le"]),
    Kind("fields.mp4", [*FIELDS, *X264, *AAC], "copied", picture(rate="50")),
    Kind("fields.ts", [*FIELDS, "-c:v", "mpeg2video", "-c:a", "mp2"], "aac", picture(rate="50")),
    Kind("60.mp4", [*X264, *AAC], "copied", picture(rate="60"), frames=120),
    Kind("ntsc.mp4", [*X264, *AAC], "copied", picture(rate="30000/1001"), frames=60),
    Kind("starts at ten.mkv", [*X264, *AAC, "-output_ts_offset", "10"], "copied"),
    Kind("starts at ten.mp4", [*X264, *AAC, "-output_ts_offset", "10"], "copied"),
    Kind("surround.mkv", [*X264, "-c:a", "ac3"], "aac", sound=sound(layout="5.1")),
    Kind("surround.mp4", [*X264, *AAC], "copied", sound=sound(layout="5.1")),
    Kind("studio.mov", [*X264, "-c:a", "pcm_s24le"], "aac", sound=sound(rate=192000)),
    Kind("sound-goes-on.mp4", [*X264, *AAC], "copied", sound=sound(4)),
    Kind("sound-stops.mp4", [*X264, *AAC], "copied", sound=sound(1.2)),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_picture_sound_and_cue_stay_together(
    program: Ffmpeg, tmp_path: Path, kind: Kind
) -> None:
    kind.make(tmp_path).rename(tmp_path / INPUT)
    info, rendered = await burn(program, tmp_path, SRT, Style(size=20))
    assert rendered.warnings == []
    assert (rendered.frames, rendered.audio) == (kind.frames, kind.result)
    marks = find_marks(tmp_path / OUTPUT, info.output_width, info.output_height)
    assert marks.flash is not None
    assert marks.beep is not None
    assert marks.text is not None
    assert marks.beep == pytest.approx(marks.flash, abs=FRAME)
    assert marks.text == pytest.approx(
        (marks.flash, marks.flash + CUE_END - AT - FRAME), abs=FRAME + 0.001
    )
    assert_plays_everywhere(tmp_path / OUTPUT)


def assert_plays_everywhere(path: Path) -> None:
    """The index in front; 8-bit 4:2:0 in limited range and tagged; sound that players know."""
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    text = listing(path)
    assert re.search(r"Video: h264 .*yuv420p\(tv, (bt709|smpte170m|bt470bg)[,/]", text), text
    assert re.findall(r"Audio: (\w+)", text) in ([], ["aac"], ["mp3"])


CORNER = "drawbox=c=white:t=fill:w=40:h=40"  # at the top left, before it is turned
TURNS = {
    "0": ([], (160, 120), "top left"),
    "90": (["-display_rotation", "90"], (120, 160), "bottom left"),
    "180": (["-display_rotation", "180"], (160, 120), "bottom right"),
    "270": (["-display_rotation", "270"], (120, 160), "top right"),
    "mirrored": (["-display_hflip"], (160, 120), "top right"),
    "upside down": (["-display_vflip"], (160, 120), "bottom left"),
    "90, mirrored": (["-display_rotation", "90", "-display_hflip"], (120, 160), "bottom right"),
    "270, mirrored": (["-display_rotation", "270", "-display_hflip"], (120, 160), "top left"),
}


@pytest.mark.parametrize("turn", TURNS)
async def test_a_picture_is_turned_and_mirrored_as_the_file_says(
    program: Ffmpeg, tmp_path: Path, turn: str
) -> None:
    options, (width, height), place = TURNS[turn]
    flat = tmp_path / "flat.mp4"
    ffmpeg("-f", "lavfi", "-i", f"color=c=0x202020:s=160x120:d=0.4,{CORNER}", *X264, flat)
    ffmpeg(*options, "-i", flat, "-c", "copy", "-f", "mp4", tmp_path / INPUT)
    info, _ = await burn(program, tmp_path, NO_CUE)
    assert (info.display_width, info.display_height) == (width, height)
    frame = gray_frames(tmp_path / OUTPUT, width, height)[0]
    corners = {
        f"{vertical} {horizontal}": frame[y, x]
        for vertical, y in (("top", 10), ("bottom", height - 10))
        for horizontal, x in (("left", 10), ("right", width - 10))
    }
    assert [name for name, value in corners.items() if value > 150] == [place]
    assert "displaymatrix" not in listing(tmp_path / OUTPUT)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv422p", "gbrp"])
@pytest.mark.parametrize("transfer", ["unknown", "smpte2084"])
@pytest.mark.parametrize("size", ["161x121", "17x17", "3840x16"])
async def test_any_size_becomes_an_even_one(
    program: Ffmpeg, tmp_path: Path, size: str, pixel_format: str, transfer: str
) -> None:
    tagged = f"format={pixel_format},setparams=color_trc={transfer}"
    source = tmp_path / "x.mkv"
    ffmpeg("-f", "lavfi", "-i", f"color=gray:s={size}:d=0.2,{tagged}", "-c:v", "ffv1", source)
    source.rename(tmp_path / INPUT)
    width, height = (int(side) // 2 * 2 for side in size.split("x"))
    info, rendered = await burn(program, tmp_path, NO_CUE)
    assert (info.output_width, info.output_height, rendered.frames) == (width, height, 5)
    assert f", {width}x{height}" in listing(tmp_path / OUTPUT)


@pytest.mark.parametrize("aspect", ["1/100", "100"])
async def test_pixels_that_can_not_be_true_do_not_flatten_the_text(
    program: Ffmpeg, tmp_path: Path, aspect: str
) -> None:
    source = tmp_path / "x.mp4"
    ffmpeg(*picture(), "-vf", f"setsar={aspect}", *X264, source)
    source.rename(tmp_path / INPUT)
    _, marks = await burn_marks(program, tmp_path)
    assert marks.text is not None


async def test_fields_become_whole_pictures(program: Ffmpeg, tmp_path: Path) -> None:
    """Interlaced, a moving edge is a comb: neighbouring lines differ."""
    box = "color=c=0x202020:s=320x240:r=50:d=1[back];color=c=white:s=40x240:r=50:d=1[box];"
    moving = f"{box}[back][box]overlay=x='n*5':y=0:format=yuv420"
    source = tmp_path / "x.mp4"
    ffmpeg("-f", "lavfi", "-i", moving, *FIELDS, *X264, source)
    source.rename(tmp_path / INPUT)
    info, rendered = await burn(program, tmp_path, NO_CUE)
    assert info.video.interlaced
    assert rendered.frames == 25

    def comb(path: Path) -> float:
        frame = gray_frames(path, 320, 240)[12].astype(int)
        return float(np.abs(np.diff(frame, axis=0)).mean())

    assert comb(tmp_path / INPUT) > 3
    assert comb(tmp_path / OUTPUT) < 1


async def test_a_progressive_picture_is_left_alone(program: Ffmpeg, tmp_path: Path) -> None:
    KINDS[0].make(tmp_path).rename(tmp_path / INPUT)
    info, _ = await burn(program, tmp_path, NO_CUE)
    assert not info.video.interlaced


async def burn_marks(program: Ffmpeg, folder: Path) -> tuple[list[JobWarning], Marks]:
    info, rendered = await burn(program, folder, SRT, Style(size=20))
    marks = find_marks(folder / OUTPUT, info.output_width, info.output_height)
    return rendered.warnings, marks


def with_edits(path: Path, *edits: tuple[float, float]) -> bytes:
    """An MP4 whose tracks show these spans (start, duration) of theirs; start -1: nothing."""
    movie_timescale = 48000

    def elst(timescale: int, priming: int) -> bytes:
        entries = [
            struct.pack(
                ">IiI",
                round(length * movie_timescale),
                -1 if at < 0 else round(at * timescale) + priming,
                1 << 16,
            )
            for at, length in edits
        ]
        return struct.pack(">II", 0, len(entries)) + b"".join(entries)

    tracks = iter([elst(12800, 0), elst(48000, 1024)])
    return change(path.read_bytes(), "moov/trak/edts/elst", lambda old: next(tracks))


@pytest.mark.parametrize(
    ("edits", "flash", "frames"),
    [
        ([(-1, 0.4), (0, 2)], 1.0, 50),
        ([(0.4, 1.6)], 0.6, 40),
        ([(-1, 0.4), (0.4, 1.6)], 0.6, 40),
        ([(-1, 5), (0.8, 1.2)], 0.2, 30),
        ([(0, 0.4), (0.8, 1.2)], 0.6, 40),
    ],
    ids=["shifted", "trimmed", "trimmed and shifted", "both by much", "cut in the middle"],
)
async def test_edit_lists_are_followed(
    program: Ffmpeg, tmp_path: Path, edits: list[tuple[float, float]], flash: float, frames: int
) -> None:
    source = Kind("x.mp4", [*X264, "-g", "10", *AAC]).make(tmp_path)
    (tmp_path / INPUT).write_bytes(with_edits(source, *edits))
    warnings, marks = await burn_marks(program, tmp_path)
    assert warnings == []
    assert marks.flash == pytest.approx(flash, abs=FRAME)
    assert marks.beep == pytest.approx(flash, abs=FRAME)
    assert marks.text is not None
    assert marks.text[0] == pytest.approx(AT, abs=FRAME), (
        "a cue's time is the file's, not its track's"
    )
    assert len(marks.times) == frames


def two_sounds(folder: Path) -> Path:
    """A video whose second sound track, the default, is silent."""
    silence = ["-f", "lavfi", "-i", f"anullsrc=d={SECONDS}"]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-disposition:a:1", "default"]
    path = folder / "x.mkv"
    ffmpeg(*picture(), *sound(), *silence, *maps, "-disposition:a:0", "0", *X264, *AAC, path)
    return path


async def test_the_default_sound_track_is_used(program: Ffmpeg, tmp_path: Path) -> None:
    two_sounds(tmp_path).rename(tmp_path / INPUT)
    info, _ = await burn(program, tmp_path, SRT)
    assert info.audio
    assert (info.audio.number, info.audio_streams) == (2, 2)
    assert find_marks(tmp_path / OUTPUT, 160, 120).beep is None


async def test_or_the_one_that_was_asked_for(program: Ffmpeg, tmp_path: Path) -> None:
    two_sounds(tmp_path).rename(tmp_path / INPUT)
    await burn(program, tmp_path, SRT, audio_track=1)
    assert find_marks(tmp_path / OUTPUT, 160, 120).beep == pytest.approx(AT, abs=FRAME)


async def test_a_sound_track_that_is_not_there_is_an_error(program: Ffmpeg, tmp_path: Path) -> None:
    two_sounds(tmp_path).rename(tmp_path / INPUT)
    with pytest.raises(JobError) as raised:
        await burn(program, tmp_path, SRT, audio_track=3)
    assert raised.value.code == "audio_track_missing"


async def test_sound_that_nothing_can_decode_is_left_out(program: Ffmpeg, tmp_path: Path) -> None:
    data = KINDS[0].make(tmp_path).read_bytes().replace(b"mp4a", b"ac-4").replace(b"esds", b"free")
    (tmp_path / INPUT).write_bytes(data)
    info, rendered = await burn(program, tmp_path, SRT)
    assert (info.audio, info.audio_streams, rendered.audio) == (None, 1, "none")


async def test_sound_that_breaks_off_is_named(program: Ffmpeg, tmp_path: Path) -> None:
    """Its packets are there, but are rubbish."""
    source = Kind("x.mkv", [*X264, "-c:a", "flac"]).make(tmp_path)
    ffmpeg(
        "-i", source, "-c", "copy", "-bsf:a", "noise=amount='gt(n,20)*1'", "-f", "matroska",
        tmp_path / INPUT,
    )  # fmt: skip
    _, rendered = await burn(program, tmp_path, SRT)
    assert [warning.code for warning in rendered.warnings] == ["audio_damaged"]


async def test_what_else_is_in_a_file_stays_outside(program: Ffmpeg, tmp_path: Path) -> None:
    """Subtitles, a time code track, chapters, attachments, a cover, a place."""
    clip = KINDS[0].make(tmp_path)
    (tmp_path / "s.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nSECRET\n")
    (tmp_path / "m.txt").write_text(
        ";FFMETADATA1\ntitle=SECRET\nlocation=+52.5+13.4/\n"
        "[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=SECRET\n"
    )
    ffmpeg(
        *("-i", clip, "-i", tmp_path / "s.srt", "-i", tmp_path / "m.txt"),
        *("-map", "0", "-map", "1", "-map_metadata", "2", "-map_chapters", "2", "-c", "copy"),
        *("-c:s", "mov_text", "-timecode", "01:00:00:00", "-metadata:s:v", "title=SECRET"),
        *("-f", "mov", tmp_path / INPUT),
    )
    assert "tmcd" in listing(tmp_path / INPUT)
    warnings, marks = await burn_marks(program, tmp_path)
    assert warnings == []
    assert marks.flash == pytest.approx(AT, abs=FRAME)
    data = (tmp_path / OUTPUT).read_bytes()
    assert b"SECRET" not in data
    assert b"+52.5" not in data
    assert len(re.findall(r"Stream #", listing(tmp_path / OUTPUT))) == 2
    assert "Chapter" not in listing(tmp_path / OUTPUT)


async def test_a_picture_that_begins_later_than_the_sound_begins_as_late(
    program: Ffmpeg, tmp_path: Path
) -> None:
    ffmpeg(
        *picture(), *sound(), "-vf", "setpts=PTS+0.6/TB", *X264, *AAC, tmp_path / "x.mp4"
    )  # fmt: skip
    (tmp_path / "x.mp4").rename(tmp_path / INPUT)
    _, marks = await burn_marks(program, tmp_path)
    assert (marks.times[0], marks.flash) == pytest.approx((0.6, 1.6), abs=0.001)
    assert marks.beep == pytest.approx(1.0, abs=0.001)


async def test_a_gap_stays_a_gap(program: Ffmpeg, tmp_path: Path) -> None:
    """Thirty seconds without a picture; sound and cues go on."""
    late = "setpts=PTS+gte(PTS*TB\\,0.5)*30/TB"
    ffmpeg(*picture(), *sound(33), "-vf", late, "-fps_mode", "vfr", *X264, *AAC, tmp_path / "x.mkv")
    (tmp_path / "x.mkv").rename(tmp_path / INPUT)
    info, rendered = await burn(program, tmp_path, "00:31.0 --> 00:31.5\nWord\n", Style(size=20))
    marks = find_marks(tmp_path / OUTPUT, info.output_width, info.output_height)
    assert rendered.frames == 50
    assert marks.flash == pytest.approx(31, abs=FRAME)
    assert marks.text is not None
    assert marks.text[0] == pytest.approx(31, abs=FRAME)


async def test_an_avi_may_repeat_pictures(program: Ffmpeg, tmp_path: Path) -> None:
    """By packets without bytes: no frames, and no damage."""
    codecs = ["-c:v", "msmpeg4", "-c:a", "wmav2"]
    Kind("x.avi", codecs).make(tmp_path).rename(tmp_path / INPUT)
    packets = ["-map", "0:v", "-c", "copy", "-f", "framecrc", "pipe:1"]
    assert b", 0x00000000" in ffmpeg("-i", tmp_path / INPUT, *packets)
    _, rendered = await burn(program, tmp_path, SRT)
    assert (rendered.frames, rendered.warnings) == (50, [])


@pytest.mark.parametrize("name", ["x.mkv", "x.mp4"])
async def test_a_gap_before_the_last_pictures_does_not_make_the_video_longer(
    program: Ffmpeg, tmp_path: Path, name: str
) -> None:
    """In MP4 the packet of the last picture, decoded before its neighbours, seems to last as long
    as the gap."""
    late = "setpts=PTS+gte(N\\,45)*5/TB"
    reordered = ["-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p"]
    ffmpeg(*picture(), "-vf", late, "-fps_mode", "vfr", *reordered, tmp_path / name)
    (tmp_path / name).rename(tmp_path / INPUT)
    _, rendered = await burn(program, tmp_path, NO_CUE)
    assert (rendered.frames, rendered.warnings) == (50, [])
    assert rendered.duration == pytest.approx(7, abs=FRAME)


async def test_one_frame_is_a_video(program: Ffmpeg, tmp_path: Path) -> None:
    ffmpeg(*picture(), *sound(), "-vf", "trim=end_frame=1", *X264, *AAC, tmp_path / "x.mp4")
    (tmp_path / "x.mp4").rename(tmp_path / INPUT)
    _, rendered = await burn(program, tmp_path, "00:00.0 --> 00:00.5\nWord\n", Style(size=20))
    assert rendered.frames == 1
    assert rendered.duration == pytest.approx(SECONDS, abs=0.1)
    assert shows_text(gray_frames(tmp_path / OUTPUT, 160, 120)).all()
