"""ffmpeg's own listing of an input, read: it is always there, ffprobe may not be.

A file can't forge its lines: ffmpeg indents the values of metadata, also after their line breaks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CONTAINER = re.compile(r"^Input #0, (\S+), from ", re.MULTILINE)
DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
START = re.compile(r"^  Duration: .*?, start: (-?[\d.]+)", re.MULTILINE)
STREAM = re.compile(
    r"^  Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\(([^)]*)\))?: (\w+): (.*)\n((?:    .*\n)*)",
    re.MULTILINE,
)
GROUP = re.compile(r"^  Stream group #0:\d+\S*: ([^:\n]*):?.*\n((?:    .*\n)*)", re.MULTILINE)
SIZE = re.compile(r", (\d+)x(\d+)[, ]")
SAMPLE_RATE = re.compile(r", [1-9]\d* Hz\b")
FRAME_RATE = re.compile(r", ([\d.]+)(k?) fps")
BASE_RATE = re.compile(r", ([\d.]+)(k?) tbr")
PHOTO = re.compile(r"^    major_brand +: (?:avif|mif[12]|miaf|he(?:ic|ix|im|is))$", re.MULTILINE)
HIGHEST_FRAME_RATE = 240
FIELDS = re.compile(r"\([^)]*\b(?:top|bottom) (?:coded )?first\b")
DOLBY_VISION = re.compile(r"^ +DOVI configuration record:.*compatibility id: (\d+)", re.MULTILINE)
ENCRYPTED = re.compile(
    r"\((?:encv|enca|drmi|drms) / |^ +enc_key_id +:|^ +Encryption in", re.MULTILINE
)


@dataclass(frozen=True)
class Stream:
    """One stream: its index, its kind (``Video``, ``Audio``, …), the rest of its line, and the
    indented lines below it."""

    index: int
    kind: str
    text: str
    below: str

    @property
    def codec(self) -> str:
        return re.split(r"[ ,(]", self.text, maxsplit=1)[0]

    @property
    def readable(self) -> bool:
        """It is of a codec that ffmpeg knows, and its beginning could be understood."""
        sound = bool(SAMPLE_RATE.search(self.text)) and ", 0 channels" not in self.text
        return self.codec not in ("none", "unknown") and (sound or self.kind != "Audio")

    @property
    def default(self) -> bool:
        return "(default)" in self.text

    @property
    def cover(self) -> bool:
        """A picture that belongs to the file, not a moving one."""
        return "(attached pic)" in self.text

    @property
    def timed(self) -> bool:
        """It has a place in time."""
        known = self.kind in ("Video", "Audio", "Subtitle") and self.readable
        return (known or self.kind == "Data") and not self.cover

    @property
    def encrypted(self) -> bool:
        return bool(ENCRYPTED.search(self.text) or ENCRYPTED.search(self.below))

    @property
    def width(self) -> int:
        """As coded; 0 when it isn't known."""
        return int(self._size[0])

    @property
    def height(self) -> int:
        return int(self._size[1])

    @property
    def _size(self) -> tuple[str, ...]:
        found = SIZE.search(self.text)
        return found.groups() if found else ("0", "0")

    @property
    def frame_rate(self) -> float | None:
        return _rate(FRAME_RATE, self.text) or _rate(BASE_RATE, self.text)

    @property
    def interlaced(self) -> bool:
        return bool(FIELDS.search(self.text))

    @property
    def alpha(self) -> bool:
        """Matroska says so; the codec's own pixel format doesn't."""
        return bool(re.search(r"^ +alpha_mode +: 1$", self.below, re.MULTILINE | re.IGNORECASE))

    @property
    def dolby_vision(self) -> int | None:
        """What the base layer is compatible with: 0 nothing, 1 HDR10, 2 SDR, 4 HLG, 6 Blu-ray."""
        found = DOLBY_VISION.search(self.below)
        return int(found.group(1)) if found else None


@dataclass(frozen=True)
class Listing:
    """A container (None: ffmpeg could not open it), when it begins and for how long it says that
    it lasts, in seconds (None: it doesn't), and its streams."""

    container: str | None
    start: float
    duration: float | None
    streams: list[Stream] = field(default_factory=list)


def read_listing(log: str) -> Listing:
    """Read what ffmpeg printed up to the end of the input."""
    log = re.split(r"^Output #0|^Stream mapping:", log, maxsplit=1, flags=re.MULTILINE)[0] + "\n"
    log = GROUP.sub(_outside_its_group, log)
    container = CONTAINER.search(log)
    duration = DURATION.search(log)
    start = START.search(log)
    if "Estimating duration from bitrate" in log:
        duration = None
    if duration is None and PHOTO.search(log):
        return Listing(container and container.group(1), 0.0, None)
    streams = [
        Stream(int(index), kind, text, below) for index, _, kind, text, below in STREAM.findall(log)
    ]
    return Listing(
        container.group(1) if container else None,
        float(start.group(1)) if start else 0.0,
        _seconds(*duration.groups()) if duration else None,
        streams,
    )


def _outside_its_group(group: re.Match[str]) -> str:
    """Streams of a group stand two spaces further in. The tiles of a photo (HEIF) are no videos."""
    return "" if group.group(1) == "Tile Grid" else re.sub(r"(?m)^  ", "", group.group(2))


def _rate(pattern: re.Pattern[str], description: str) -> float | None:
    match = pattern.search(description)
    rate = float(match.group(1)) * (1000 if match.group(2) else 1) if match else 0.0
    return rate if 0 < rate <= HIGHEST_FRAME_RATE else None


def _seconds(hours: str, minutes: str, seconds: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
