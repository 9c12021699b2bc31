"""Files that break off, lie, bomb, or point elsewhere end in a code, soon, and reach nothing."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boxes import change
from tests.clips import ffmpeg
from tests.integration.test_videos import AAC, Kind
from tests.marks import SRT, X264, picture, sound
from tests.rendering import burn
from worker.errors import CATALOGUE, JobError
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import INPUT, MAX_STREAMS, probe
from worker.media.render import OUTPUT


async def code_of(program: Ffmpeg, folder: Path) -> str | None:
    """The code that a job on the input in ``folder`` fails with; None if it succeeds."""
    try:
        await burn(program, folder, SRT)
    except JobError as error:
        return error.code
    return None


def hls(target: str) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"


def dash(target: str) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT2S">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )


POINTERS: dict[str, Callable[[str], str]] = {
    "hls": hls,
    "dash": dash,
    "concat": lambda target: f"ffconcat version 1.0\nfile '{target}'\n",
    "sdp": lambda target: (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    ),
    "image sequence": lambda target: target,
}


@pytest.mark.parametrize("where", ["neighbour", "absolute", "network"])
@pytest.mark.parametrize("form", POINTERS)
async def test_what_points_elsewhere_is_no_video(
    program: Ffmpeg, tmp_path: Path, form: str, where: str
) -> None:
    job = tmp_path / "job"
    job.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        target = {
            "neighbour": "other.mp4",
            "absolute": str(tmp_path / "other.mp4"),
            "network": f"http://127.0.0.1:{server.getsockname()[1]}/other.mp4",
        }[where]
        for folder in (job, tmp_path):
            ffmpeg(*picture(), *X264, folder / "other.mp4")
        (job / INPUT).write_text(POINTERS[form](target))
        assert await code_of(program, job) == "invalid_video"
        with pytest.raises(BlockingIOError):
            server.accept()


def test_ffmpeg_would_have_followed_it(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    ffmpeg(*picture(), *X264, tmp_path / "other.mp4")
    (tmp_path / "x.mp4").write_text(POINTERS["concat"]("other.mp4"))
    ffmpeg("-i", "x.mp4", "-f", "null", "-", cwd=tmp_path)


@pytest.mark.parametrize(
    "kind",
    [
        Kind("x.mp4", [*X264, *AAC, "-movflags", "+faststart"]),
        Kind("index at the end.mp4", [*X264, *AAC]),
        Kind("fragments.mp4", [*X264, *AAC, "-movflags", "frag_keyframe+empty_moov", "-g", "10"]),
        Kind("x.mkv", [*X264, *AAC]),
        Kind("x.webm", ["-c:v", "libvpx", "-c:a", "libopus"]),
        Kind("x.avi", ["-c:v", "mjpeg", "-c:a", "pcm_s16le"]),
        Kind("x.mov", ["-c:v", "prores_ks", "-c:a", "pcm_s16le"]),
        Kind("x.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"]),
        Kind("x.flv", [*X264, *AAC, "-ar", "44100"]),
        Kind("x.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"]),
    ],
    ids=lambda kind: kind.name,
)
@pytest.mark.parametrize("share", [0.2, 0.6])
async def test_a_file_that_breaks_off_is_told_from_a_shorter_one(
    program: Ffmpeg, tmp_path: Path, kind: Kind, share: float
) -> None:
    """Where the container says in front how long it is. The parts of the others are whole."""
    noisy = "testsrc2=s=160x120:r=25:d=10,noise=alls=40:allf=t"
    kind.picture, kind.sound = ["-f", "lavfi", "-i", noisy], sound(10)
    data = kind.make(tmp_path).read_bytes()
    (tmp_path / INPUT).write_bytes(data[: int(len(data) * share)])
    expected = {"video_truncated", "invalid_video"}
    if kind.name in ("fragments.mp4", "x.ogv", "x.avi", "x.wmv"):
        expected.add("shorter")
    assert (await code_of(program, tmp_path) or "shorter") in expected


async def test_a_stream_without_its_beginning_is_a_damaged_video(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """The only keyframe is gone, so nothing says how large the picture is."""
    data = Kind("x.ts", [*X264, *AAC]).make(tmp_path).read_bytes()
    (tmp_path / INPUT).write_bytes(data[len(data) // 2 :])
    assert await code_of(program, tmp_path) == "invalid_video"


async def test_damage_at_the_beginning_does_not_hide_what_the_file_is(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """Each frame that can't be decoded is a line or two in ffmpeg's log, behind the listing."""
    damage = "noise=amount='if(lt(n,1400),1,1000000000)'"
    video = (*picture("320x180", seconds=56.2), "-c:v", "mpeg4", "-g", "1", "-bsf:v", damage)
    ffmpeg(*video, "-f", "avi", tmp_path / INPUT)
    info = await probe(program, tmp_path, 1 << 24)
    assert (info.container, info.video.codec, info.output_width) == ("avi", "mpeg4", 320)


@pytest.mark.parametrize(
    ("share", "outcome"), [(0.6, "video_truncated"), (0.93, "ends_early"), (1.0, None)]
)
async def test_the_end_of_a_short_video_is_missed_as_well(
    program: Ffmpeg, tmp_path: Path, share: float, outcome: str | None
) -> None:
    seconds = 6.0
    noisy = f"testsrc2=s=160x120:r=25:d={seconds},noise=alls=40:allf=t"
    kind = Kind("x.mkv", [*X264, *AAC], picture=["-f", "lavfi", "-i", noisy], sound=sound(seconds))
    data = kind.make(tmp_path).read_bytes()
    (tmp_path / INPUT).write_bytes(data[: int(len(data) * share)])
    try:
        _, rendered = await burn(program, tmp_path, SRT)
    except JobError as error:
        assert error.code == outcome
    else:
        assert [warning.code for warning in rendered.warnings] == ([outcome] if outcome else [])


async def test_the_last_frames_of_an_mp4_are_missed(program: Ffmpeg, tmp_path: Path) -> None:
    """Its index names each packet, so that even a tenth of a second is no matter of opinion."""
    noisy = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=3,noise=alls=40:allf=t"]
    kind = Kind("x.mp4", [*X264, *AAC, "-movflags", "+faststart"], picture=noisy, sound=sound(3))
    data = kind.make(tmp_path).read_bytes()
    (tmp_path / INPUT).write_bytes(data[: int(len(data) * 0.96)])
    _, rendered = await burn(program, tmp_path, SRT)
    assert "ends_early" in [warning.code for warning in rendered.warnings]


async def test_a_track_that_is_left_out_takes_no_pictures_with_it(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """Its index points behind the end of the file; there ffmpeg ends without a word."""
    (tmp_path / "s.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nx\n")
    clip = Kind("x.mp4", [*X264, *AAC]).make(tmp_path)
    both = ["-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text"]
    ffmpeg("-i", clip, "-i", tmp_path / "s.srt", *both, tmp_path / "y.mp4")
    data = bytearray((tmp_path / "y.mp4").read_bytes())
    first = data.rindex(b"stco") + 12  # behind the name, version, flags and count
    data[first : first + 4] = struct.pack(">I", len(data) + 1000)
    (tmp_path / INPUT).write_bytes(bytes(data))
    _, rendered = await burn(program, tmp_path, SRT)
    assert rendered.frames == 50


async def test_a_video_of_which_no_frame_is_left_is_damaged(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """Found by `make fuzz`: the end of a DVD's file, of which probing can make a picture."""
    data = bytes.fromhex(
        "000001ba2100010001a1a1ad00000000000cf6fa847e5e3be0e0e6c0c020000001e007dc393939393939"
        "3939393900037bb11100035f91000001b30a007823ffffe018000001b5148a00010000000001b8000800"
        "4000000100000ffff8000001b58ffff3418000037bb11100035f91000001b30a007823ffffe018000001"
        "b5140000000000000000ffe018000001b5140000000000000000000000004000000100000ffff800000f"
        "fff8000001b58ffff341800000010113f95529488b94a5222e529488b94a5222e529488b94a5222e5294"
        "88b94a5222e529488b94a522200000010213f95529488b94a5222e529488b9b94a5222e5"
    )
    (tmp_path / INPUT).write_bytes(data)
    assert await code_of(program, tmp_path) == "invalid_video"


