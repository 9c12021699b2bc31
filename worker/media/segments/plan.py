"""Where a video is cut, and what a segment is. A confined process imports it (see ``child``)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from worker.media.mp4.order import clean_points
from worker.media.refusal import Refusal

MOST_SEGMENTS = 512


REASONS = (
    "hardware",
    "container",
    "codec",
    "interlaced",
    "edit_list",
    "index",
    "timestamps",
    "keyframes",
    "decoding",
    "missing",
    "failed",
)
"""Why a video is burned as a whole although it is long; see docs/scaling.md."""


class Unfit(Refusal):
    """A video can't be made of segments, and is burned as a whole."""

    reasons = REASONS


@dataclass(frozen=True)
class Extent:
    """Some of a file's bytes."""

    offset: int
    length: int

    @property
    def slice(self) -> slice:
        return slice(self.offset, self.offset + self.length)


@dataclass(frozen=True)
class Segment:
    """``head`` lies in ``heads.bin``, ``data`` in the user's file; ``start``: the time of the first
    frame, in units of the timescale; ``frames``: how many there are."""

    head: Extent
    data: Extent
    start: int
    frames: int


@dataclass(frozen=True)
class Layout:
    """All segments, in order. ``rate``: frames per second on average, as a fraction: what encoders
    take for the rate, so that all take the same."""

    timescale: int
    rate: tuple[int, int]
    segments: list[Segment]


def choose_cuts(times: Sequence[int], keys: Sequence[int], longest: int) -> list[int]:
    """The samples with which segments begin, in decode order: as evenly as keyframes allow, in
    pieces of ``longest`` (about) or shorter. Raises ``Unfit`` when there are not two of them."""
    clean = clean_points(times)
    places = [at for at, key in enumerate(keys) if key and clean[at]]
    if not places or places[0] != 0:
        raise Unfit("keyframes", "the first frame is none")
    begin, length = min(times), max(times) - min(times)
    count = min(MOST_SEGMENTS, ceil(length / longest))
    found = [times[at] for at in places]
    cuts = {0}
    for number in range(1, count):
        goal = begin + length * number // count
        after = min(bisect_left(found, goal), len(found) - 1)
        near = min(max(0, after - 1), after, key=lambda place: abs(found[place] - goal))
        cuts.add(places[near])
    if len(cuts) < 2:
        raise Unfit("keyframes", f"{len(places)} places to cut")
    return sorted(cuts)
