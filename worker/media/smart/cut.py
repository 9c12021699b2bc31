"""A part of a file's video as a file of its own: whole samples, with the times they had."""

from __future__ import annotations

import copy
import struct
from collections.abc import Sequence
from pathlib import Path

from worker.media.mp4 import samples as tables
from worker.media.mp4.boxes import Box
from worker.media.mp4.files import Piece, data_start, write_mp4
from worker.media.mp4.samples import Samples
from worker.media.mp4.tracks import movie_header
from worker.media.smart.plan import Span

UNITS = 2
"""How many units of a cut's timescale are one of its track's."""


def write_cut(
    target: Path,
    path: Path,
    track: Box,
    samples: Samples,
    times: Sequence[int],
    timescale: int,
    spans: Sequence[Span],
) -> None:
    """Write what the spans of ``track`` (of the file at ``path``) take as an MP4 for ffmpeg.

    Its timescale is twice the track's, and the lowest bit of a frame's time tells ffmpeg's
    ``select`` filter whether it is wanted: even for the wanted ones, whose times are thereby exact,
    odd for those that only serve to decode them. Times are absolute (``-copyts``): no edit list.
    """
    chosen = [at for span in spans for at in range(span.decode, span.end)]
    wanted = {at for span in spans for at in range(span.start, span.end)}
    pts = [UNITS * times[at] + (at not in wanted) for at in chosen]
    dts = [UNITS * samples.dts[at] for at in chosen]
    if dts:
        dts[0] = 0  # as everywhere in MP4; what follows has the times it had

    track = copy.deepcopy(track)
    track.drop(b"edts", b"udta", b"tref", b"meta")
    header = track.get(b"mdia", b"mdhd")
    at = 20 if header.content[0] == 1 else 12
    header.content = (
        header.content[:at] + struct.pack(">I", UNITS * timescale) + header.content[at + 4 :]
    )
    table = track.get(b"mdia", b"minf", b"stbl")
    table.children = [table.get(b"stsd")]
    tables.put_timing(table, dts, pts)
    tables.put_keys(table, [samples.keys[at] for at in chosen])
    tables.put_sizes(table, [samples.sizes[at] for at in chosen])
    tables.put_chunks(table, [1] * len(chosen))
    pieces = [Piece(0, samples.offsets[at], samples.sizes[at]) for at in chosen]
    index = Box(b"moov", children=[movie_header(timescale), track])
    place_chunks(index, [(table, piece.length) for piece in pieces])
    write_mp4(target, index, [path], pieces)


def place_chunks(index: Box, chunks: Sequence[tuple[Box, int]]) -> None:
    """Write chunk offsets, where ``chunks`` (the ``stbl`` box of its track, and its size) follow
    each other as the media data behind ``index``."""
    total = sum(size for _, size in chunks)
    offsets: dict[int, list[int]] = {id(table): [] for table, _ in chunks}
    tables_by_id = {id(table): table for table, _ in chunks}
    for _ in range(2):  # the first time to learn how long the index is
        at = data_start(index, total)
        for key in offsets:
            offsets[key].clear()
        for table, size in chunks:
            offsets[id(table)].append(at)
            at += size
        for key, places in offsets.items():
            tables.put_chunk_offsets(tables_by_id[key], places, wide=total >= 1 << 31)
