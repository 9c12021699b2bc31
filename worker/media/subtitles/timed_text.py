"""Timing lines, which SRT, SBV and WebVTT share: every one that is found is a cue, or an error.

Read here, not by pysubs2: its reader skips a cue whose time it does not understand without a word,
takes the last line of a text for the next cue's number when it is one, and lets ``{\\fs9999}``
through as a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.errors import JobError
from worker.media.cues import LINE_BREAK
from worker.media.subtitles.markup import milliseconds

# Signs may be full-width; between them there may be marks of direction and others without width.
_COLON, _DASH, _POINT = "[:：]", "[-－]", "[.,:．，：]"
_GAP = r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
# Hours may be missing or long; a fraction may be short, or missing; comma, dot or colon before it.
_CLOCK = (
    rf"(-?){_GAP}(?:(\d{{1,9}}){_GAP}{_COLON}{_GAP})?(\d{{1,3}}){_GAP}{_COLON}{_GAP}(\d{{1,2}})"
)
_TIME = rf"{_CLOCK}(?:{_GAP}{_POINT}{_GAP}(\d{{1,9}}))?"
_TIME_ENDS = rf"(?!{_GAP}{_COLON}|[.,\w]*\d)"
ARROW = rf"{_DASH}\s*{_DASH}(?:{_DASH}|\s)*[>＞]"
# A cue's number may stand on its timing line.
NUMBER = r"(?:\d{1,9}[.)]?\s+)??"
# Other arrows count only in files that have none of the real ones: they may stand in a text.
ODD_ARROW = r"(?:[-–—=]+\s*>|→)"
# Two whole times are a timing line, whatever stands between them for an arrow.
NO_ARROW = r"[^\w\s]{0,6}(?:gt;)?"
LONGEST_LINE = 500
"""Characters of a line that are looked at for times; what backtracks has no room to do it."""
# A line with an arrow that has anything of a time beside it is a timing line, if a broken one.
HAS_TIME = re.compile(rf"\d\s*{_POINT}\s*\d\S*\s*{ARROW}|{ARROW}\s*\S*\d\s*{_POINT}\s*\d")
# Times in seconds are not read; among words they are no times.
IN_SECONDS = re.compile(rf"^{_GAP}[\d.,]+\s*{ARROW}\s*[\d.,]+{_GAP}$")
MAY_BE_TIMING = re.compile("[:：>＞]")


@dataclass(frozen=True)
class Notation:
    """How timing lines are told from others (``sign``) and read (``line``)."""

    sign: re.Pattern[str]
    line: re.Pattern[str]

    @classmethod
    def of(
        cls, between: str, after: str = f"{_TIME_ENDS}{_GAP}(.*)$", time: str = _TIME
    ) -> Notation:
        line = rf"^{_GAP}{NUMBER}{_GAP}{time}{_GAP}{between}{_GAP}{time}{after}"
        return cls(re.compile(between), re.compile(line))

    def has_sign(self, line: str) -> bool:
        return bool(self.sign.search(line[:LONGEST_LINE]))

    def times(self, line: str) -> re.Match[str] | None:
        return self.line.match(line[:LONGEST_LINE])


ARROWS = (Notation.of(ARROW), Notation.of(ODD_ARROW))
COMMAS = Notation.of(",", rf"{_GAP}()$")
WHOLE_TIMES = Notation.of(NO_ARROW, rf"{_GAP}()$", rf"{_CLOCK}{_GAP}{_POINT}{_GAP}(\d{{3}})")


@dataclass(frozen=True)
class Block:
    """A cue as it stands in the file: the index of its timing line, start and end in milliseconds,
    what follows the times, and the lines up to the next timing line."""

    at: int
    start: int
    end: int
    settings: str
    body: Sequence[str]


def lines_of(text: str) -> list[str]:
    """The lines of a file, whatever parts them; form feeds around an arrow are spaces."""
    text = re.sub("[\f\v]+(?=-->)|(?<=-->)[\f\v]+", " ", text)
    return LINE_BREAK.sub("\n", text).split("\n")


def timing_lines(lines: Sequence[str]) -> list[tuple[int, str]]:
    """The lines that may hold times, with their index."""
    return [(at, line) for at, line in enumerate(lines) if MAY_BE_TIMING.search(line)]


def arrow_blocks(lines: Sequence[str]) -> list[Block]:
    """A block for every line with two times and an arrow.

    Raises ``subtitles_incomplete`` if there is one that can't be understood.
    """
    candidates = timing_lines(lines)
    notation = next(
        (n for n in ARROWS if any(n.has_sign(line) for _, line in candidates)), ARROWS[0]
    )
    found = []
    unread = []
    for at, line in candidates:
        # A NUL (U+FFFD in WebVTT) is a character that was lost: none that matters, or one of these.
        start = line[:LONGEST_LINE].replace("\ufffd", "\0")
        repaired = [start.replace("\0", lost) for lost in ("", ":", "-", ">")]
        readings = (one.line.match(text) for one in (notation, WHOLE_TIMES) for text in repaired)
        match = next(filter(None, readings), None)
        if match and not HAS_TIME.search(match.groups()[-1]):
            found.append((at, match))
        elif any(notation.sign.search(text) and _has_time(text) for text in repaired):
            unread.append(at + 1)
    if unread:
        total = len(found) + len(unread)
        where = f"line {unread[0]}"
        raise JobError("subtitles_incomplete", kept=len(found), found=total, where=where)
    return list(_blocks(lines, found))


def _has_time(line: str) -> bool:
    return bool(HAS_TIME.search(line) if re.search("[:：]", line) else IN_SECONDS.match(line))


def comma_blocks(lines: Sequence[str]) -> list[Block]:
    """A block for every line that is two times and a comma."""
    matches = ((at, COMMAS.times(line)) for at, line in timing_lines(lines))
    return list(_blocks(lines, [(at, match) for at, match in matches if match]))


def _blocks(lines: Sequence[str], found: Sequence[tuple[int, re.Match[str]]]) -> Iterator[Block]:
    ends = [at for at, _ in found[1:]] + [len(lines)]
    for (at, match), end in zip(found, ends, strict=bool(found)):
        *times, settings = match.groups()
        settings += lines[at][LONGEST_LINE:]
        yield Block(at, _time(*times[:5]), _time(*times[5:]), settings, lines[at + 1 : end])


def _time(sign: str, *time: str) -> int:
    """Milliseconds; what lies before the video starts at its beginning."""
    return 0 if sign else milliseconds(*time)


def timestamp(time: int, separator: str) -> str:
    """Milliseconds as ``HH:MM:SS,mmm``."""
    seconds, rest = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{rest:03}"
