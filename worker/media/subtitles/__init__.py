"""A user's subtitle file, read, and no cue of it lost.

    bytes ──charset──▶ text ──formats──▶ srt, webvtt  (timed_text, markup, vtt_placement) ──▶ cues
                                     ├─▶ json_cues ─────────────────────────────────────────▶ cues
                                     └─▶ substation, ass_limits ──▶ script ──ass_cues───────▶ cues

``srt`` and ``webvtt`` also write files from cues.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pysubs2 import SSAFile

from worker.errors import JobError, JobWarning
from worker.media.cues import Cue, words_in
from worker.media.options import Options
from worker.media.subtitles.ass_cues import cues_of, letters_and_drawings
from worker.media.subtitles.ass_limits import Load, check_loads, check_script
from worker.media.subtitles.charset import decode
from worker.media.subtitles.formats import Format, format_of, refuse_foreign_bytes
from worker.media.subtitles.json_cues import read_json
from worker.media.subtitles.outside import count_outside
from worker.media.subtitles.srt import read_sbv, read_srt
from worker.media.subtitles.substation import read_substation
from worker.media.subtitles.webvtt import read_vtt

MAX_BYTES = 5 * 1024 * 1024
MAX_CUES = 20_000
MAX_CUE_CHARACTERS = 4_000
MAX_CHARACTERS = 1_000_000
"""Of the whole file: several times what is said in the longest film."""


@dataclass
class Subtitles:
    """What was read. ``script`` is the user's own, if the file is ASS or SSA."""

    format: Format
    charset: str
    own_cues: list[Cue] = field(default_factory=list)
    script: SSAFile | None = None
    warnings: list[JobWarning] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Subtitles in the file: what was read is what will be shown."""
        return len(self.script.events) if self.script else len(self.own_cues)

    def warn(self, code: str, **values: object) -> None:
        self.warnings.append(JobWarning.of(code, **values))

    def warn_of_ignored(self, lines: Sequence[int]) -> None:
        """Lines with text that belongs to no cue."""
        if lines:
            self.warn("text_ignored", count=len(lines), line=lines[0])

    @cached_property
    def cues(self) -> list[Cue]:
        """The cues; of a script, the texts of its events."""
        return cues_of(self.script) if self.script else self.own_cues


def read_subtitles(data: bytes, options: Options | None = None) -> Subtitles:
    """Read a subtitle file, whatever its name says. The language among the options helps to guess a
    charset; a script that keeps its styles is checked for what it asks of the renderer.

    Raises ``JobError``: ``subtitles_too_large``, ``subtitles_format`` (known, but not read),
    ``subtitles_unreadable``, ``subtitles_empty``, ``subtitles_too_complex``, or
    ``subtitles_incomplete`` when there are more cues in the file than could be understood.
    """
    if len(data) > MAX_BYTES:
        raise JobError("subtitles_too_large", reason=f"at most {MAX_BYTES >> 20} MB are allowed")
    options = options or Options()
    refuse_foreign_bytes(data)
    try:
        decoded = decode(data, options.language)
    except ValueError as error:
        raise JobError("subtitles_unreadable", repr(error), reason=str(error)) from error
    text = re.sub("\r+\n|\r", "\n", decoded.text)
    if not text.strip("\ufeff\0 \n\t"):
        raise JobError("subtitles_empty")
    subtitles = Subtitles(format_of(text), decoded.charset)
    if decoded.guessed:
        subtitles.warn("charset_guessed", charset=decoded.charset)
    if decoded.damaged:
        subtitles.warn("characters_damaged", count=decoded.damaged)
    READERS[subtitles.format](text, subtitles)
    _check(subtitles)
    if subtitles.script and not options.restyle:
        check_script(subtitles.script)
        if outside := count_outside(subtitles.script):
            subtitles.warn("cues_outside", count=outside)
    else:
        check_loads(Load(cue.start, cue.end) for cue in subtitles.cues)
    return subtitles


def _read_srt(text: str, subtitles: Subtitles) -> None:
    subtitles.own_cues, ignored = read_srt(text)
    subtitles.warn_of_ignored(ignored)


def _read_sbv(text: str, subtitles: Subtitles) -> None:
    subtitles.own_cues = read_sbv(text)


def _read_vtt(text: str, subtitles: Subtitles) -> None:
    subtitles.own_cues, ignored, twice = read_vtt(text)
    subtitles.warn_of_ignored(ignored)
    if twice:
        subtitles.warn("cues_repeated", count=twice)


def _read_json(text: str, subtitles: Subtitles) -> None:
    subtitles.own_cues = read_json(text)
    lost = sum(len(cue.words) - len(words_in(cue.text, cue.words)) for cue in subtitles.own_cues)
    if lost:
        subtitles.warn("words_not_found", count=lost)


def _read_substation(text: str, subtitles: Subtitles) -> None:
    subtitles.script, dropped = read_substation(text, subtitles.format)
    if dropped:
        subtitles.warn("attachments_dropped", count=dropped)


READERS: dict[Format, Callable[[str, Subtitles], None]] = {
    "srt": _read_srt,
    "sbv": _read_sbv,
    "vtt": _read_vtt,
    "json": _read_json,
    "ass": _read_substation,
    "ssa": _read_substation,
}


def _check(subtitles: Subtitles) -> None:
    if subtitles.count > MAX_CUES:
        raise JobError("subtitles_too_large", reason=f"at most {MAX_CUES} subtitles are allowed")
    shown = list(_shown(subtitles))
    if any(len(letters) > MAX_CUE_CHARACTERS for *_, letters in shown):
        reason = f"a subtitle may have at most {MAX_CUE_CHARACTERS} characters"
        raise JobError("subtitles_too_large", reason=reason)
    if sum(len(letters) for *_, letters in shown) > MAX_CHARACTERS:
        reason = f"its subtitles may have at most {MAX_CHARACTERS} characters together"
        raise JobError("subtitles_too_large", reason=reason)
    silent = sum(not something for _, _, something, _ in shown)
    if silent == len(shown):
        raise JobError("subtitles_empty")
    if silent:
        subtitles.warn("cues_without_text", count=silent)
    if backwards := sum(end <= start for start, end, *_ in shown):
        subtitles.warn("cues_backwards", count=backwards)


def _shown(subtitles: Subtitles) -> Iterator[tuple[int, int, bool, str]]:
    """Start, end, whether anything is drawn, and the letters of each subtitle."""
    if subtitles.script is None:
        for cue in subtitles.own_cues:
            yield cue.start, cue.end, bool(cue.text), cue.text
        return
    for event in subtitles.script:
        letters, drawings = letters_and_drawings(event.text)
        yield event.start, event.end, bool(letters.strip() or drawings), letters
