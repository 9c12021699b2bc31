"""The packets of a file as ffmpeg's framecrc lists them: how many, from when to when."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

DISCARD = 0x4
"""Flag of a packet that is decoded but not shown (it lies outside the file's edit list)."""
NO_TIME = -(1 << 63)
ENCRYPTED_PACKET = "Encryption info"
"""What stands behind a packet under Common Encryption."""


@dataclass
class Track:
    """One stream: how many of its packets are to be shown, the seconds at which they begin and end,
    whether some between them are not to be shown (an edit list with cuts), whether any is
    encrypted, and whether any has no time of its own, so that one was guessed."""

    packets: int = 0
    start: float = 0.0
    end: float = 0.0
    cut: bool = False
    encrypted: bool = False
    guessed: bool = False

    @property
    def duration(self) -> float:
        return self.end - self.start


@dataclass
class Timeline:
    """The streams in their order: the video, then the sound if there is any, then the rest."""

    tracks: list[Track] = field(default_factory=list)

    @property
    def video(self) -> Track:
        return self.tracks[0] if self.tracks else Track()

    @property
    def audio(self) -> Track:
        return self.tracks[1] if len(self.tracks) > 1 else Track()

    @property
    def end(self) -> float:
        """When the last of all streams ends."""
        return max((track.end for track in self.tracks), default=0.0)


def read_timeline(path: Path) -> Timeline:
    """Read a framecrc file."""
    bases: dict[int, Fraction] = {}
    counts: dict[int, int] = {}
    spans: dict[int, tuple[int, int, int]] = {}
    cuts: set[int] = set()
    encrypted: set[int] = set()
    guessed: set[int] = set()
    with path.open(encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("#tb "):
                stream, base = line[4:].split(":")
                bases[int(stream)] = Fraction(base.strip())
            if line.startswith("#"):
                continue
            first, dts, pts, length, size, _, *flags = (part.strip() for part in line.split(","))
            number = int(first)
            if ENCRYPTED_PACKET in flags:
                encrypted.add(number)
            if any(flag.startswith("F=") and int(flag[2:], 0) & DISCARD for flag in flags):
                if number in counts:
                    cuts.add(number)
                continue
            # AVI has packets without bytes where the picture before stays.
            counts[number] = counts.get(number, 0) + (size != "0")
            # MPEG program streams have a time for some pictures only.
            time = int(pts)
            if time == NO_TIME:
                guessed.add(number)
                time = int(dts)
            if time != NO_TIME:
                # Only the last one's length counts: in MP4 it is the distance to the next packet in
                # the order of decoding, which may lie beyond a gap.
                start, latest, end = spans.get(number, (time, time - 1, time))
                if time > latest:
                    latest, end = time, time + int(length)
                spans[number] = (min(start, time), latest, end)

    def track(number: int, base: Fraction) -> Track:
        start, _, end = (float(time * base) for time in spans.get(number, (0, 0, 0)))
        return Track(
            counts.get(number, 0),
            start,
            end,
            cut=number in cuts,
            encrypted=number in encrypted,
            guessed=number in guessed,
        )

    return Timeline([track(number, base) for number, base in sorted(bases.items())])


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
