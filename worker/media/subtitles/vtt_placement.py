"""Where a cue of WebVTT stands: its settings as one of nine positions with margins, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from worker.media.cues import Placement
from worker.media.style import Position

LINE_HEIGHT = 5.33
"""A line as browsers draw it, in per cent of the picture's height: the unit of ``line:3``."""
USUAL_DISTANCE = 16.0
"""A centred cue that ends no further than this from the bottom stands where cues usually do."""

SETTING = re.compile(r"(\w{1,30})\s*:\s*(\S+)")
NUMBER = re.compile(r"^(-?\d{1,9}(?:\.\d{1,9})?)(%?)$")
SIDES = {"start": "left", "left": "left", "end": "right", "right": "right"}


def placed(
    settings: str, height: float, regions: Mapping[str, Mapping[str, str]]
) -> Placement | None:
    """Where the settings put a cue whose text is ``height`` per cent of the picture high.

    None where that is the usual place, at the bottom in the middle: there the style decides.
    """
    given = dict(SETTING.findall(settings))
    region = regions.get(given.get("region", ""))
    side = SIDES.get(given.get("align", "center"), "center")
    left, right = _across(given, side)
    row, distance = _down(given.get("line", ""), height)
    if region is not None:
        left, right, row, distance = _in_region(region)
    usual = row == "bottom" and (distance or 0) <= USUAL_DISTANCE
    if usual and side == "center" and left == right:
        return None
    position = cast(Position, f"{row}-{side}")
    return Placement(position, left, right, None if usual else distance)


def settings_of(placement: Placement) -> str:
    """The settings that put a cue there, with a space in front; its margins are left out."""
    row, side = placement.position.split("-")
    line = {"top": " line:0", "middle": " line:50%,center", "bottom": ""}[row]
    align = {"left": " position:0% align:left", "center": "", "right": " position:100% align:right"}
    return line + align[side]


def _across(given: Mapping[str, str], side: str) -> tuple[float, float]:
    """The margins left and right, in per cent of the width."""
    position, _, anchor = given.get("position", "").partition(",")
    usual = {"left": 0.0, "center": 50.0, "right": 100.0}[side]
    at = _per_cent(position, usual)
    anchor = {"line-left": "left", "line-right": "right"}.get(anchor, SIDES.get(anchor, anchor))
    if anchor not in ("left", "center", "right"):
        anchor = "center" if anchor else side
    most = {"left": 100 - at, "center": 2 * min(at, 100 - at), "right": at}[anchor]
    size = min(_per_cent(given.get("size", ""), 100.0), most)
    left = {"left": at, "center": at - size / 2, "right": at - size}[anchor]
    return left, 100 - left - size


def _down(line: str, height: float) -> tuple[str, float | None]:
    """The row, and the distance from its edge in per cent of the height."""
    value, _, anchor = line.partition(",")
    match = NUMBER.match(value)
    if not match:
        return "bottom", None
    at = float(match[1])
    if not match[2]:
        return ("top", at * LINE_HEIGHT) if at >= 0 else ("bottom", (-at - 1) * LINE_HEIGHT)
    top = at - {"center": height / 2, "end": height}.get(anchor, 0.0)
    middle = top + height / 2
    if abs(middle - 50) <= LINE_HEIGHT:
        return "middle", None
    return ("top", max(0.0, top)) if middle < 50 else ("bottom", max(0.0, 100 - top - height))


def _in_region(region: Mapping[str, str]) -> tuple[float, float, str, float]:
    """A region's text stands at its lower edge."""
    width = _per_cent(region.get("width", ""), 100.0)
    lines = region.get("lines", "3")
    height = (int(lines) if re.fullmatch(r"\d{1,3}", lines) else 3) * LINE_HEIGHT
    anchor_x, anchor_y = _pair(region.get("regionanchor", ""), (0.0, 100.0))
    x, y = _pair(region.get("viewportanchor", ""), (0.0, 100.0))
    left = min(max(x - anchor_x * width / 100, 0.0), 100 - width)
    lower_edge = y + (100 - anchor_y) * height / 100
    return left, 100 - left - width, "bottom", max(0.0, min(100 - lower_edge, 100 - height))


def _per_cent(value: str, default: float) -> float:
    match = NUMBER.match(value)
    return min(max(float(match[1]), 0.0), 100.0) if match and match[2] else default


def _pair(value: str, default: tuple[float, float]) -> tuple[float, float]:
    x, _, y = value.partition(",")
    return _per_cent(x, default[0]), _per_cent(y, default[1])
