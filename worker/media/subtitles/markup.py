"""The markup inside a cue of SRT and WebVTT: to text with looks, and back.

Known tags become looks, known commands (``{\\an8}``, ``{\\i1}``) too; other tags of WebVTT and
commands of ASS vanish; everything else is text, and nothing that a user wrote becomes a command.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import get_args

from worker.errors import JobError
from worker.media.cues import Cue, Look, Placement, Span, Word
from worker.media.style import Position
from worker.media.subtitles.colours import COLOURS
from worker.media.subtitles.rich_text import RichText

TAGS: Mapping[str, Look] = {
    "i": Look(italic=True),
    "em": Look(italic=True),
    "b": Look(bold=True),
    "strong": Look(bold=True),
    "u": Look(underline=True),
    "s": Look(strike=True),
    "strike": Look(strike=True),
    "del": Look(strike=True),
    **dict.fromkeys(("font", "span", "p", "div", "c", "v", "lang", "ruby", "rt", "br"), Look()),
}
# What stands where a tag opens and closes: a reading above its characters comes behind them.
OPENING = {"br": "\n", "rt": "("}
CLOSING = {"rt": ")"}
TOKEN = re.compile(
    r"<(?P<end>/?)\s{0,9}(?P<tag>[a-zA-Z]{1,20})(?P<rest>[^<>]{0,500})>"
    r"|<(?P<time>(?:\d{1,9}:)?\d{1,2}:\d{1,2}\.\d{1,3})>"
    r"|(?P<override>\{\\[^{}]*\})"
    r"|(?P<entity>&(?:\w{1,30}|\#\d{1,7}|\#x[0-9a-fA-F]{1,6});)"
)
LONGEST_MARKUP = 50_000
SRT_ENTITIES = ("&amp;", "&lt;", "&gt;", "&nbsp;", "&quot;", "&apos;", "&#39;", "&#62;", "&#123;")
COLOUR_ATTRIBUTE = re.compile(r"\bcolor\s*[=:]\s*[\"']?\s*([#\w]+(?:\([\d, ]*\))?)", re.IGNORECASE)
COMMAND = re.compile(r"\\(?:(an?)(\d{1,2})|([ibus])([01])(?![0-9])|1?c&H([0-9a-fA-F]{6})&)")


@dataclass
class Marked:
    """What the markup of a cue says."""

    text: str
    spans: tuple[Span, ...]
    words: tuple[Word, ...] = ()
    placement: Placement | None = None


def read_srt_markup(markup: str) -> Marked:
    """Raises ``subtitles_too_large``."""
    return _Reader(vtt=False).read(markup)


def read_vtt_markup(markup: str, start: int, end: int, rules: Mapping[str, Look]) -> Marked:
    """``rules``: the looks that the file's style sheets give to tags (``i``) and classes
    (``.loud``). Words get their times from the timestamps between them, within the cue's."""
    # Every '<' opens a tag there; what does not close, or is none, is dropped with it.
    tags = r"<(?!/?[a-zA-Z][^<>]*>|[\d:.]+>)[^<>]*>?"
    return _Reader(vtt=True, rules=rules).read(re.sub(tags, "", markup), start, end)


def colour(value: str) -> str | None:
    """A colour of CSS as ``#RRGGBB``, if it is a known one."""
    value = value.strip().lower()
    if match := re.fullmatch(r"#?([0-9a-f]{6})(?:[0-9a-f]{2})?", value):
        return f"#{match.group(1)}".upper()
    if match := re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", value):
        return "#" + "".join(digit * 2 for digit in match.groups()).upper()
    if match := re.match(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})", value):
        return "#" + "".join(f"{min(int(part), 255):02X}" for part in match.groups())
    return COLOURS.get(value)


def switched(look: Look, letter: str, on: bool | None) -> Look:
    """A look after ``\\i``, ``\\b``, ``\\u`` or ``\\s``."""
    match letter:
        case "i":
            return replace(look, italic=on)
        case "b":
            return replace(look, bold=on)
        case "u":
            return replace(look, underline=on)
    return replace(look, strike=on)


def combined(look: Look, more: Look) -> Look:
    """A look with another one on top."""
    return replace(look, **{name: value for name, value in vars(more).items() if value is not None})


