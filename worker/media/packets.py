"""The packets of a file as ffmpeg's framecrc lists them: how many frames, from when to when."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

DISCARD = 0x4
"""Flag of a packet that is decoded but not shown (it lies outside the file's edit list)."""


@dataclass
class Timeline:
    """Of the first stream, the video: how many packets are to be shown, and the seconds at which
    they begin and end. Of all streams together: when the last one ends."""

    frames: int = 0
    video_start: float = 0.0
    video_end: float = 0.0
    end: float = 0.0

    @property
    def video_duration(self) -> float:
        return self.video_end - self.video_start


def read_timeline(path: Path) -> Timeline:
    """Read a framecrc file whose first stream is the video."""
    bases: dict[str, Fraction] = {}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    frames = 0
    with path.open(encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("#tb "):
                stream, base = line[4:].split(":")
                bases[stream] = Fraction(base.strip())
            if line.startswith("#"):
                continue
            stream, _, pts, duration, _, _, *flags = (part.strip() for part in line.split(","))
            if any(flag.startswith("F=") and int(flag[2:], 0) & DISCARD for flag in flags):
                continue
            if not pts.lstrip("-").isdigit():
                continue
            frames += stream == "0"
            first[stream] = min(int(pts), first.get(stream, int(pts)))
            last[stream] = max(int(pts) + int(duration), last.get(stream, int(pts)))
    starts = {stream: float(pts * bases[stream]) for stream, pts in first.items()}
    ends = {stream: float(pts * bases[stream]) for stream, pts in last.items()}
    return Timeline(
        frames, starts.get("0", 0.0), ends.get("0", 0.0), max(ends.values(), default=0.0)
    )


@dataclass
class Packets:
    """The packets of one stream in decode order, a list for each property; times in units of
    ``time_base`` seconds, ``NO_TIME`` where there is none."""

    time_base: Fraction = Fraction(1)
    dts: array[int] = field(default_factory=lambda: array("q"))
    pts: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    checksums: array[int] = field(default_factory=lambda: array("q"))
    flags: array[int] = field(default_factory=lambda: array("q"))


KEYFRAME = 0x1
NO_TIME = -(1 << 63)


def read_packets(path: Path) -> dict[str, Packets]:
    """Read a framecrc file: its streams by their number."""
    streams: dict[str, Packets] = {}
    with path.open(encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("#tb "):
                number, base = line[4:].split(":")
                streams[number] = Packets(Fraction(base.strip()))
            if line.startswith("#"):
                continue
            number, dts, pts, _, size, checksum, *more = (part.strip() for part in line.split(","))
            packets = streams[number]
            packets.dts.append(_time(dts))
            packets.pts.append(_time(pts))
            packets.sizes.append(int(size))
            packets.checksums.append(int(checksum, 0))
            flags = next((int(part[2:], 0) for part in more if part.startswith("F=")), KEYFRAME)
            packets.flags.append(flags)
    return streams


def _time(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else NO_TIME
