"""Cues of an ASS script: for another style, for a soft track, for a file beside the video."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from pysubs2 import SSAEvent, SSAFile

from worker.media.cues import Cue, Look
from worker.media.markup import aligned, switched
from worker.media.rich_text import RichText

PIECE = re.compile(r"\\[{}Nnh]|\{(?P<commands>[^}]*)\}|\\\u2060?|\{|[^\\{]+")
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
        for piece in PIECE.finditer(self._event.text):
            if piece["commands"] is not None:
                for command in COMMAND.finditer(piece["commands"]):
                    self._command(command)
            elif not self._drawing:
                self._rich.add(ESCAPES.get(piece.group(), piece.group()))
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
