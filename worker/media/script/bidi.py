"""Marks of direction, so that text of both directions stands in the order of Unicode (UAX #9).

libass takes each line for a paragraph of its own: one that begins with a Latin word, within an
Arabic sentence, would run from left to right. And in ffmpeg it does not pair brackets (rule N0):
``(World) 123`` within Hebrew would be drawn as ``World) 123)``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.media.script.lines import Slice

LEFT, RIGHT = "\u200e", "\u200f"
"""The marks: invisible letters that run to the right, and to the left. Directions are named by
them."""
FROM_THE_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
BRACKETS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Marks:
    """What is to stand before and after characters, by their index."""

    before: dict[int, str] = field(default_factory=dict)
    after: dict[int, str] = field(default_factory=dict)


def marks_for(text: str, lines: Sequence[Slice]) -> Marks:
    """The marks for some lines of a text; none if nothing in it runs from the right.

    A line has the direction of the line that its author wrote: that of the whole text if this runs
    from the right and the line has anything that does, else that of its first letter.
    """
    marks = Marks()
    if FROM_THE_RIGHT.search(text):
        for start, end in lines:
            direction = _direction(text, start, end)
            if (_first(text[start:end]) or LEFT) != direction:
                marks.before[start] = direction
            _pair_brackets(text, start, end, direction, marks)
    return marks


def _direction(text: str, start: int, end: int) -> str:
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    author = text[begin : stop if stop >= 0 else None]
    whole = _first(text)
    if whole == RIGHT and RIGHT in map(_strong, author):
        return RIGHT
    return _first(author) or whole or LEFT


def _pair_brackets(text: str, start: int, end: int, direction: str, marks: Marks) -> None:
    """Both of a pair run as the line does, unless all in it, and the letter before it, do not."""
    opened: list[int] = []
    for at in range(start, end):
        if text[at] in BRACKETS.values():
            opened.append(at)
        elif opened and text[opened[-1]] == BRACKETS.get(text[at]):
            opening = opened.pop()
            inside = set(map(_strong, text[opening:at])) - {""}
            if inside <= {direction}:
                continue
            alike = direction in inside or _last(text[start:opening]) in ("", direction)
            if alike:
                marks.before[opening] = direction
                marks.after[at] = direction
            else:
                marks.after[at] = LEFT if direction == RIGHT else RIGHT


def _strong(character: str) -> str:
    """The direction of a letter or a mark; nothing for what takes that of its neighbours."""
    if character in (LEFT, RIGHT):
        return character
    if not character.isalpha():
        return ""
    return RIGHT if FROM_THE_RIGHT.match(character) else LEFT


def _first(text: str) -> str:
    return next(filter(None, map(_strong, text)), "")


def _last(text: str) -> str:
    return _first(text[::-1])
