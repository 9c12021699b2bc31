"""Our own ASS script: the only subtitle file that ffmpeg ever sees.

``write_script`` is plain string building that a browser can repeat byte for byte; the vectors in
tests/vectors hold it to that. Its rules:

1.  Text is a sequence of code points, cleaned (``cues.clean``). Times are whole milliseconds;
    seconds become such by floor(seconds * 1000 + 0.5). ASS counts centiseconds:
    floor(milliseconds / 10 + 0.5), at most 99:59:59.99; an event lasts at least one if its cue ends
    after it begins.
2.  The script's units are the picture's pixels. One per cent (``unit``) is that of the shorter
    side. Decimals are floor(x * 100 + 0.5) / 100 without trailing zeros, whole pixels
    floor(x + 0.5). ``size`` = style.size * unit; outline, shadow, padding and letter spacing are
    per cent of ``size``.
3.  A box is ``BorderStyle`` 4, a feature of libass: the shadow's colour and distance become the
    box's colour and padding, and the margins grow by padding and outline, so that they are the
    box's.
4.  Columns of a line: max_characters, or fewer if the picture is narrower; a column is 0.4 of the
    size wide (0.43 when bold) plus the letter spacing. Lines at a time: max_lines, or fewer if the
    picture is lower. See ``lines`` for where lines break.
5.  A cue with more lines becomes several events, each with nearly as many lines: the first of its
    words decides when a part begins if it has times, else its share of the width.
6.  ``{`` and ``}`` get a backslash; a backslash gets a word joiner behind it, so that it forms no
    command with what follows; a line ends with ``\\N``.
7.  Before a character whose font, size, look or highlight differs from the one before it stand the
    changed commands in one pair of braces, in this order: fn, fs, b, i, u, s, 1c, and then those of
    the highlight. See ``faces`` for fonts and sizes. A space is drawn like what stands before it,
    after an emoji like the style.
8.  A text without letters (\\p{L}) but with something that goes on an emoji (``FOLLOWS_EMOJI``)
    ends with U+180E.
9.  Highlight "word": ``\\t(t,t,…)`` turns a word's colour at its start and back at its end, in
    milliseconds of the event. "fill": the text is in highlight_color, with color as the secondary
    one; ``\\k`` and ``\\kf`` count centiseconds from the event's start.
10. Text of both directions has marks of direction: see ``bidi``. One before a character stands
    before its commands as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor
from typing import get_args

from worker.media.cues import Cue, PlacedWord, Placement, words_in
from worker.media.script.event_text import (
    LAST_CENTISECOND,
    ass_color,
    centiseconds,
    decimal,
    write_text,
)
from worker.media.script.faces import faces_of
from worker.media.script.language import EastAsian, east_asian
from worker.media.script.lines import Slice, break_lines, widths_of
from worker.media.style import Position, Style

COLUMN, BOLD_COLUMN = 0.4, 0.43
FEWEST_COLUMNS = 4
STYLE_FIELDS = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, "
    "Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, "
    "Alignment, MarginL, MarginR, MarginV, Encoding"
)
EVENT_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"


@dataclass(frozen=True)
class Canvas:
    """A style in the pixels of one picture."""

    style: Style
    width: int
    height: int

    @property
    def unit(self) -> float:
        return min(self.width, self.height) / 100

    @property
    def size(self) -> float:
        return self.style.size * self.unit

    @property
    def spacing(self) -> float:
        return self.style.letter_spacing * self.size / 100

    @property
    def padding(self) -> float:
        return self.style.box_padding * self.size / 100 if self.style.box_color else 0.0

    @property
    def outline(self) -> float:
        return self.style.outline * self.size / 100

    @property
    def margin_horizontal(self) -> int:
        return _pixels(self.style.margin_horizontal * self.unit + self._around)

    @property
    def margin_vertical(self) -> int:
        return _pixels(self.style.margin_vertical * self.unit + self._around)

    @property
    def _around(self) -> float:
        """By how much a box is larger than its text."""
        return self.padding + self.outline if self.style.box_color else 0.0

    def columns(self, left: int, right: int) -> int:
        """How many characters a line has room for between two margins."""
        column = self.size * (BOLD_COLUMN if self.style.bold else COLUMN) + self.spacing
        room = floor((self.width - left - right) / column)
        return max(FEWEST_COLUMNS, min(self.style.max_characters, room))

    def lines(self, percent: int) -> int:
        """How many lines have room, whose largest letters have ``percent`` of the size."""
        room = floor((self.height - 2 * self.margin_vertical) / (self.size * percent / 100))
        return max(1, min(self.style.max_lines or room, room))


def write_script(
    cues: Sequence[Cue], style: Style, width: int, height: int, language: str | None = None
) -> str:
    """The script for a picture of ``width`` x ``height`` displayed pixels. A cue without text, or
    that ends before it begins, makes no event."""
    canvas = Canvas(style, width, height)
    spoken = east_asian("\n".join(cue.text for cue in cues), language)
    events = [
        event
        for cue in cues
        if cue.text and cue.end > cue.start
        for event in _events(cue, canvas, spoken)
    ]
    return "\n".join(
        [
            "[Script Info]",
            "ScriptType: v4.00+",
            f"PlayResX: {width}",
            f"PlayResY: {height}",
            "WrapStyle: 0",
            "ScaledBorderAndShadow: yes",
            # The colours are meant as they are: without this, a renderer takes them for those of an
            # old video and turns red into (255, 24, 0) on BT.709.
            "YCbCr Matrix: None",
            "",
            "[V4+ Styles]",
            f"Format: {STYLE_FIELDS}",
            _style_line(canvas),
            "",
            "[Events]",
            f"Format: {EVENT_FIELDS}",
            *events,
            "",
        ]
    )


def _style_line(canvas: Canvas) -> str:
    style = canvas.style
    shadow = style.shadow * canvas.size / 100
    fields = (
        "Default",
        style.font,
        decimal(canvas.size),
        _style_color(style.color),
        _style_color(style.color),
        _style_color(style.outline_color),
        _style_color(style.box_color or style.shadow_color),
        "-1" if style.bold else "0",
        "-1" if style.italic else "0",
        "0",
        "0",
        "100",
        "100",
        decimal(canvas.spacing),
        "0",
        "4" if style.box_color else "1",
        decimal(canvas.outline),
        decimal(canvas.padding if style.box_color else shadow),
        _alignment(style.position),
        str(canvas.margin_horizontal),
        str(canvas.margin_horizontal),
        str(canvas.margin_vertical),
        # Lets libass find the base direction of each text, so that Arabic and Hebrew punctuation
        # stands on the right side.
        "-1",
    )
    return "Style: " + ",".join(fields)


def _events(cue: Cue, canvas: Canvas, language: EastAsian) -> list[str]:
    """The events of one cue: more than one if its lines have no room at once."""
    faces = faces_of(cue.text, language, noto=canvas.style.font == Style().font)
    left, right, vertical = _margins(cue.placement, canvas)
    most = canvas.lines(max(face.percent for face in faces))
    columns = canvas.columns(left, right)
    lines = break_lines(cue.text, columns, most, language)
    parts = _parts(lines, most)
    margins = f"{left},{right},{vertical}" if cue.placement else "0,0,0"
    position = f"{{\\an{_alignment(cue.placement.position)}}}" if cue.placement else ""
    events = []
    words = words_in(cue.text, cue.words)
    for part, start, end in _times(cue, words, parts):
        first = centiseconds(start)
        last = max(centiseconds(end), min(first + 1, LAST_CENTISECOND))
        text = write_text(cue, part, words, faces, canvas.style, canvas.size, first, last)
        times = f"{_timestamp(first)},{_timestamp(last)}"
        events.append(f"Dialogue: 0,{times},Default,,{margins},,{position}{text}")
    return events


def _margins(placement: Placement | None, canvas: Canvas) -> tuple[int, int, int]:
    """Left, right and vertical, in pixels; never less than the style's."""
    given = placement or Placement(canvas.style.position)
    horizontal, vertical = canvas.margin_horizontal, canvas.margin_vertical
    return (
        max(horizontal, _pixels((given.left or 0) * canvas.width / 100)),
        max(horizontal, _pixels((given.right or 0) * canvas.width / 100)),
        max(vertical, _pixels((given.vertical or 0) * canvas.height / 100)),
    )


