"""The sample tables of a track, as lists with an entry per sample, and back."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from worker.media.mp4.boxes import Box, full_box

MOST_SAMPLES = 1 << 24
"""More than a day of video at 120 frames per second."""


@dataclass
class Samples:
    """The samples of a track in decode order.

    ``offsets``: where each lies in the file; ``sizes`` in bytes; ``dts`` and ``pts`` in units of
    the track's timescale, without its edit list; ``keys``: whether decoding can begin there;
    ``chunks``: how many samples each chunk holds, and those of one chunk lie side by side."""

    offsets: array[int]
    sizes: array[int]
    dts: array[int]
    pts: array[int]
    keys: bytearray
    chunks: array[int]

    def __len__(self) -> int:
        return len(self.sizes)


def read_samples(trak: Box) -> Samples:
    """Raises ``ValueError`` when the tables contradict each other."""
    table = trak.get(b"mdia", b"minf", b"stbl")
    sizes = _sizes(table.get(b"stsz").content)
    count = len(sizes)
    deltas = _runs(table.get(b"stts").content, count)
    dts = array("q", bytes(8 * count))
    at = 0
    for i, delta in enumerate(deltas):
        dts[i] = at
        at += delta
    pts = array("q", dts)
    if shifts := table.find(b"ctts"):
        for i, shift in enumerate(_runs(shifts.content, count, signed=True)):
            pts[i] += shift
    keys = bytearray(b"\1" * count)
    if sync := table.find(b"stss"):
        keys = bytearray(count)
        for number in _entries(sync.content, "I"):
            keys[number - 1] = 1
    chunks = _chunks(table, count)
    return Samples(_offsets(table, chunks, sizes), sizes, dts, pts, keys, chunks)


def put_timing(table: Box, dts: Sequence[int], pts: Sequence[int]) -> None:
    """Write ``stts`` and ``ctts`` into a ``stbl`` box. The last sample lasts as long as the one
    before it."""
    deltas = [after - before for before, after in pairwise(dts)]
    table.put(_run_box(b"stts", [*deltas, deltas[-1] if deltas else 1]))
    put_shifts(table, dts, pts)


def put_shifts(table: Box, dts: Sequence[int], pts: Sequence[int]) -> None:
    """Write ``ctts``: how much later each sample is shown than decoded."""
    shifts = [shown - decoded for shown, decoded in zip(pts, dts, strict=True)]
    if any(shifts):
        table.put(_run_box(b"ctts", shifts, version=1 if min(shifts) < 0 else 0))
    else:
        table.drop(b"ctts")


def put_keys(table: Box, keys: Sequence[int]) -> None:
    numbers = array("I", (at for at, key in enumerate(keys, 1) if key))
    table.put(full_box(b"stss", struct.pack(">I", len(numbers)) + _big_endian(numbers)))


def put_sizes(table: Box, sizes: Sequence[int]) -> None:
    table.put(full_box(b"stsz", struct.pack(">II", 0, len(sizes)) + _big_endian(array("I", sizes))))


def put_chunks(table: Box, chunks: Iterable[int]) -> None:
    """Write ``stsc``: how many samples each chunk holds."""
    entries = []
    number = 1
    for samples, run in groupby(chunks):
        entries.append(struct.pack(">III", number, samples, 1))
        number += sum(1 for _ in run)
    table.put(full_box(b"stsc", struct.pack(">I", len(entries)) + b"".join(entries)))


def put_chunk_offsets(table: Box, offsets: Sequence[int], *, wide: bool) -> None:
    """Write ``stco``, or ``co64`` if ``wide``: where each chunk lies."""
    table.drop(b"stco", b"co64")
    kind, code = (b"co64", "Q") if wide else (b"stco", "I")
    table.put(full_box(kind, struct.pack(">I", len(offsets)) + _big_endian(array(code, offsets))))


def _sizes(content: bytes) -> array[int]:
    same, count = struct.unpack_from(">II", content, 4)
    if count > MOST_SAMPLES:
        raise ValueError(f"{count} samples")
    if same:
        return array("I", [same] * count)
    sizes = _array("I", content[12:])
    if len(sizes) != count:
        raise ValueError("stsz has another length than it says")
    return sizes


def _runs(content: bytes, count: int, *, signed: bool = False) -> array[int]:
    """A table of (number of samples, value), as a value per sample."""
    pairs = _entries(content, "i" if signed else "I")
    values = array("q")
    for length, value in zip(pairs[::2], pairs[1::2], strict=True):
        if len(values) + length > count:
            raise ValueError("a table is for more samples than there are")
        values.extend([value] * length)
    if len(values) != count:
        raise ValueError("a table is for fewer samples than there are")
    return values


def _run_box(kind: bytes, values: Iterable[int], version: int = 0) -> Box:
    entries = [
        struct.pack(">Ii" if version else ">II", sum(1 for _ in run), value)
        for value, run in groupby(values)
    ]
    return full_box(kind, struct.pack(">I", len(entries)) + b"".join(entries), version)


def _chunks(table: Box, count: int) -> array[int]:
    offsets = _chunk_offsets(table)
    entries = _entries(table.get(b"stsc").content, "I")
    firsts = [*entries[::3], len(offsets) + 1]
    chunks = array("I")
    for samples, (first, after) in zip(entries[1::3], pairwise(firsts), strict=True):
        if not 1 <= first <= after <= firsts[-1]:
            raise ValueError("stsc is not in order")
        chunks.extend([samples] * (after - first))
    if len(chunks) != len(offsets) or sum(chunks) != count:
        raise ValueError("stsc does not fit")
    return chunks


def _chunk_offsets(table: Box) -> array[int]:
    if narrow := table.find(b"stco"):
        return _entries(narrow.content, "I")
    return _entries(table.get(b"co64").content, "Q")


def _offsets(table: Box, chunks: array[int], sizes: array[int]) -> array[int]:
    offsets = array("q", bytes(8 * len(sizes)))
    at = 0
    for place, samples in zip(_chunk_offsets(table), chunks, strict=True):
        for i in range(at, at + samples):
            offsets[i] = place
            place += sizes[i]
        at += samples
    return offsets


def _entries(content: bytes, code: str) -> array[int]:
    """What follows the version, the flags and the number of entries."""
    return _array(code, content[8:])


def _array(code: str, data: bytes) -> array[int]:
    values = array(code)
    values.frombytes(data)
    if sys.byteorder == "little":
        values.byteswap()
    return values


def _big_endian(values: array[int]) -> bytes:
    if sys.byteorder == "little":
        values.byteswap()
    return values.tobytes()
