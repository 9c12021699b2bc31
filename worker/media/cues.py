"""Cues: what is shown when. Every subtitle format is read into these and written from them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from worker.media.style import Position

LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\u0085\u2028\u2029]")
INVISIBLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
SURROGATE = re.compile("[\ud800-\udfff]")
SPACE = " \u00a0\u3000"
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f]"
)
# No writing has so many on one letter; each costs a pass over the picture.
PILE_OF_MARKS = re.compile(f"({_MARK}{{8}}){_MARK}+")


@dataclass(frozen=True)
class Look:
    """How a part of a text differs from the style; None: as the style has it. ``color`` is
    ``#RRGGBB``."""

    bold: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    strike: bool | None = None
    color: str | None = None


@dataclass(frozen=True)
class Span:
    """The characters ``start`` to ``end`` (not included) of a cue's text, and their look."""

    start: int
    end: int
    look: Look


@dataclass(frozen=True)
class Word:
    """A word of a cue's text, and when it is spoken: milliseconds."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Placement:
    """Where a cue stands when not where the style says. The distances are in per cent of the
    picture's width (``left``, ``right``) and height (``vertical``); None: the style's margins."""

    position: Position
    left: float | None = None
    right: float | None = None
    vertical: float | None = None


@dataclass(frozen=True)
class Cue:
    """``start`` and ``end`` in milliseconds; lines of ``text`` are parted by ``\\n``; ``spans`` are
    in order and don't overlap; ``words`` are in order."""

    start: int
    end: int
    text: str
    spans: tuple[Span, ...] = field(default=())
    words: tuple[Word, ...] = field(default=())
    placement: Placement | None = None


def clean(text: str) -> str:
    """Text without what can't be drawn: one kind of line break, tabs as spaces, no control
    characters, at most eight marks in a row, no spaces around a line, no empty lines around the
    text."""
    text = printable(text)
    return "\n".join(text[start:end] for start, end in trimmed_lines(text))


def trimmed_lines(text: str) -> list[tuple[int, int]]:
    """Start and end of each line without the spaces around it, and without the empty lines around
    the text."""
    lines = []
    at = 0
    for line in text.split("\n"):
        start = at + len(line) - len(line.lstrip(SPACE))
        lines.append((start, start + len(line.strip(SPACE))))
        at += len(line) + 1
    filled = [n for n, (start, end) in enumerate(lines) if end > start]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def printable(text: str) -> str:
    """``clean`` without trimming its lines."""
    text = LINE_BREAK.sub("\n", text).replace("\t", " ")
    text = SURROGATE.sub("\ufffd", INVISIBLE.sub("", text))
    return PILE_OF_MARKS.sub(r"\1", text)


PlacedWord = tuple[Word, int, int]
"""A word, and the indexes of its first character and of the one behind its last."""


def words_in(text: str, words: Iterable[Word]) -> list[PlacedWord]:
    """The words that are found in the text, each behind the one before. A word that is not found is
    left out."""
    found = []
    at = 0
    for word in words:
        start = text.find(word.text, at)
        if start >= 0 and word.text:
            at = start + len(word.text)
            found.append((word, start, at))
    return found