def _parts(lines: list[Slice], most: int) -> list[list[Slice]]:
    """The lines in groups of at most ``most``, of nearly one size."""
    count = -(-len(lines) // most)
    each = -(-len(lines) // count)
    return [lines[at : at + each] for at in range(0, len(lines), each)]


def _times(
    cue: Cue, words: list[PlacedWord], parts: list[list[Slice]]
) -> list[tuple[list[Slice], int, int]]:
    """When each part is shown, in milliseconds."""
    before = [0, *accumulate(widths_of(cue.text))] if len(parts) > 1 else [1]
    starts = [cue.start]
    for part in parts[1:]:
        begin = part[0][0]
        spoken = next((word.start for word, start, _ in words if start >= begin), None)
        if spoken is None:
            share = before[begin] / before[-1]
            spoken = floor(cue.start + (cue.end - cue.start) * share + 0.5)
        starts.append(min(max(spoken, starts[-1]), cue.end))
    return list(zip(parts, starts, [*starts[1:], cue.end], strict=True))


def _timestamp(centiseconds: int) -> str:
    seconds, rest = divmod(centiseconds, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{rest:02}"


def _alignment(position: Position) -> str:
    """Positions are numbered as on a number pad."""
    return str(get_args(Position).index(position) + 1)


def _style_color(web: str) -> str:
    """``#RRGGBBAA`` (AA = opacity) as ``&HAABBGGRR`` (AA = transparency)."""
    rgb, alpha = ass_color(web)
    return f"&H{alpha}{rgb}"


def _pixels(value: float) -> int:
    return floor(value + 0.5)
