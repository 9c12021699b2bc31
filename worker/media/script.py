"""Our own ASS script from a user's subtitles: the only subtitle file that ffmpeg ever sees."""

from __future__ import annotations

from typing import get_args

from pysubs2 import Alignment, Color, SSAStyle

from worker.media.style import Position, Style
from worker.media.subtitles import Subtitles

LAST_TIME = 35_999_000
"""Milliseconds: ASS as written here ends at 9:59:59; what is later is past the end of any video."""


def write_ass(subtitles: Subtitles, style: Style, width: int, height: int) -> str:
    """The script for a picture of ``width`` x ``height`` displayed pixels.

    ASS and SSA keep the styles and the resolution that their author chose; the others get
    ``style``, in a script whose units are the picture's pixels.
    """
    script = subtitles.script
    if not subtitles.styled:
        script.info = {
            "PlayResX": str(width),
            "PlayResY": str(height),
            "WrapStyle": "0",
            "ScaledBorderAndShadow": "yes",
        }
        script.styles = {"Default": ass_style(style, width, height)}
    for event in script.events:
        event.start = min(event.start, LAST_TIME)
        event.end = min(event.end, LAST_TIME)
    return script.to_string("ass", header_notice="")


def cues_past(subtitles: Subtitles, duration: float) -> int:
    """How many cues begin when the video (``duration`` in seconds) is over."""
    return sum(event.start >= duration * 1000 for event in subtitles.script.events)


def ass_style(style: Style, width: int, height: int) -> SSAStyle:
    """The style as ASS for a picture of ``width`` x ``height`` displayed pixels."""
    unit = min(width, height) / 100
    size = style.size * unit
    margin_horizontal = round(style.margin_horizontal * unit)
    return SSAStyle(
        fontname=style.font,
        fontsize=round(size, 2),
        primarycolor=ass_color(style.color),
        outlinecolor=ass_color(style.outline_color),
        backcolor=ass_color(style.shadow_color),
        bold=style.bold,
        italic=style.italic,
        outline=round(style.outline * size / 100, 2),
        shadow=round(style.shadow * size / 100, 2),
        alignment=Alignment(get_args(Position).index(style.position) + 1),
        marginl=margin_horizontal,
        marginr=margin_horizontal,
        marginv=round(style.margin_vertical * unit),
        # Lets libass find the base direction of each text, so that Arabic and Hebrew
        # punctuation stands on the right side.
        encoding=-1,
    )


def ass_color(web: str) -> Color:
    """``#RRGGBBAA`` (AA = opacity) as ASS has it (alpha = transparency; written as ABGR)."""
    red, green, blue, *opacity = bytes.fromhex(web[1:])
    return Color(red, green, blue, 255 - opacity[0] if opacity else 0)
