"""ASS and SSA: made canonical in front of pysubs2, which takes the order of fields for granted.

The fields are put into its order by the file's own ``Format:`` lines, numbers that are none get
their defaults, times are read here, and only styles and events are kept: no attached fonts or
pictures, no notes of an editor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pysubs2 import SSAFile

from worker.errors import JobError
from worker.media.cues import printable
from worker.media.subtitles.markup import milliseconds

SECTION = re.compile(r"^\ufeff?\s*\[([^\]]+)\]\s*$")
TIME = re.compile(r"^\s*(\d{1,9}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,9}))?\s*$")
NUMBER = re.compile(r"^\s*[-+]?\d{1,9}(?:\.\d{0,9})?\s*$")
COLOUR = re.compile(r"^\s*(?:&H[0-9a-f]{1,8}&?|-?\d{1,10})\s*$", re.IGNORECASE)
KEPT_INFO = {
    **dict.fromkeys(("PlayResX", "PlayResY", "LayoutResX", "LayoutResY"), r"[1-9]\d{0,4}"),
    "WrapStyle": "[0-3]",
    "ScaledBorderAndShadow": "(?i:yes|no)",
    "YCbCr Matrix": r"[\w.]{1,16}",
}
"""What of ``[Script Info]`` bears on the picture, and its possible values."""
ATTACHMENT = re.compile(r"^(?:fontname|filename)\s*:", re.IGNORECASE)

STYLE_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "ass": {
        "Name": "Default", "Fontname": "Noto Sans", "Fontsize": "20",
        "PrimaryColour": "&H00FFFFFF", "SecondaryColour": "&H000000FF",
        "OutlineColour": "&H00000000", "BackColour": "&H00000000",
        "Bold": "0", "Italic": "0", "Underline": "0", "StrikeOut": "0",
        "ScaleX": "100", "ScaleY": "100", "Spacing": "0", "Angle": "0",
        "BorderStyle": "1", "Outline": "2", "Shadow": "2", "Alignment": "2",
        "MarginL": "10", "MarginR": "10", "MarginV": "10", "Encoding": "1",
    },
    "ssa": {
        "Name": "Default", "Fontname": "Noto Sans", "Fontsize": "20",
        "PrimaryColour": "&HFFFFFF", "SecondaryColour": "&H0000FF",
        "TertiaryColour": "&H000000", "BackColour": "&H000000",
        "Bold": "0", "Italic": "0", "BorderStyle": "1", "Outline": "2", "Shadow": "2",
        "Alignment": "2", "MarginL": "10", "MarginR": "10", "MarginV": "10",
        "AlphaLevel": "0", "Encoding": "1",
    },
}  # fmt: skip
EVENT_DEFAULTS: Mapping[str, str] = {
    "Layer": "0", "Start": "", "End": "", "Style": "Default", "Name": "",
    "MarginL": "0", "MarginR": "0", "MarginV": "0", "Effect": "", "Text": "",
}  # fmt: skip
TEXT_FIELDS = {"Name", "Fontname", "Style", "Effect", "Text", "Start", "End"}
DECIMAL_FIELDS = {"Fontsize", "ScaleX", "ScaleY", "Spacing", "Angle", "Outline", "Shadow"}
LONGEST_TEXT = 50_000
ALIGNMENTS = {"ass": range(1, 10), "ssa": (1, 2, 3, 5, 6, 7, 9, 10, 11)}


def read_substation(text: str, kind: str) -> tuple[SSAFile, int]:
    """The script of an ASS or SSA file, and how many attached fonts and pictures it had.

    Raises ``subtitles_incomplete`` when the times of an event can't be read, and
    ``subtitles_too_complex``.
    """
    section = ""
    info, styles, events = [], [], []
    style_fields, event_fields = list(STYLE_DEFAULTS[kind]), list(EVENT_DEFAULTS)
    attachments = 0
    for number, line in enumerate(text.split("\n"), 1):
        key, colon, value = line.partition(":")
        key = key.strip()
        name = key.lower()
        if heading := SECTION.match(line):
            section = heading.group(1).strip().lower()
        elif colon and name == "dialogue":  # in whatever section it stands
            events.append((number, _canonical(value, event_fields, EVENT_DEFAULTS, kind)))
        elif section in ("fonts", "graphics"):
            attachments += bool(ATTACHMENT.match(line))
        elif not colon:
            continue
        elif section == "script info" and re.fullmatch(KEPT_INFO.get(key, "$."), value.strip()):
            info.append(f"{key}: {value.strip()}")
        elif section.endswith("styles"):
            if name == "format":
                style_fields = _field_names(value, STYLE_DEFAULTS[kind])
            elif name == "style":
                styles.append(_canonical(value, style_fields, STYLE_DEFAULTS[kind], kind))
        elif section == "events" and name == "format":
            event_fields = _field_names(value, EVENT_DEFAULTS)
    times = _times(events)
    if any(len(fields["Text"]) > LONGEST_TEXT for _, fields in events):
        reason = f"a line has more than {LONGEST_TEXT} characters with its commands"
        raise JobError("subtitles_too_complex", reason=reason)
    script = SSAFile.from_string(
        "\n".join(
            [
                "[Script Info]",
                *info,
                "[V4+ Styles]" if kind == "ass" else "[V4 Styles]",
                *("Style: " + ",".join(fields.values()) for fields in styles),
                "[Events]",
                *("Dialogue: " + ",".join(fields.values()) for _, fields in events),
            ]
        ),
        format_=kind,
    )
    for event, (start, end) in zip(script, times, strict=True):
        event.start, event.end = start, end
    return script, attachments


def _times(events: Sequence[tuple[int, dict[str, str]]]) -> list[tuple[int, int]]:
    """Start and end of each event in milliseconds; in their place stands a time for pysubs2."""
    times = []
    unread = []
    for number, fields in events:
        start, end = TIME.match(fields["Start"]), TIME.match(fields["End"])
        fields["Start"] = fields["End"] = "0:00:00.00"
        if start and end:
            times.append((milliseconds(*start.groups()), milliseconds(*end.groups())))
        else:
            unread.append(number)
    if unread:
        where = f"line {unread[0]}"
        raise JobError("subtitles_incomplete", kept=len(times), found=len(events), where=where)
    return times


def _field_names(value: str, known: Mapping[str, str]) -> list[str]:
    """The names of a ``Format:`` line, spelt as in ``known``."""
    spelling = {name.lower(): name for name in known} | {"marked": "Layer", "actor": "Name"}
    return [spelling.get(name.strip().lower(), name.strip()) for name in value.split(",")]


def _canonical(
    value: str, fields: list[str], defaults: Mapping[str, str], kind: str
) -> dict[str, str]:
    """The values of a line in canonical order, each fit for pysubs2."""
    given = dict(zip(fields, value.lstrip().split(",", len(fields) - 1), strict=False))
    return {
        name: _fit(name, given.get(name, default), default, kind)
        for name, default in defaults.items()
    }


def _fit(name: str, value: str, default: str, kind: str) -> str:
    if name == "Text":
        return printable(value).replace("\n", r"\N")
    if name in TEXT_FIELDS:
        return value.strip()
    if name.endswith("Colour"):
        return _colour(value.strip()) if COLOUR.match(value) else default
    value = value.lower().replace("marked=", "")
    if not NUMBER.match(value):
        return default
    if name in DECIMAL_FIELDS:
        return value.strip()
    if name == "Alignment" and float(value) not in ALIGNMENTS[kind]:
        return default
    return str(int(float(value)))


def _colour(value: str) -> str:
    """Old programs wrote 32 bits with a sign."""
    if value.startswith("&"):
        return value.rstrip("&")
    return str(int(value) & 0xFFFFFFFF)
