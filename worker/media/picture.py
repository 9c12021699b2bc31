"""From a decoded picture, whatever it is, to the one that is encoded.

That is progressive, opaque, SDR, 8-bit 4:2:0 in limited range, of even size, with tags that say so.

Every conversion is asked for here; left to themselves ffmpeg's filters guess, and guess BT.601.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from worker.media.probe import Color, MediaInfo, VideoStream

Filter = tuple[str, dict[str, Any]]

ALPHA = re.compile(r"yuva|gbrap|ya\d|rgba|bgra|argb|abgr|ayuv|vuya|pal8")
RGB = re.compile(r"gbr|rgb|bgr|0rgb|argb|abgr|pal8|mono|gray|ya\d|x2rgb|x2bgr")
MATRICES = ("bt709", "smpte170m", "bt470bg")
"""What every player knows; another one is converted to BT.709."""
OTHER_MATRICES = ("unknown", "reserved", "gbr", "fcc", "smpte240m")
"""What ``scale`` can convert from, besides; the rest takes ``zscale``."""

DEINTERLACE: Filter = ("bwdif", {"mode": "send_frame", "deint": "interlaced"})
"""One frame for each pair of fields, and only where the frame says that it has two."""
ON_BLACK: Filter = ("premultiply", {"inplace": 1})
"""What lies under transparent pixels is often rubbish, and meant to be seen by nobody."""
EVEN: Filter = ("crop", {"w": "trunc(iw/2)*2", "h": "trunc(ih/2)*2", "exact": 1})
"""4:2:0 needs even sizes: a row or column is cut, so that no pixel is resampled."""


def picture_filters(video: VideoStream) -> list[Filter]:
    """The filters, in order; subtitles are drawn after them."""
    filters = []
    if video.interlaced:
        filters.append(DEINTERLACE)
    if ALPHA.match(video.pixel_format):
        filters.append(ON_BLACK)
    filters.append(EVEN)
    if video.color.hdr:
        filters += _tone_map(video.color)
    elif "bt2020" in video.color.primaries + video.color.matrix:
        filters += _convert(_filled(video.color, "bt2020nc", "bt2020", "bt2020-10"))
    elif video.color.matrix not in (*MATRICES, *OTHER_MATRICES):
        filters += _convert(_filled(video.color, "bt709", "bt709", "bt709"))
    else:
        filters += _standard(video)
    return filters


def scaled_down(info: MediaInfo, most: int | None) -> MediaInfo:
    """The same video with at most ``most`` pixels on its shorter side, as displayed."""
    shorter = min(info.display_width, info.display_height)
    if most is None or shorter <= most:
        return info

    def scaled(pixels: int) -> int:
        return max(2, round(pixels * most / shorter / 2) * 2)

    width, height = scaled(info.output_width), scaled(info.output_height)
    square = abs(info.display_width - info.output_width) <= 1
    aspect = info.display_width / info.output_width
    return replace(
        info,
        output_width=width,
        output_height=height,
        display_width=width if square else round(width * aspect),
        display_height=height,
        scaled=True,
    )


def scale_filters(info: MediaInfo) -> list[Filter]:
    """To the size of the output, if that is not the picture's own."""
    if not info.scaled:
        return []
    size = {"w": info.output_width, "h": info.output_height, "flags": "lanczos"}
    # Rounding to even sizes would leave pixels that are almost square.
    square = info.display_width == info.output_width
    return [("scale", size), *([("setsar", {"sar": 1})] if square else [])]


def _tone_map(color: Color) -> list[Filter]:
    """HDR (PQ and HLG) to SDR BT.709: what every player shows right. 203 nits is HDR's white."""
    if color.matrix == "bt2020c":
        # zscale knows no way from constant luminance to linear light; this one is close.
        color = replace(color, matrix="bt2020nc")
    return [
        _tags(_filled(color, "bt2020nc", "bt2020", color.transfer)),
        ("zscale", {"t": "linear", "npl": 203}),
        ("format", {"pix_fmts": "gbrpf32le"}),
        ("zscale", {"p": "bt709"}),
        ("tonemap", {"tonemap": "mobius", "desat": 0}),
        ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
        ("format", {"pix_fmts": "yuv420p"}),
    ]


def _convert(color: Color) -> list[Filter]:
    """Wide or rare colours, without HDR, to BT.709."""
    return [
        _tags(color),
        ("zscale", {"t": "bt709", "m": "bt709", "p": "bt709", "r": "tv"}),
        ("format", {"pix_fmts": "yuv420p"}),
    ]


def _standard(video: VideoStream) -> list[Filter]:
    """The same colours in limited range, with a matrix that is written down.

    Without tags a player takes BT.709 for HD and BT.601 for less, by the size. That is what is
    written down, so that scaling does not change the colours. RGB has no matrix: BT.709.
    """
    color, rgb = video.color, bool(RGB.match(video.pixel_format))
    guess = "bt709" if rgb or video.width >= 1280 or video.height > 576 else "smpte170m"
    known = color.matrix not in ("unknown", "gbr", "reserved")
    matrix = color.matrix if color.matrix in MATRICES else ("bt709" if known else guess)
    wanted = _filled(Color("tv", matrix, color.primaries, color.transfer), matrix, matrix, matrix)
    scale = {"out_color_matrix": matrix, "out_range": "tv"}
    filters = [("scale", scale), ("format", {"pix_fmts": "yuv420p"}), _tags(wanted)]
    if rgb or (known and color.range != "unknown"):
        return filters
    # A picture that doesn't say what it is is told so first. One that already is as it shall be
    # then leaves nothing to do, and ``scale`` passes it on instead of copying it.
    return [_tags(_filled(color, matrix, matrix, matrix)), *filters]


def _filled(color: Color, matrix: str, primaries: str, transfer: str) -> Color:
    """The colour's own words, with these where it has none."""

    def known(word: str, default: str) -> str:
        return default if word in ("unknown", "reserved", "gbr") else word

    return Color(
        known(color.range, "tv"),
        known(color.matrix, matrix),
        known(color.primaries, primaries),
        known(color.transfer, "smpte170m" if transfer == "bt470bg" else transfer),
    )


def _tags(color: Color) -> Filter:
    return (
        "setparams",
        {
            "range": color.range,
            "colorspace": color.matrix,
            "color_primaries": color.primaries,
            "color_trc": color.transfer,
        },
    )