@pytest.mark.parametrize("says", [600.0, 0.1])
async def test_a_header_that_lies_about_the_duration_loses_no_frame(
    program: Ffmpeg, tmp_path: Path, says: float
) -> None:
    data = Kind("x.mp4", [*X264, *AAC]).make(tmp_path).read_bytes()

    def lie(header: bytes) -> bytes:
        (timescale,) = struct.unpack_from(">I", header, 12)
        return header[:16] + struct.pack(">I", round(says * timescale)) + header[20:]

    (tmp_path / INPUT).write_bytes(change(data, "moov/mvhd", lie))
    _, rendered = await burn(program, tmp_path, SRT)
    assert rendered.frames == 50
    assert rendered.duration == pytest.approx(2, abs=0.1)


async def test_a_gap_of_a_day_does_not_make_a_video_of_a_day(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """Fifty frames, and between two of them 27 hours."""
    late = "setpts=PTS+gte(N\\,25)*100000/TB"
    ffmpeg(*picture(), "-vf", late, "-fps_mode", "passthrough", *X264, tmp_path / "x.mkv")
    (tmp_path / "x.mkv").rename(tmp_path / INPUT)
    assert await code_of(program, tmp_path) in ("video_too_long", "video_truncated")
    assert not (tmp_path / OUTPUT).exists() or (tmp_path / OUTPUT).stat().st_size < 1 << 20


async def test_a_picture_that_unfolds_to_gigabytes_is_refused_before_it_is_decoded(
    program: Ffmpeg, tmp_path: Path
) -> None:
    bomb = ["-f", "lavfi", "-i", "color=black:s=16000x16000:r=1:d=1,format=monob"]
    ffmpeg(*bomb, "-c:v", "png", "-f", "mov", tmp_path / INPUT)
    assert (tmp_path / INPUT).stat().st_size < 100_000
    with pytest.raises(JobError) as raised:
        await probe(program, tmp_path, 8192 * 4320)
    assert raised.value.code == "video_too_big"


async def test_a_crowd_of_tracks_is_refused(program: Ffmpeg, tmp_path: Path) -> None:
    maps = ["-map", "0:v", *["-map", "1:a"] * MAX_STREAMS]
    ffmpeg(*picture(), *sound(0.1), *maps, *X264, *AAC, "-f", "matroska", tmp_path / INPUT)
    assert await code_of(program, tmp_path) == "too_many_tracks"


@pytest.mark.parametrize("more", [[], ["-movflags", "frag_keyframe"]], ids=["whole", "fragments"])
async def test_encrypted_is_never_rendered(
    program: Ffmpeg, tmp_path: Path, more: list[str]
) -> None:
    """ffmpeg would: to garbage, with exit code 0."""
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0123456789abcdef" * 2]
    source = Kind("x.mp4", [*X264, *AAC, *key, "-encryption_kid", "0" * 32, *more]).make(tmp_path)
    source.rename(tmp_path / INPUT)
    assert await code_of(program, tmp_path) == "video_encrypted"


async def test_a_photo_is_no_video(program: Ffmpeg, tmp_path: Path) -> None:
    for name in ("x.png", "x.jpg", "x.gif", "x.webp"):
        ffmpeg(*picture(), "-frames:v", "1", "-update", "1", tmp_path / name)
        (tmp_path / name).rename(tmp_path / INPUT)
        assert await code_of(program, tmp_path) == "invalid_video"
    ffmpeg(
        *picture(), "-frames:v", "1", "-c:v", "libaom-av1", "-cpu-used", "8", tmp_path / "x.avif"
    )
    (tmp_path / "x.avif").rename(tmp_path / INPUT)
    assert await code_of(program, tmp_path) == "no_video_stream"


async def test_damaged_sound_that_can_not_be_copied_is_decoded(
    program: Ffmpeg, tmp_path: Path
) -> None:
    source = Kind("x.ts", [*X264, *AAC]).make(tmp_path)
    data = bytearray(source.read_bytes())
    at = data.index(b"\xff\xf1", len(data) // 2)  # an ADTS header
    data[at + 3 : at + 6] = b"\x00\x00\x00"
    (tmp_path / INPUT).write_bytes(bytes(data))
    _, rendered = await burn(program, tmp_path, SRT)
    assert rendered.frames == 50


async def test_a_file_whose_pictures_change_size_keeps_its_first(
    program: Ffmpeg, tmp_path: Path
) -> None:
    for name, size in (("a.ts", "160x120"), ("b.ts", "320x180")):
        ffmpeg(*picture(size), *X264, tmp_path / name)
    parts = [(tmp_path / name).read_bytes() for name in ("a.ts", "b.ts")]
    (tmp_path / INPUT).write_bytes(b"".join(parts))
    info, rendered = await burn(program, tmp_path, SRT)
    assert (info.output_width, info.output_height) == (160, 120)
    assert rendered.frames == 100


def test_no_sentence_for_the_user_has_room_for_a_path_or_program_output() -> None:
    values = {"detail", "log", "path", "error", "host", "stderr"}
    for problem in CATALOGUE.values():
        assert not values & {part.split("}")[0] for part in problem.message.split("{")[1:]}
