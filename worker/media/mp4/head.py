"""An MP4's head for bytes that lie elsewhere: one track's index, to be read with them behind it.

A file that begins with the head and goes on with those bytes is an MP4, whatever else they hold. So
a range of somebody's file, or several files one behind the other, become a video without a copy.
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.media.mp4 import samples as tables
from worker.media.mp4.boxes import Box, full_box
from worker.media.mp4.files import FTYP
from worker.media.mp4.tracks import movie_header

ONCE = 1 << 16
"""An edit's rate: as fast as it was made."""


@dataclass(frozen=True)
class Indexed:
    """Samples in decode order. ``times``: when each is shown, absolute; ``dts`` and ``pts``: when
    it is decoded and shown on a clock that begins with the first decoding at 0; ``offsets``: where
    it lies in the bytes behind the head, of which there are ``length``."""

    times: Sequence[int]
    dts: Sequence[int]
    pts: Sequence[int]
    keys: Sequence[int]
    sizes: Sequence[int]
    offsets: Sequence[int]
    length: int


def make_head(track: Box, timescale: int, samples: Indexed) -> bytes:
    """The head of a file with one track that is coded, turned and shaped as ``track``.

    All times are in units of ``timescale``. An edit list puts the first frame at its absolute time:
    in stts and ctts, with their 32 bits, it would be lost after hours.
    """
    track = copy.deepcopy(track)
    track.drop(b"edts", b"udta", b"tref", b"meta")
    track.children.insert(1, Box(b"edts", children=[_edits(samples, timescale)]))
    table = track.get(b"mdia", b"minf", b"stbl")
    table.children = [table.get(b"stsd")]
    tables.put_timing(table, samples.dts, samples.pts)
    tables.put_keys(table, samples.keys)
    tables.put_sizes(table, samples.sizes)
    chunks = list(_chunks(samples.offsets, samples.sizes))
    tables.put_chunks(table, [count for _, count in chunks])
    index = Box(b"moov", children=[movie_header(timescale), track])
    data = struct.pack(">I4sQ", 1, b"mdat", 16 + samples.length)
    for _ in range(2):  # the first time to learn how long the index is
        start = len(FTYP.pack()) + len(index.pack()) + len(data)
        places = [start + offset for offset, _ in chunks]
        tables.put_chunk_offsets(table, places, wide=samples.length >= 1 << 31)
    return FTYP.pack() + index.pack() + data


def _edits(samples: Indexed, timescale: int) -> Box:
    """Nothing until the first frame's time, then all."""
    begin, shown = min(samples.times), min(samples.pts)
    length = max(samples.pts) - shown + timescale
    entries = [struct.pack(">QqI", begin, -1, ONCE)] if begin else []
    entries.append(struct.pack(">QqI", length, shown, ONCE))
    return full_box(b"elst", struct.pack(">I", len(entries)) + b"".join(entries), version=1)


def _chunks(offsets: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Samples that lie one behind the other: where the first lies, and how many there are."""
    start, count, end = offsets[0], 0, offsets[0]
    for offset, size in zip(offsets, sizes, strict=True):
        if offset != end:
            yield start, count
            start, count = offset, 0
        count += 1
        end = offset + size
    yield start, count
