"""Which frames to encode again: the shortest spans that hold all subtitles and can be cut out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from worker.media.mp4.order import clean_points
from worker.media.refusal import Refusal

Interval = tuple[int, int]
"""Begin and end (not included), in units of a timescale."""


REASONS = (
    "not_worth_it",
    "no_subtitles",
    "container",
    "codec",
    "interlaced",
    "picture",
    "edit_list",
    "parameter_sets",
    "keyframes",
    "timestamps",
    "hardware",
    "disk",
    "failed",
)
"""Why a video was burned in full although a smart burn was asked for; see docs/performance.md."""


class NotSmart(Refusal):
    """A smart burn is not possible or not worth it."""

    reasons = REASONS


@dataclass(frozen=True)
class Span:
    """Samples, by their number in decode order: decoding begins at ``decode``, encoding at
    ``start``, both end in front of ``end``."""

    decode: int
    start: int
    end: int


@dataclass(frozen=True)
class Plan:
    """The spans in order, and what share of all frames they hold."""

    spans: list[Span]
    share: float


def make_plan(pts: Sequence[int], idr: Sequence[int], shown: Sequence[Interval]) -> Plan:
    """Spans for the frames whose time lies in ``shown`` (in order, apart from each other).

    ``pts`` and ``idr`` (whether a sample is an IDR picture) are in decode order. A span may start
    where everything before it is shown earlier; it must end where that holds and an IDR follows.
    """
    clean = clean_points(pts)
    if not pts or not idr[0]:
        raise NotSmart("keyframes", "the first picture is no IDR picture")
    cuts = [at for at in range(len(pts)) if idr[at] and clean[at]]
    begins = [begin for begin, _ in shown]

    def has_text(at: int) -> bool:
        nearest = bisect_right(begins, pts[at]) - 1
        return nearest >= 0 and pts[at] < shown[nearest][1]

    spans: list[Span] = []
    for cut, end in zip(cuts, [*cuts[1:], len(pts)], strict=True):
        first = next((at for at in range(cut, end) if has_text(at)), None)
        if first is None:
            continue
        start = next(at for at in range(first, cut - 1, -1) if clean[at])
        if spans and spans[-1].end == start:
            spans[-1] = Span(spans[-1].decode, spans[-1].start, end)
        else:
            spans.append(Span(cut, start, end))
    return Plan(spans, sum(span.end - span.start for span in spans) / len(pts))


def merged(intervals: Sequence[Interval]) -> list[Interval]:
    """In order, and those that touch as one."""
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
