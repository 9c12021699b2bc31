"""Colours come through whatever way a file has of writing them down."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.boxes import box, change
from tests.clips import ffmpeg
from tests.marks import listing
from tests.rendering import burn
from worker.errors import JobError
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import INPUT
from worker.media.render import OUTPUT

RGB = [(200, 40, 40), (40, 180, 60), (40, 60, 200), (128, 128, 128)]
NO_CUE = "00:00:09,000 --> 00:00:09,500\nlater\n"


def bars(width: int, height: int, filters: str, alpha: str = "") -> list[str]:
    """Four bars of known RGB colours, through ``filters``."""
    sources = [
        f"color=c=#{r:02x}{g:02x}{b:02x}{alpha}:s={width // 4}x{height}:d=0.2,format=gbrap[{i}]"
        for i, (r, g, b) in enumerate(RGB)
    ]
    graph = ";".join([*sources, f"[0][1][2][3]hstack=4,{filters}"])
    return ["-f", "lavfi", "-i", graph]


def colors(path: Path, width: int, height: int) -> list[tuple[int, ...]]:
    """The bars' colours in a result, as its tags say."""
    raw = ffmpeg(
        "-i", path, "-frames:v", "1", "-vf", "zscale=matrix=gbr:range=full,format=gbrp",
        "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1",
    )  # fmt: skip
    frame = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
    centers = [frame[height // 2, width * (2 * i + 1) // 8] for i in range(4)]
    return [tuple(int(value) for value in center) for center in centers]


def yuv(matrix: str, pixel_format: str = "yuv420p", range_: str = "limited", more: str = "") -> str:
    return f"format=gbrp,zscale=matrix={matrix}:range={range_}{more},format={pixel_format}"


UNTAGGED = ",setparams=colorspace=unknown:color_primaries=unknown:color_trc=unknown:range=unknown"
X264 = ["-c:v", "libx264", "-crf", "1"]
FFV1 = ["-c:v", "ffv1"]
SMPTE240M = "scale=out_color_matrix=smpte240m:out_range=tv,format=yuv444p"
MJPEG = ["-c:v", "mjpeg", "-q:v", "1"]
WIDE = yuv("2020_ncl", "yuv420p10le", more=":primaries=2020:transfer=2020_10:pin=709:tin=709")
SMALL, HD = (320, 180), (1280, 720)


@pytest.mark.parametrize(
    ("name", "size", "filters", "codec", "tag"),
    [
        ("x.mp4", SMALL, yuv("709"), X264, "bt709"),
        ("x.mp4", SMALL, yuv("170m"), X264, "smpte170m"),
        ("x.mp4", SMALL, yuv("470bg"), X264, "bt470bg"),
        ("x.mp4", SMALL, yuv("170m") + UNTAGGED, X264, "smpte170m"),
        ("x.mp4", HD, yuv("709") + UNTAGGED, X264, "bt709"),
        ("x.mp4", SMALL, yuv("709", range_="full"), X264, "bt709"),
        ("x.mp4", SMALL, yuv("170m", range_="full"), X264, "smpte170m"),
        ("x.avi", SMALL, yuv("470bg", "yuvj420p", "full"), MJPEG, "bt470bg"),
        ("x.mp4", SMALL, yuv("709", "yuv444p"), X264, "bt709"),
        ("x.mp4", SMALL, yuv("709", "yuv420p10le"), X264, "bt709"),
        ("x.mkv", SMALL, yuv("709", "yuv422p12le"), FFV1, "bt709"),
        ("x.mkv", SMALL, SMPTE240M, FFV1, "bt709"),
        ("x.mkv", SMALL, yuv("ycgco", "yuv444p"), FFV1, "bt709"),
        ("x.mp4", SMALL, "format=gbrp", ["-c:v", "libx264rgb", "-crf", "1"], "bt709"),
        ("x.mkv", SMALL, "format=gbrp10le", FFV1, "bt709"),
        ("x.mov", SMALL, "format=rgb24", ["-c:v", "qtrle"], "bt709"),
        ("x.avi", SMALL, "format=bgr24", ["-c:v", "rawvideo"], "bt709"),
        ("x.mov", SMALL, "format=rgb24", ["-c:v", "png"], "bt709"),
        ("x.mkv", SMALL, WIDE, FFV1, "bt709"),
        ("x.webm", SMALL, "format=gbrp", ["-c:v", "libvpx-vp9", "-lossless", "1"], "bt709"),
    ],
)  # fmt: skip
async def test_colors_stay_what_they_are(
    program: Ffmpeg,
    tmp_path: Path,
    name: str,
    size: tuple[int, int],
    filters: str,
    codec: list[str],
    tag: str,
) -> None:
    source = tmp_path / name
    ffmpeg(*bars(*size, filters), *codec, source)
    source.rename(tmp_path / INPUT)
    await burn(program, tmp_path, NO_CUE)
    assert f"yuv420p(tv, {tag}" in listing(tmp_path / OUTPUT)
    result = colors(tmp_path / OUTPUT, *size)
    assert np.abs(np.subtract(result, RGB)).max() <= 6, result


def hdr(transfer: str) -> str:
    """The bars in HDR, their white at 203 nits."""
    return (
        "format=gbrpf32le,"
        "setparams=colorspace=gbr:color_primaries=bt709:color_trc=bt709:range=pc,"
        f"zscale=p=2020:t={transfer}:m=2020_ncl:r=limited:npl=203,format=yuv420p10le"
    )


X265 = ["-c:v", "libx265", "-x265-params", "log-level=0:crf=4", "-tag:v", "hvc1"]
NO_TRANSFER = ",setparams=color_trc=unknown"


def dolby_vision(profile: int, compatibility: int) -> bytes:
    """The box that says so."""
    flags = (profile << 9) | (6 << 3) | 0b101  # level 6; RPU and base layer are there
    record = struct.pack(">BBHI", 1, 0, flags, compatibility << 28) + bytes(16)
    return box(b"dvcC" if profile < 8 else b"dvvC", record)


@pytest.mark.parametrize(
    ("filters", "more"),
    [
        (hdr("smpte2084"), b""),
        (hdr("arib-std-b67"), b""),
        (hdr("smpte2084"), dolby_vision(8, 1)),
        (hdr("arib-std-b67") + NO_TRANSFER, dolby_vision(8, 4)),
    ],
    ids=["PQ", "HLG", "Dolby Vision 8.1", "Dolby Vision 8.4 that says no more"],
)
async def test_hdr_becomes_sdr_that_looks_the_same(
    program: Ffmpeg, tmp_path: Path, filters: str, more: bytes
) -> None:
    ffmpeg(*bars(*SMALL, filters), *X265, tmp_path / "x.mp4")
    data = (tmp_path / "x.mp4").read_bytes()
    marked = change(data, "moov/trak/mdia/minf/stbl/stsd/hvc1", lambda entry: entry + more)
    (tmp_path / INPUT).write_bytes(marked)
    info, _ = await burn(program, tmp_path, NO_CUE)
    assert info.video.hdr
    assert "yuv420p(tv, bt709, progressive)" in listing(tmp_path / OUTPUT)
    result = colors(tmp_path / OUTPUT, *SMALL)
    assert np.abs(np.subtract(result, RGB)).max() <= 30, result


@pytest.mark.parametrize("transfer", [1, 16], ids=["SDR", "PQ"])
@pytest.mark.parametrize("matrix", range(18))
async def test_every_matrix_that_a_video_may_name_is_converted_or_refused(
    program: Ffmpeg, tmp_path: Path, matrix: int, transfer: int
) -> None:
    """Whether its pictures are in it or not."""
    tags = f"matrix_coefficients={matrix}:transfer_characteristics={transfer}"
    tagged = ["-bsf:v", f"h264_metadata=colour_primaries=9:{tags}"]
    ffmpeg(*bars(*SMALL, "format=yuv420p"), *X264, *tagged, tmp_path / "x.mp4")
    (tmp_path / "x.mp4").rename(tmp_path / INPUT)
    refused = matrix in (11, 15, 16, 17) or (matrix == 14 and transfer == 1)
    if refused:
        with pytest.raises(JobError) as raised:
            await burn(program, tmp_path, NO_CUE)
        assert raised.value.code == "video_colors"
    else:
        await burn(program, tmp_path, NO_CUE)
        assert "yuv420p(tv, bt" in listing(tmp_path / OUTPUT)


async def test_dolby_vision_that_nobody_can_convert_is_refused(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """Profile 5: shown as it is, it would be green and purple."""
    ffmpeg(*bars(*SMALL, hdr("smpte2084")), *X265, tmp_path / "x.mp4")
    data = (tmp_path / "x.mp4").read_bytes()
    path, more = "moov/trak/mdia/minf/stbl/stsd/hvc1", dolby_vision(5, 0)
    (tmp_path / INPUT).write_bytes(change(data, path, lambda entry: entry + more))
    with pytest.raises(JobError) as raised:
        await burn(program, tmp_path, NO_CUE)
    assert raised.value.code == "dolby_vision"


@pytest.mark.parametrize(
    ("name", "filters", "codec"),
    [
        ("x.mov", "format=argb", ["-c:v", "qtrle"]),
        ("x.mov", "format=rgba", ["-c:v", "png"]),
        ("x.mov", "zscale=matrix=709:range=limited,format=yuva444p10le",
         ["-c:v", "prores_ks", "-profile:v", "4444"]),
        ("x.webm", "zscale=matrix=709:range=limited,format=yuva420p",
         ["-c:v", "libvpx-vp9", "-crf", "4", "-b:v", "0"]),
        ("x.webm", "zscale=matrix=170m:range=limited,format=yuva420p",
         ["-c:v", "libvpx", "-auto-alt-ref", "0", "-b:v", "4M"]),
    ],
    ids=["animation", "png", "prores", "vp9", "vp8"],
)  # fmt: skip
async def test_what_is_transparent_is_shown_on_black(
    program: Ffmpeg, tmp_path: Path, name: str, filters: str, codec: list[str]
) -> None:
    source = tmp_path / name
    ffmpeg(*bars(*SMALL, filters, alpha="80"), *codec, source)
    source.rename(tmp_path / INPUT)
    await burn(program, tmp_path, NO_CUE)
    result = colors(tmp_path / OUTPUT, *SMALL)
    assert np.abs(np.subtract(result, np.array(RGB) / 2)).max() <= 8, result
