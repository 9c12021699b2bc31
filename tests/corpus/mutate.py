"""Damage to bytes, as disks, networks and attackers do it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEADER = 4096
"""The first and the last so many bytes hold what most of a file depends on."""


def mutate(random: Random, data: bytes, other: bytes) -> bytes:
    """``data`` with a few changes; ``other`` lends pieces."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        if changed:
            random.choice(CHANGES)(random, changed, other)
    return bytes(changed)


def _place(random: Random, data: bytearray) -> int:
    region = random.choice(("any", "head", "tail"))
    if region == "head":
        return random.randrange(min(HEADER, len(data)))
    if region == "tail":
        return random.randrange(max(0, len(data) - HEADER), len(data))
    return random.randrange(len(data))


def _length(random: Random, data: bytearray) -> int:
    return min(len(data), int(2 ** random.uniform(0, 14)))


def flip(random: Random, data: bytearray, other: bytes) -> None:
    data[_place(random, data)] ^= 1 << random.randrange(8)


def scribble(random: Random, data: bytearray, other: bytes) -> None:
    at, length = _place(random, data), _length(random, data)
    data[at : at + length] = random.randbytes(len(data[at : at + length]))


def blank(random: Random, data: bytearray, other: bytes) -> None:
    at, length = _place(random, data), _length(random, data)
    data[at : at + length] = bytes(len(data[at : at + length]))


def cut_out(random: Random, data: bytearray, other: bytes) -> None:
    at = _place(random, data)
    del data[at : at + _length(random, data)]


def repeat(random: Random, data: bytearray, other: bytes) -> None:
    at, length = _place(random, data), _length(random, data)
    data[at:at] = data[at : at + length]


def borrow(random: Random, data: bytearray, other: bytes) -> None:
    if other:
        start = random.randrange(len(other))
        at = _place(random, data)
        data[at:at] = other[start : start + _length(random, data)]


def break_off(random: Random, data: bytearray, other: bytes) -> None:
    del data[random.randrange(len(data)) :]


def exaggerate(random: Random, data: bytearray, other: bytes) -> None:
    """A number of 1, 2, 4 or 8 bytes becomes an extreme one."""
    at, size = _place(random, data), random.choice((1, 2, 4, 8))
    value = random.choice(EXTREMES) & ((1 << 8 * size) - 1)
    data[at : at + size] = value.to_bytes(size, "big")[: len(data[at : at + size])]


def multiply_digits(random: Random, data: bytearray, other: bytes) -> None:
    """A digit of text becomes many."""
    digits = [i for i, byte in enumerate(data[:HEADER]) if 0x30 <= byte <= 0x39]
    if digits:
        at = random.choice(digits)
        data[at : at + 1] = b"9" * random.choice((1, 3, 10, 100))


CHANGES: tuple[Callable[[Random, bytearray, bytes], None], ...] = (
    flip, scribble, blank, cut_out, repeat, borrow, break_off, exaggerate, multiply_digits,
)  # fmt: skip
