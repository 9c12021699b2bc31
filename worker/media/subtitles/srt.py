"""SRT in all its dialects: without numbers, MM:SS, dots, short fractions; and SBV, its cousin from
YouTube. There is no standard; what players show is what counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from worker.media.cues import Cue, Look
from worker.media.style import Position
from worker.media.subtitles.markup import read_srt_markup, tagged
from worker.media.subtitles.timed_text import (
    Block,
    arrow_blocks,
    comma_blocks,
    lines_of,
    timestamp,
)

COUNTER = re.compile("^[\\s\ufeff]*\\d+\\s*$")
DRESSED_COUNTER = re.compile("^[\\s\ufeff#(\\[]*(\\d{1,9})[\\s.:)\\]]*$")
# What may follow the times without being text: coordinates, and settings of WebVTT.
SETTINGS = re.compile(
    r"^(?:\s*(?:[XYxy][12]:\s*\d+|(?:align|line|position|region|size|vertical):\S+|[A-Z]:\S+))*\s*$"
)
TAGS = {"bold": "b", "italic": "i", "underline": "u", "strike": "s"}


def read_srt(text: str) -> tuple[list[Cue], list[int]]:
    """The cues of an SRT file, and the numbers of lines with text in front of the first one.

    Raises ``subtitles_incomplete``.
    """
    lines = lines_of(text)
    blocks = arrow_blocks(lines)
    cues = [_cue(block, following=number) for number, block in enumerate(blocks, 2)]
    if blocks:
        cues[-1] = _cue(blocks[-1])
    first = blocks[0].at if blocks else 0
    above = [at for at in range(first) if lines[at].strip("\ufeff \t")]
    return cues, [at + 1 for at in above if at < first - 1 or not _is_counter(lines[at], 1)]


def read_sbv(text: str) -> list[Cue]:
    """The cues of an SBV file."""
    lines = lines_of(text.replace("[br]", "\n"))
    return [_cue(block) for block in comma_blocks(lines)]


def _cue(block: Block, following: int | None = None) -> Cue:
    """``following``: which cue comes next; its number may stand in the last line."""
    body = list(block.body)
    if following and body and _is_counter(body[-1], following):
        body.pop()
    if not SETTINGS.match(block.settings):
        body.insert(0, block.settings)
    marked = read_srt_markup("\n".join(body))
    return Cue(block.start, block.end, marked.text, marked.spans, marked.words, marked.placement)


def _is_counter(line: str, expected: int) -> bool:
    dressed = DRESSED_COUNTER.match(line)
    return bool(COUNTER.match(line) or (dressed and int(dressed[1]) == expected))


def write_srt(cues: Sequence[Cue]) -> str:
    """The cues as an SRT file; what does not fit in there (word times, margins) is left out."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        times = f"{timestamp(cue.start, ',')} --> {timestamp(cue.end, ',')}"
        position = cue.placement and get_args(Position).index(cue.placement.position) + 1
        text = (f"{{\\an{position}}}" if position else "") + tagged(cue, _opening, _escaped)
        blocks.append(f"{number}\n{times}\n{text}\n")
    return "\n".join(blocks)


def _opening(look: Look) -> list[str]:
    tags = [tag for name, tag in TAGS.items() if getattr(look, name)]
    return tags + ([f'font color="{look.color}"'] if look.color else [])


def _escaped(text: str) -> str:
    """Only what would be taken for markup: most players show an entity as it stands."""
    text = re.sub(r"&(?=(?:amp|lt|gt|nbsp|quot|apos|#39|#62|#123);)", "&amp;", text)
    text = re.sub(r"<(?=/?\s*[a-zA-Z])", "&lt;", text)
    text = text.replace("{\\", "&#123;\\").replace("-->", "--&#62;")
    return re.sub("\n(?=\n)", "\n\u00a0", text)  # many players end a cue at an empty line
