"""Frames in the order of decoding against the order in which they are shown."""

from __future__ import annotations

from collections.abc import Sequence


def clean_points(pts: Sequence[int]) -> bytearray:
    """For each sample whether all samples before it are shown before all from it on."""
    clean = bytearray(len(pts))
    least = None
    after = [0] * len(pts)
    for at in range(len(pts) - 1, -1, -1):
        least = pts[at] if least is None else min(least, pts[at])
        after[at] = least
    latest: int | None = None
    for at, time in enumerate(pts):
        clean[at] = latest is None or latest < after[at]
        latest = time if latest is None else max(latest, time)
    return clean


def reorder_depth(pts: Sequence[int]) -> int:
    """By how many places a picture is decoded too early at most: 0 without B-frames."""
    rank = {time: at for at, time in enumerate(sorted(pts))}
    return max((at - rank[time] for at, time in enumerate(pts)), default=0)
