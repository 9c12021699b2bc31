"""Which format a subtitle file is in: by its content, whatever its name says."""

from __future__ import annotations

import re
from typing import Literal

from worker.errors import JobError
from worker.media.subtitles.timed_text import ARROWS, COMMAS, WHOLE_TIMES, lines_of, timing_lines

Format = Literal["srt", "vtt", "sbv", "json", "ass", "ssa"]

# Of these we know what they are; they are not read. By the bytes in front:
FOREIGN_BYTES = (
    (rb"PK\x03\x04", "ZIP archive"),
    (rb"\x1f\x8b", "gzip archive"),
    (rb"Rar!", "RAR archive"),
    (rb"7z\xbc\xaf", "7-Zip archive"),
    (rb"%PDF", "PDF"),
    (rb"\{\\rtf", "RTF"),
    (rb"PG[\s\S]{8}[\x14-\x17\x80]", "PGS (Blu-ray pictures)"),
    (rb"\x00\x00\x01\xba", "VobSub (DVD pictures)"),
    (rb"[\s\S]{3}STL\d\d\.\d\d", "EBU STL"),
    (rb"\x1a\x45\xdf\xa3", "Matroska video"),
    (rb"[\s\S]{4}ftyp", "MP4 video"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", "picture"),
)
# By the text in front:
FOREIGN_TEXTS = (
    (r"<\?xml[\s\S]{0,500}<tt[\s:>]|<tt[\s:>]", "TTML"),
    (r"<SAMI", "SAMI"),
    (r"<!DOCTYPE html|<html", "HTML"),
    (r"<\?xml", "XML"),
    (r"# VobSub index file", "VobSub (DVD pictures)"),
    (r"Scenarist_SCC", "Scenarist (SCC)"),
    (r"\{\d+\}\{\d*\}", "MicroDVD"),
    (r"\[\d+\]\[\d*\]", "MPL2"),
    (r"(?:\[[a-z]+:[^\]\n]*\]\s*)*\[\d+:\d\d(?:[.:]\d+)?\]", "LRC"),
    (r"\d+:\d\d:\d\d[:=]", "TMPlayer"),
)
HAS_EVENT = re.compile(r"^[ \t]*Dialogue[ \t]*:", re.MULTILINE | re.IGNORECASE)


def refuse_foreign_bytes(data: bytes) -> None:
    """Raises ``subtitles_format`` for what is a known kind of file, but no text."""
    for pattern, name in FOREIGN_BYTES:
        if re.match(pattern, data):
            raise JobError("subtitles_format", format=name)


def format_of(text: str) -> Format:
    """Raises ``subtitles_format`` (known, but not read) or ``subtitles_unreadable``."""
    start = text.lstrip("\ufeff \n\t")
    if re.match(r"WEBVTT(?:\s|$)", start):
        return "vtt"
    if re.match(r'\[\s*[\[{\]]|\{\s*["}]', start):
        return "json"
    # A cue's text may look like a section of ASS, but then no event follows.
    if "-->" not in text or HAS_EVENT.search(text):
        if _has_section(r"V4\+ Styles", text):
            return "ass"
        if _has_section("V4 Styles", text):
            return "ssa"
        if _has_section("Events", text) and HAS_EVENT.search(text):
            return "ass"
    for pattern, name in FOREIGN_TEXTS:
        if re.match(pattern, start, re.IGNORECASE):
            raise JobError("subtitles_format", format=name)
    lines = [line for _, line in timing_lines(lines_of(text))]
    if any(notation.times(line) for line in lines for notation in ARROWS):
        return "srt"
    if any(COMMAS.times(line) for line in lines):
        return "sbv"
    if "-->" in text or any(WHOLE_TIMES.times(line) for line in lines):
        return "srt"
    raise JobError("subtitles_unreadable", reason="no line in it looks like a time")


def _has_section(name: str, text: str) -> bool:
    return bool(re.search(rf"^[ \t]*\[{name}\]", text, re.IGNORECASE | re.MULTILINE))
