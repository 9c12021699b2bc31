"""Cues of an ASS script: for another style, for a soft track, for a file beside the video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from pysubs2 import SSAEvent, SSAFile

from worker.media.cues import Cue, Look
from worker.media.subtitles.markup import aligned, switched
from worker.media.subtitles.rich_text import RichText

DRAWING = re.compile(r"\\p(\d+)")
ESCAPE = re.compile(r"\\[{}Nnh]|\\\u2060")
COMMAND = re.compile(
    r"\\(?:(?P<align>an?)(?P<number>\d{1,2})"
    r"|(?P<letter>[ibus])(?P<flag>\d{0,4})(?![a-z])"
    r"|1?c&?H?(?P<bgr>[0-9a-fA-F]{0,8})&?"
    r"|[kK][fo]?(?P<karaoke>\d{1,6})"
    r"|p(?P<drawing>\d)"
    r"|(?P<reset>r)(?!nd))"
)
ESCAPES = {r"\N": "\n", r"\n": " ", r"\h": "\u00a0", r"\{": "{", r"\}": "}", "\\\u2060": "\\"}


def cues_of(script: SSAFile) -> list[Cue]:
    """The texts of a script in order of time; drawings are left out."""
    cues = [_Reader(script, event).cue() for event in script.events]
    return sorted((cue for cue in cues if cue.text), key=lambda cue: (cue.start, cue.end))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """An event's text in pairs of plain text and the commands in the braces behind it. A brace that
    does not close is text, and so is one behind a backslash."""
    at = 0
    while at < len(text):
        opening = text.find("{", at)
        while opening > 0 and text[opening - 1] == "\\":
            opening = text.find("{", opening + 1)
        closing = text.find("}", opening) if opening >= 0 else -1
        if closing < 0:
            yield text[at:], ""
            return
        yield text[at:opening], text[opening + 1 : closing]
        at = closing + 1


def letters_and_drawings(text: str) -> tuple[str, list[tuple[str, int]]]:
    """The letters of an event's text, and its drawings with the power of two they shrink by."""
    letters, drawings = "", []
    scale = 0
    for part, commands in pieces(text):
        if scale and part:
            drawings.append((part, min(scale, 31) - 1))
        else:
            letters += part
        for value in DRAWING.findall(commands):
            scale = int(value[:4])
    return letters, drawings


class _Reader:
    """Reads one event."""

    def __init__(self, script: SSAFile, event: SSAEvent) -> None:
        style = script.styles.get(event.style)
        self._event = event
        # A style in italics says something about its texts; its other looks are the file's taste.
        self._base = Look(italic=True) if style and style.italic else Look()
        self._placement = aligned("an", int(style.alignment)) if style else None
        self._rich = RichText(self._base)
        self._clock = event.start
        self._times = [event.start]
        self._drawing = False

    def cue(self) -> Cue:
        for text, commands in pieces(self._event.text):
            if not self._drawing:
                self._rich.add(ESCAPE.sub(lambda match: ESCAPES[match.group()], text))
            for command in COMMAND.finditer(commands):
                self._command(command)
        self._rich.finish()
        times = list(pairwise([*self._times, self._clock]))
        return Cue(
            self._event.start,
            self._event.end,
            self._rich.text,
            self._rich.spans,
            self._rich.words(times) if len(times) > 1 else (),
            self._placement if self._placement != aligned("an", 2) else None,
        )

    def _command(self, command: re.Match[str]) -> None:
        look = self._rich.look
        if command["align"]:
            self._placement = aligned(command["align"], int(command["number"])) or self._placement
        elif command["letter"]:
            on = command["flag"] not in ("", "0", "400") or None
            self._rich.look = switched(look, command["letter"], on)
        elif command["bgr"] is not None:
            bgr = command["bgr"].rjust(6, "0")[-6:]
            color = f"#{bgr[4:]}{bgr[2:4]}{bgr[:2]}".upper() if command["bgr"] else None
            self._rich.look = replace(look, color=color)
        elif command["karaoke"]:
            self._times.append(self._clock)
            self._clock += int(command["karaoke"]) * 10
            self._rich.begin_word()
        elif command["drawing"]:
            self._drawing = command["drawing"] != "0"
        else:
            self._rich.look = self._base