class _Reader:
    def __init__(self, *, vtt: bool, rules: Mapping[str, Look] | None = None) -> None:
        self._vtt = vtt
        self._rules = rules or {}
        self._open: list[tuple[str, Look]] = []
        self._rich = RichText()
        self._times: list[int] = []
        self._placement: Placement | None = None

    def read(self, markup: str, start: int = 0, end: int = 0) -> Marked:
        if len(markup) > LONGEST_MARKUP:
            reason = f"a subtitle may have at most {LONGEST_MARKUP} characters with its markup"
            raise JobError("subtitles_too_large", reason=reason)
        at = 0
        for match in TOKEN.finditer(markup):
            self._rich.add(markup[at : match.start()])
            self._token(match)
            at = match.end()
        self._rich.add(markup[at:])
        self._rich.finish()
        times = list(pairwise([start, *self._times, end])) if self._times else []
        words = self._rich.words(times) if times else ()
        return Marked(self._rich.text, self._rich.spans, words, self._placement)

    def _token(self, match: re.Match[str]) -> None:
        found = match.group()
        if match["time"] and self._vtt:
            self._times.append(_clock(match["time"]))
            self._rich.begin_word()
        elif match["override"]:
            for command in COMMAND.finditer(found):
                self._command(command)
        elif match["entity"] and (self._vtt or found in SRT_ENTITIES):
            self._rich.add(html.unescape(found))
        elif match["tag"] and (self._vtt or match["tag"].lower() in TAGS):
            self._tag(match["tag"].lower(), match["rest"], end=bool(match["end"]))
        else:
            self._rich.add(found)

    def _tag(self, tag: str, rest: str, *, end: bool) -> None:
        if not end:
            self._rich.add(OPENING.get(tag, ""))
            self._open.append((tag, self._rich.look))
            self._rich.look = combined(self._rich.look, self._look_of(tag, rest))
            return
        names = [name for name, _ in self._open]
        if tag in names:
            at = len(names) - 1 - names[::-1].index(tag)
            self._rich.look = self._open[at][1]
            del self._open[at:]
            self._rich.add(CLOSING.get(tag, ""))

    def _look_of(self, tag: str, rest: str) -> Look:
        look = TAGS.get(tag, Look())
        if not self._vtt:
            attribute = COLOUR_ATTRIBUTE.search(rest)
            return replace(look, color=colour(attribute[1])) if attribute else look
        look = combined(look, self._rules.get(tag, Look()))
        classes = rest.split(maxsplit=1)[0].split(".")[1:] if rest.startswith(".") else []
        for name in classes:
            look = combined(look, self._rules.get(f".{name}", Look(color=COLOURS.get(name))))
        return look

    def _command(self, command: re.Match[str]) -> None:
        align, number, letter, flag, bgr = command.groups()
        if align:
            self._placement = aligned(align, int(number)) or self._placement
        elif letter:
            self._rich.look = switched(self._rich.look, letter, flag == "1" or None)
        else:
            color = f"#{bgr[4:]}{bgr[2:4]}{bgr[:2]}".upper()
            self._rich.look = replace(self._rich.look, color=color)


def aligned(command: str, number: int) -> Placement | None:
    """``\\an1`` to ``\\an9`` as on a number pad, ``\\a1`` to ``\\a11`` as SSA had it."""
    if command == "a" and 1 <= number <= 11 and number % 4:
        row = {0: 0, 4: 2, 8: 1}[number & 12]
        number = row * 3 + (number & 3)
    positions = get_args(Position)
    return Placement(positions[number - 1]) if 1 <= number <= len(positions) else None


def _clock(text: str) -> int:
    whole, _, fraction = text.partition(".")
    *hours, minutes, seconds = whole.split(":")
    return milliseconds(hours[0] if hours else None, minutes, seconds, fraction)


def milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """A time of day in milliseconds; the fraction is one of a second, however short."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + round(float(f"0.{fraction or 0}") * 1000)


def tagged(
    cue: Cue,
    tags_of: Callable[[Look], Sequence[str]],
    escaped: Callable[[str], str],
    inserted: Mapping[int, str] = MappingProxyType({}),
) -> str:
    """The text of a cue with tags around its spans; ``inserted`` by the index of the character that
    it stands before."""
    before: defaultdict[int, str] = defaultdict(str)
    for span in cue.spans:
        closing = (f"</{re.split('[ .]', tag)[0]}>" for tag in reversed(tags_of(span.look)))
        before[span.end] += "".join(closing)
    for at, text in inserted.items():
        before[at] += text
    for span in cue.spans:
        before[span.start] += "".join(f"<{tag}>" for tag in tags_of(span.look))
    cuts = sorted({0, *before, len(cue.text)})
    pieces = (before[a] + escaped(cue.text[a:b]) for a, b in pairwise(cuts))
    return "".join([*pieces, before[len(cue.text)]])
