"""A user's subtitle file, read: bytes → characters → format by content → cues, and none is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from pysubs2 import SSAFile

from worker.errors import JobError, JobWarning
from worker.media.charset import decode
from worker.media.substation import read_substation
from worker.media.timed_text import read_srt, read_vtt

Format = Literal["srt", "vtt", "ass", "ssa"]

MAX_BYTES = 5 * 1024 * 1024
MAX_CUES = 20_000
MAX_CUE_CHARACTERS = 4_000


@dataclass
class Subtitles:
    """Cues as an ASS script; ``styled`` when the file brought its own styles (ASS, SSA)."""

    format: Format
    charset: str
    script: SSAFile
    warnings: list[JobWarning] = field(default_factory=list)

    @property
    def styled(self) -> bool:
        return self.format in ("ass", "ssa")


def read_subtitles(data: bytes) -> Subtitles:
    """Read a subtitle file, whatever its name says.

    Raises ``JobError``: ``subtitles_too_large``, ``subtitles_unreadable``, ``subtitles_empty``, or
    ``subtitles_incomplete`` when there are more cues in the file than could be understood.
    """
    if len(data) > MAX_BYTES:
        raise JobError("subtitles_too_large", reason=f"at most {MAX_BYTES >> 20} MB are allowed")
    try:
        text, charset = decode(data)
    except ValueError as error:
        raise JobError("subtitles_unreadable", repr(error), reason=str(error)) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip("\ufeff\0 \n\t"):
        raise JobError("subtitles_empty")

    kind = detect_format(text)
    if kind in ("ass", "ssa"):
        script = read_substation(text, kind)
    else:
        script = SSAFile()
        script.events = read_vtt(text) if kind == "vtt" else read_srt(text)
    subtitles = Subtitles(kind, charset, script)
    _check(subtitles)
    return subtitles


def detect_format(text: str) -> Format:
    """The format by content. Raises ``subtitles_unreadable``."""
    if re.match(r"\ufeff?\s*WEBVTT(\s|$)", text):
        return "vtt"
    # A cue's text may look like a section of ASS, but then no event follows.
    if "-->" not in text or re.search(r"^\s*Dialogue\s*:", text, re.MULTILINE):
        if re.search(r"^\s*\[V4\+ Styles\]", text, re.IGNORECASE | re.MULTILINE):
            return "ass"
        if re.search(r"^\s*\[V4 Styles\]", text, re.IGNORECASE | re.MULTILINE):
            return "ssa"
    if "-->" in text:
        return "srt"
    raise JobError("subtitles_unreadable", reason="no line in it looks like a time")


def _check(subtitles: Subtitles) -> None:
    events = subtitles.script.events
    if len(events) > MAX_CUES:
        raise JobError("subtitles_too_large", reason=f"at most {MAX_CUES} subtitles are allowed")
    if any(len(event.text) > MAX_CUE_CHARACTERS for event in events):
        raise JobError(
            "subtitles_too_large",
            reason=f"a subtitle may have at most {MAX_CUE_CHARACTERS} characters",
        )
    silent = sum(not event.plaintext.strip() for event in events)
    if silent == len(events):
        raise JobError("subtitles_empty")
    if silent:
        subtitles.warnings.append(JobWarning.of("cues_without_text", count=silent))
    if backwards := sum(event.end <= event.start for event in events):
        subtitles.warnings.append(JobWarning.of("cues_backwards", count=backwards))
