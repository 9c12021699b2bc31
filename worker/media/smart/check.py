"""Holds the result of a smart burn against the packets of its source."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from worker.media.packets import Packets
from worker.media.smart.plan import NotSmart, Span


def check_video(source: Packets, result: Packets, spans: Sequence[Span]) -> None:
    """Every frame at its time, decoding times that grow, and outside the spans the very bytes of
    the source. Raises ``NotSmart``."""
    count = len(source.pts)
    if len(result.pts) != count:
        raise NotSmart("failed", f"{len(result.pts)} of {count} frames")
    if any(after <= before for before, after in pairwise(result.dts)):
        raise NotSmart("failed", "decoding times do not grow")
    times, times_now = _ticks(source, result)
    if sorted(times) != sorted(times_now):
        raise NotSmart("failed", "a frame is shown at another time")
    copied = bytearray(b"\1" * count)
    for span in spans:
        copied[span.start : span.end] = bytes(span.end - span.start)
    before = zip(times, source.sizes, source.checksums, strict=True)
    after = zip(times_now, result.sizes, result.checksums, strict=True)
    for at, (old, new) in enumerate(zip(before, after, strict=True)):
        if copied[at] and old != new:
            raise NotSmart("failed", f"frame {at} was not copied as it is")


def check_sound(source: Packets, result: Packets) -> None:
    """The same packets. Raises ``NotSmart``."""
    if (source.sizes, source.checksums) != (result.sizes, result.checksums):
        raise NotSmart("failed", "the sound was not copied as it is")


def _ticks(source: Packets, result: Packets) -> tuple[list[int], list[int]]:
    """When frames are shown after the first one, of both in a unit that both are multiples of."""
    found = []
    for packets, other in ((source, result), (result, source)):
        base, other_base = packets.time_base, other.time_base
        unit = base.numerator * other_base.denominator
        first = min(packets.pts)
        found.append([(time - first) * unit for time in packets.pts])
    return found[0], found[1]
