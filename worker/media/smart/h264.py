"""H.264 as far as copying and encoding must fit together: parameter sets and kinds of NAL units."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

SLICE, IDR_SLICE, SPS, PPS = 1, 5, 7, 8
HARMLESS = {6, 9, 10, 11, 12}
"""SEI, delimiter, end of sequence, end of stream, filler."""
PROFILES = {66: "baseline", 77: "main", 100: "high"}
WITH_CHROMA = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


@dataclass(frozen=True)
class AvcConfig:
    """The content of an ``avcC`` box."""

    profile: int
    compatibility: int
    level: int
    length_size: int
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    extension: bytes

    @classmethod
    def parse(cls, data: bytes) -> AvcConfig:
        """Raises ``ValueError``."""
        if len(data) < 7 or data[0] != 1:
            raise ValueError("no avcC")
        at = 6
        sets: list[tuple[bytes, ...]] = []
        for count in (data[5] & 31, None):
            if count is None:
                count, at = data[at], at + 1
            found = []
            for _ in range(count):
                (length,) = struct.unpack_from(">H", data, at)
                found.append(data[at + 2 : at + 2 + length])
                at += 2 + length
            if at > len(data):
                raise ValueError("avcC breaks off")
            sets.append(tuple(found))
        return cls(data[1], data[2], data[3], (data[4] & 3) + 1, sets[0], sets[1], data[at:])

    def joined(self, other: AvcConfig) -> AvcConfig:
        """With the parameter sets of ``other`` beside its own."""
        return replace(
            self,
            compatibility=self.compatibility & other.compatibility,
            level=max(self.level, other.level),
            sps=self.sps + other.sps,
            pps=self.pps + other.pps,
            extension=self.extension or other.extension,
        )

    def pack(self) -> bytes:
        def lengths(sets: tuple[bytes, ...]) -> bytes:
            return b"".join(struct.pack(">H", len(item)) + item for item in sets)

        return (
            bytes([1, self.profile, self.compatibility, self.level, 0xFC | self.length_size - 1])
            + bytes([0xE0 | len(self.sps)])
            + lengths(self.sps)
            + bytes([len(self.pps)])
            + lengths(self.pps)
            + self.extension
        )


@dataclass(frozen=True)
class SequenceParameters:
    """The fields of an SPS that matter here."""

    profile: int
    level: int
    id: int
    chroma_format: int
    bit_depth: int
    references: int
    progressive: bool

    @classmethod
    def parse(cls, data: bytes) -> SequenceParameters:
        """From a NAL unit. Raises ``ValueError``."""
        bits = _Bits(data.replace(b"\0\0\3", b"\0\0"))
        bits.take(8)
        profile, _, level = bits.take(8), bits.take(8), bits.take(8)
        number = bits.exp_golomb()
        chroma, depth = 1, 8
        if profile in WITH_CHROMA:
            chroma = bits.exp_golomb()
            if chroma == 3:
                bits.take(1)
            depth = 8 + max(bits.exp_golomb(), bits.exp_golomb())
            bits.take(1)
            if bits.take(1):
                raise ValueError("scaling matrices")
        bits.exp_golomb()
        order = bits.exp_golomb()
        if order == 0:
            bits.exp_golomb()
        elif order == 1:
            raise ValueError("picture order count of type 1")
        references = bits.exp_golomb()
        bits.take(1)
        bits.exp_golomb()
        bits.exp_golomb()
        return cls(profile, level, number, chroma, depth, references, bool(bits.take(1)))


def pps_ids(data: bytes) -> tuple[int, int]:
    """Of a PPS: its own id, and that of its SPS."""
    bits = _Bits(data[:16].replace(b"\0\0\3", b"\0\0"))
    bits.take(8)
    return bits.exp_golomb(), bits.exp_golomb()


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("a parameter set breaks off")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)
