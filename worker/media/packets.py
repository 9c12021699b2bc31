"""The packets of a file as ffmpeg's framecrc lists them: how many frames, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
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
