"""ASS and SSA: made canonical in front of pysubs2, which takes the order of fields for granted.

The fields are put into its order by the file's own ``Format:`` lines, numbers that are none get
their defaults, and only styles and events are kept: no attached fonts or pictures, no notes of an
editor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pysubs2 import SSAFile

from worker.errors import JobError

SECTION = re.compile(r"^\ufeff?\s*\[([^\]]+)\]\s*$")
TIME = re.compile(r"^\s*\d+:\d{1,2}:\d{1,2}(?:[.:,]\d+)?\s*$")
NUMBER = re.compile(r"^\s*[-+]?\d{1,9}(?:\.\d{0,9})?\s*$")
COLOUR = re.compile(r"^\s*(?:&H[0-9a-f]{1,8}&?|\d{1,10})\s*$", re.IGNORECASE)
KEPT_INFO = ("PlayResX", "PlayResY", "WrapStyle", "ScaledBorderAndShadow", "YCbCr Matrix")

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
ALIGNMENTS = {"ass": range(1, 10), "ssa": (1, 2, 3, 5, 6, 7, 9, 10, 11)}


def read_substation(text: str, kind: str) -> SSAFile:
    """The script of an ASS (``kind`` "ass") or SSA ("ssa") file.

    Raises ``subtitles_incomplete`` when the times of an event can't be read.
    """
    section = ""
    info, styles, events = [], [], []
    style_fields, event_fields = list(STYLE_DEFAULTS[kind]), list(EVENT_DEFAULTS)
    unread: int | None = None
    for number, line in enumerate(text.split("\n"), 1):
        key, colon, value = line.partition(":")
        key = key.strip()
        if heading := SECTION.match(line):
            section = heading.group(1).strip().lower()
        elif not colon:
            continue
        elif section == "script info" and key in KEPT_INFO:
            info.append(f"{key}: {value.strip()}")
        elif section.endswith("styles"):
            if key == "Format":
                style_fields = _field_names(value, STYLE_DEFAULTS[kind])
            elif key == "Style":
                styles.append(_canonical(value, style_fields, STYLE_DEFAULTS[kind], kind))
        elif section == "events":
            if key == "Format":
                event_fields = _field_names(value, EVENT_DEFAULTS)
            elif key == "Dialogue":
                fields = _canonical(value, event_fields, EVENT_DEFAULTS, kind)
                events.append(fields)
                if not (TIME.match(fields["Start"]) and TIME.match(fields["End"])):
                    unread = unread or number
    if unread is not None:
        lost = sum(not (TIME.match(e["Start"]) and TIME.match(e["End"])) for e in events)
        raise JobError(
            "subtitles_incomplete",
            kept=len(events) - lost,
            found=len(events),
            where=f"line {unread}",
        )
    return SSAFile.from_string(
        "\n".join(
            [
                "[Script Info]",
                *info,
                "[V4+ Styles]" if kind == "ass" else "[V4 Styles]",
                *("Style: " + ",".join(fields.values()) for fields in styles),
                "[Events]",
                *("Dialogue: " + ",".join(fields.values()) for fields in events),
            ]
        ),
        format_=kind,
    )


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
    if name in TEXT_FIELDS:
        return value if name == "Text" else value.strip()
    if name.endswith("Colour"):
        return value.strip().rstrip("&") if COLOUR.match(value) else default
    value = value.lower().replace("marked=", "")
    if not NUMBER.match(value):
        return default
    if name in DECIMAL_FIELDS:
        return value.strip()
    if name == "Alignment" and float(value) not in ALIGNMENTS[kind]:
        return default
    return str(int(float(value)))
