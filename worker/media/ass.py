"""Our own ASS script from a user's subtitles: the only subtitle file that ffmpeg ever sees."""

from __future__ import annotations

from worker.media.style import Style, ass_style
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
