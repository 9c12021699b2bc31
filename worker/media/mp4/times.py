"""When frames are shown, as ffmpeg tells its filters."""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import pairwise

from worker.media.mp4.samples import Samples
from worker.media.packets import DISCARD, Packets
from worker.media.refusal import Refusal


class Irregular(Refusal):
    """The frames' times can't be built on."""

    reasons = ("edit_list", "timestamps")


def shown_times(listed: Packets, samples: Samples, timescale: int) -> array[int]:
    """The time of each sample in units of ``timescale``, from ffmpeg's list of the packets:
    ``samples.pts`` is later by a constant. Raises ``Irregular``."""
    if any(flags & DISCARD for flags in listed.flags):
        raise Irregular("edit_list")
    if list(listed.sizes) != list(samples.sizes):
        raise Irregular("timestamps", "the index has other samples than the packets read")
    unit = Fraction(timescale) * listed.time_base
    if unit.denominator != 1:
        raise Irregular("timestamps", f"{listed.time_base} in a timescale of {timescale}")
    times = array("q", (time * unit.numerator for time in listed.pts))
    shift = samples.pts[0] - times[0] if times else 0
    if any(pts - time != shift for pts, time in zip(samples.pts, times, strict=True)):
        raise Irregular("timestamps", "the index has other times than the packets read")
    if len(set(times)) != len(times):
        raise Irregular("timestamps", "two frames at the same time")
    if any(after <= before for before, after in pairwise(samples.dts)):
        raise Irregular("timestamps", "decoding times do not grow")
    return times
