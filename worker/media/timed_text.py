"""SRT and WebVTT: text to cues.

Read here, not by pysubs2: its reader skips a cue whose time it does not understand without a word,
takes the last line of a text for the next cue's number when it is one, lets ``{\\fs9999}`` through
as a command, and leaves entities as they are. Every timing line found is a cue here, or an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pysubs2 import SSAEvent

from worker.errors import JobError

# Hours may be missing or long; seconds may lack a fraction; comma, dot or colon before it.
_TIME = r"(?:(\d+):)?(\d{1,3}):(\d{1,2})(?:[.,:](\d+))?"
TIMING_LINE = re.compile(rf"^\s*{_TIME}\s*-+>\s*{_TIME}(?!\d)")
COMMENT_BLOCK = re.compile(r"^(WEBVTT|NOTE|STYLE|REGION)(\s|$)")


@dataclass(frozen=True)
class Timing:
    """A timing line: its index, and start and end in milliseconds."""

    at: int
    start: int
    end: int


def read_srt(text: str) -> list[SSAEvent]:
    """The cues of an SRT file in any dialect: without numbers, MM:SS, dots, short fractions."""
    lines = text.split("\n")
    events = []
    for timing, end in _with_ends(_timings(lines), len(lines)):
        body = lines[timing.at + 1 : end]
        if end < len(lines) and body and body[-1].strip().isdigit():
            body = body[:-1]  # the number of the next cue
        events.append(_event(timing, body, vtt=False))
    return events


def read_vtt(text: str) -> list[SSAEvent]:
    """The cues of a WebVTT file, also of several segments joined; settings are not used."""
    lines = _without_comments(text.replace("\0", "\ufffd").split("\n"))
    events = []
    for timing, end in _with_ends(_timings(lines), len(lines)):
        body = lines[timing.at + 1 : end]
        blank = next((n for n, line in enumerate(body) if not line.strip()), len(body))
        events.append(_event(timing, body[:blank], vtt=True))
    return events


def _without_comments(lines: list[str]) -> list[str]:
    """The same lines with headers, notes, style sheets and regions made blank."""
    kept = []
    blank, comment = True, False
    for line in lines:
        if blank:
            comment = bool(COMMENT_BLOCK.match(line))
        blank = not line.strip()
        kept.append("" if comment else line)
    return kept


def _with_ends(timings: list[Timing], end: int) -> Iterator[tuple[Timing, int]]:
    """Each timing line with the index of the next one, or the end."""
    return zip(timings, [*(timing.at for timing in timings[1:]), end], strict=False)


def _timings(lines: list[str]) -> list[Timing]:
    """Every timing line. Raises ``subtitles_incomplete`` if one can't be understood."""
    found = []
    unread = []
    for at, line in enumerate(lines):
        if "-->" not in line:
            continue
        # A NUL (U+FFFD in WebVTT) is a character that was lost: none that matters, or a colon.
        line = line.replace("\ufffd", "\0")
        match = TIMING_LINE.match(line.replace("\0", ""))
        match = match or TIMING_LINE.match(line.replace("\0", ":"))
        if match:
            times = match.groups()
            found.append(Timing(at, _milliseconds(*times[:4]), _milliseconds(*times[4:])))
        else:
            unread.append(at + 1)
    if unread:
        raise JobError(
            "subtitles_incomplete",
            kept=len(found),
            found=len(found) + len(unread),
            where=f"line {unread[0]}",
        )
    return found


def _milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + round(float(f"0.{fraction or 0}") * 1000)


def _event(timing: Timing, body: list[str], *, vtt: bool) -> SSAEvent:
    text = markup_to_ass("\n".join(body).strip(), vtt=vtt)
    return SSAEvent(start=timing.start, end=timing.end, text=text)


TOKEN = re.compile(
    r"(?P<tag></?\s*[a-zA-Z][^<>]*>|<[\d:.]+>)"
    r"|(?P<override>\{\\[^{}]*\})"
    r"|(?P<entity>&(?:amp|lt|gt|nbsp|lrm|rlm);)"
    r"|(?P<newline>\n)"
    r"|(?P<special>[\\{}])"
)
# What <i>, <b>, <u>, <s> become; the end without a value goes back to the style's own setting.
SIMPLE_TAG = re.compile(r"^<(/?)\s*([ibus])\s*>$", re.IGNORECASE)
FONT_COLOUR = re.compile(r"^<\s*font\b[^>]*\bcolor\s*=\s*[\"']?#?([0-9a-f]{6})\b", re.IGNORECASE)
FONT_END = re.compile(r"^</\s*font\s*>$", re.IGNORECASE)
ALLOWED_OVERRIDE = re.compile(r"\\(?:an[1-9]|[ibus][01])(?![0-9])")
ENTITIES = {
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
    "&nbsp;": r"\h",
    "&lrm;": "\u200e",
    "&rlm;": "\u200f",
}


def markup_to_ass(text: str, *, vtt: bool) -> str:
    """The text of a cue as ASS text: known tags become commands, unknown ones vanish, and nothing
    that the user wrote is taken for a command."""

    def replacement(match: re.Match[str]) -> str:
        found = match.group()
        match match.lastgroup:
            case "newline":
                return r"\N"
            case "entity":
                return ENTITIES[found]
            case "override":
                return "".join(f"{{{tag}}}" for tag in ALLOWED_OVERRIDE.findall(found))
            case "special":
                # A word joiner keeps a backslash from forming a command with what follows.
                return "\\\u2060" if found == "\\" else f"\\{found}"
        if simple := SIMPLE_TAG.match(found):
            end, letter = simple.groups()
            return f"{{\\{letter.lower()}{'' if end else '1'}}}"
        if colour := FONT_COLOUR.match(found):
            red, green, blue = (colour.group(1)[i : i + 2] for i in (0, 2, 4))
            return f"{{\\c&H{blue}{green}{red}&}}"
        return r"{\c}" if FONT_END.match(found) else ""

    if vtt:
        # In WebVTT every '<' opens a tag; what does not close is dropped with it.
        text = re.sub(r"<(?![a-zA-Z/\d][^<>]*>)[^<>]*>?", "", text)
    return TOKEN.sub(replacement, text)
