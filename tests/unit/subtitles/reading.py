"""Short ways to say what is read from a file."""

from __future__ import annotations

import pytest

from worker.errors import JobError
from worker.media.cues import Cue
from worker.media.subtitles import read_subtitles

Times = tuple[int, int, str]


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def cues_of(text: str | bytes) -> list[Cue]:
    return read_subtitles(as_bytes(text)).cues


def times_of(text: str | bytes) -> list[Times]:
    """Start and end in milliseconds, and the text."""
    return [(cue.start, cue.end, cue.text) for cue in cues_of(text)]


def codes_of(text: str | bytes) -> list[str]:
    """The codes of the warnings."""
    return [warning.code for warning in read_subtitles(as_bytes(text)).warnings]


def error_of(text: str | bytes) -> JobError:
    with pytest.raises(JobError) as raised:
        read_subtitles(as_bytes(text))
    return raised.value


def one_cue(text: str) -> str:
    """An SRT file with one cue."""
    return f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"
