"""The text of one event of our own ASS script: characters, and commands where something changes.

See ``ass`` for the rules.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import floor
from typing import NamedTuple

from worker.media.cues import Cue, Look, PlacedWord
from worker.media.script.bidi import marks_for
from worker.media.script.faces import BASE, FOLLOWS_EMOJI, Face
from worker.media.script.lines import Slice, joint
from worker.media.style import Style

LAST_CENTISECOND = 35_999_999
SCRIPT_FOR_EMOJI = "\u180e"
"""Invisible, without width, and a character of Mongolian: libass joins an emoji only to what is in
the same script, and takes that from a letter of any."""
ESCAPES = {"{": r"\{", "}": r"\}", "\\": "\\\u2060"}


class Ink(NamedTuple):
    """How one character is drawn. ``word`` is the number of the word it belongs to, if any."""

    face: Face
    bold: bool
    italic: bool
    underline: bool
    strike: bool
    color: str
    word: int | None


def write_text(
    cue: Cue,
    lines: Sequence[Slice],
    words: Sequence[PlacedWord],
    faces: Sequence[Face],
    style: Style,
    size: float,
    first: int,
    last: int,
) -> str:
    """Some lines of a cue, shown between two centiseconds; ``words`` are those of the whole cue,
    ``size`` is the style's in pixels."""
    begin, stop = lines[0][0], lines[-1][1]
    words = [placed for placed in words if begin <= placed[1] < stop]
    mode = style.highlight if words else "none"
    highlight = {"none": _Plain, "word": _Word, "fill": _Fill}[mode]
    spoken = highlight(style, [(word.start, word.end) for word, *_ in words], first, last)
    inks = _inks(cue, begin, stop, faces, style, words if mode != "none" else [])
    ink = Ink(BASE, style.bold, style.italic, False, False, style.color, None)
    marks = marks_for(cue.text, lines)
    text = ""
    for number, (start, end) in enumerate(lines):
        text += r"\N" if number else ""
        for at in range(start, end):
            character = joint(cue.text, at) if cue.text[at] == "\n" else cue.text[at]
            if character:
                following = inks[at - begin]
                commands = spoken.commands(ink, following)
                if following is not ink:
                    commands = _changes(ink, following, style, size) + commands
                ink = following
                text += marks.before.get(at, "")
                text += f"{{{commands}}}" if commands else ""
                text += ESCAPES.get(character, character) + marks.after.get(at, "")
    return text + (SCRIPT_FOR_EMOJI if _has_only_joined_emoji(cue.text, lines) else "")


def _has_only_joined_emoji(text: str, lines: Sequence[Slice]) -> bool:
    shown = "".join(text[start:end] for start, end in lines)
    return bool(FOLLOWS_EMOJI.search(shown)) and not any(map(str.isalpha, shown))


def centiseconds(milliseconds: int) -> int:
    return min(floor(milliseconds / 10 + 0.5), LAST_CENTISECOND)


def decimal(value: float) -> str:
    """Two decimals at most, without trailing zeros."""
    whole, rest = divmod(floor(value * 100 + 0.5), 100)
    return f"{whole}" + (f".{rest:02}".rstrip("0") if rest else "")


def ass_color(web: str) -> tuple[str, str]:
    """``#RRGGBBAA`` (AA = opacity) as ``BBGGRR`` and ``AA`` (transparency)."""
    web = web.upper()
    opacity = int(web[7:] or "FF", 16)
    return web[5:7] + web[3:5] + web[1:3], f"{255 - opacity:02X}"


def _inks(
    cue: Cue,
    begin: int,
    stop: int,
    faces: Sequence[Face],
    style: Style,
    words: Sequence[PlacedWord],
) -> list[Ink]:
    """The ink of each character between two indexes; neighbours that are alike share one."""
    looks = [Look()] * (stop - begin)
    for span in cue.spans[bisect_left(cue.spans, begin, key=lambda span: span.end) :]:
        if span.start >= stop:
            break
        inside = range(max(span.start, begin) - begin, min(span.end, stop) - begin)
        looks[inside.start : inside.stop] = [span.look] * len(inside)
    numbers: list[int | None] = [None] * (stop - begin)
    for number, (_, start, end) in enumerate(words):
        numbers[start - begin : end - begin] = [number] * (end - start)
    fill = style.highlight_color if style.highlight == "fill" and words else None
    alpha = style.color[7:]
    inks: list[Ink] = []
    before = None
    for here in zip(faces[begin:stop], looks, numbers, strict=False):
        if here != before:
            face, look, word = before = here
            ink = Ink(
                face=face,
                bold=style.bold if look.bold is None else look.bold,
                italic=style.italic if look.italic is None else look.italic,
                underline=bool(look.underline),
                strike=bool(look.strike),
                color=fill or (look.color + alpha if look.color else style.color),
                word=word,
            )
        inks.append(ink)
    return inks


def _changes(before: Ink, ink: Ink, style: Style, size: float) -> str:
    """The commands that lead from one character's ink to the next one's."""
    commands = ""
    if ink.face.family != before.face.family:
        commands += rf"\fn{ink.face.family or style.font}"
    if ink.face.percent != before.face.percent:
        commands += rf"\fs{decimal(size * ink.face.percent / 100)}"
    if ink.bold != before.bold:
        commands += rf"\b{ink.bold:d}"
    if ink.italic != before.italic:
        commands += rf"\i{ink.italic:d}"
    if ink.underline != before.underline:
        commands += rf"\u{ink.underline:d}"
    if ink.strike != before.strike:
        commands += rf"\s{ink.strike:d}"
    if ink.color != before.color:
        commands += _color(ink.color)
    return commands


def _color(web: str) -> str:
    rgb, alpha = ass_color(web)
    return rf"\1c&H{rgb}&\1a&H{alpha}&"


class _Plain:
    """No highlight."""

    def __init__(
        self, style: Style, words: Sequence[tuple[int, int]], first: int, last: int
    ) -> None:
        self._style = style
        self._words = words
        self._first = first
        self._last = last

    def commands(self, before: Ink, ink: Ink) -> str:
        """What is to stand between two characters."""
        return ""


class _Word(_Plain):
    """The word that is being spoken has another colour."""

    def commands(self, before: Ink, ink: Ink) -> str:
        if ink.word == before.word:
            return ""
        back = _color(ink.color)
        if ink.word is None:
            return back
        start, end = (time - self._first * 10 for time in self._words[ink.word])
        bright = _color(self._style.highlight_color)
        commands = rf"{back}\t({start},{start},{bright})" if start > 0 else bright
        if end < (self._last - self._first) * 10:
            commands += rf"\t({end},{end},{back})"
        return commands


class _Fill(_Plain):
    """A colour runs through the words. ASS counts each length from the end of the one before."""

    _cursor = 0
    _begun = False

    def commands(self, before: Ink, ink: Ink) -> str:
        if self._begun and ink.word == before.word:
            return ""
        self._begun = True
        if ink.word is None:
            following = 0 if before.word is None else before.word + 1
            if following == len(self._words):
                return r"\k0"
            return rf"\k{self._advance(self._words[following][0])}"
        start, end = self._words[ink.word]
        gap = self._advance(start)
        return (rf"\k{gap}" if gap else "") + rf"\kf{self._advance(end)}"

    def _advance(self, milliseconds: int) -> int:
        """Move the cursor to a time; returns by how many centiseconds."""
        to = max(self._cursor, centiseconds(milliseconds) - self._first)
        step, self._cursor = to - self._cursor, to
        return step
