"""The script for a job, from its subtitles and options."""

from __future__ import annotations

from worker.media.options import Options
from worker.media.script.ass import write_script
from worker.media.subtitles import Subtitles

LAST_TIME = 35_999_000
"""Milliseconds: pysubs2 writes hours as one digit; what is later is past the end of any video."""


def script_for(subtitles: Subtitles, options: Options, width: int, height: int) -> str:
    """ASS for a picture of ``width`` x ``height`` displayed pixels.

    ASS and SSA keep the styles and the resolution that their author chose, unless another look is
    asked for.
    """
    if subtitles.script is None or options.restyle:
        return write_script(subtitles.cues, options.style, width, height, options.language)
    # Of a script that says nothing the colours are meant as they are; see ``ass``.
    subtitles.script.info.setdefault("YCbCr Matrix", "None")
    for event in subtitles.script:
        event.start = min(event.start, LAST_TIME)
        event.end = min(event.end, LAST_TIME)
    return subtitles.script.to_string("ass", header_notice="")


def cues_past(subtitles: Subtitles, duration: float) -> int:
    """How many cues begin when the video (``duration`` in seconds) is over."""
    return sum(cue.start >= duration * 1000 for cue in subtitles.cues)
