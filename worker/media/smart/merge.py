"""Puts the new frames into the source: the same file with some samples exchanged."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Sequence
from pathlib import Path

from worker.media.mp4 import samples as tables
from worker.media.mp4.boxes import Box, read_index
from worker.media.mp4.files import Piece, write_mp4
from worker.media.mp4.samples import Samples, read_samples
from worker.media.mp4.tracks import video_track
from worker.media.smart.cut import UNITS, place_chunks
from worker.media.smart.h264 import AvcConfig
from worker.media.smart.plan import NotSmart, Span
from worker.media.smart.source import Source, avc_box, sample_entry

OLD, NEW = 0, 1
"""Numbers of the files that pieces come from."""


def merge(source: Source, spans: Sequence[Span], encoded: Path, target: Path) -> Samples:
    """Write ``target``: ``source`` with the samples of the spans from ``encoded``, which holds one
    for each, in the order of the spans. Returns the video's samples as they lie in ``target``.

    Raises ``NotSmart`` when the encoded frames don't take the place of the old ones exactly.
    """
    new_track = video_track(read_index(encoded))
    new = read_samples(new_track)
    if len(new) != sum(span.end - span.start for span in spans):
        raise NotSmart("failed", f"{len(new)} frames came back from the encoder")
    old = source.samples
    pieces = [Piece(OLD, at, size) for at, size in zip(old.offsets, old.sizes, strict=True)]
    pts, keys = array("q", old.pts), bytearray(old.keys)
    # The encoder's file counts from its own beginning.
    shift = min(new.pts) - UNITS * min(old.pts[spans[0].start : spans[0].end])
    first = 0
    for span in spans:
        taken = range(first, first + span.end - span.start)
        pts[span.start : span.end] = _in_the_place_of(old, span, new, taken, shift)
        keys[span.start : span.end] = new.keys[taken.start : taken.stop]
        pieces[span.start : span.end] = [Piece(NEW, new.offsets[i], new.sizes[i]) for i in taken]
        first = taken.stop

    index = copy.deepcopy(source.index)
    track = video_track(index)
    table = track.get(b"mdia", b"minf", b"stbl")
    table.drop(b"sdtp", b"sgpd", b"sbgp", b"cslg")
    tables.put_shifts(table, old.dts, pts)
    tables.put_keys(table, keys)
    tables.put_sizes(table, [piece.length for piece in pieces])
    _put_config(track, source.config.joined(_config(new_track, source)))
    ordered = _chunks_in_order(index, track, old, pieces)
    place_chunks(index, [(box, sum(p.length for p in chunk)) for box, chunk in ordered])
    write_mp4(target, index, [source.path, encoded], [p for _, chunk in ordered for p in chunk])
    return read_samples(video_track(read_index(target)))


def _in_the_place_of(
    old: Samples, span: Span, new: Samples, taken: range, shift: int
) -> array[int]:
    """The times of a span's new samples: in another order than those of the old ones, but the
    same."""
    found = array("q", ((new.pts[at] - shift) // UNITS for at in taken))
    if sorted(found) != sorted(old.pts[span.start : span.end]):
        raise NotSmart("failed", "the new frames of a span have other times")
    if not new.keys[taken.start]:
        raise NotSmart("failed", "a span does not begin with a keyframe")
    if any(time < old.dts[at] for at, time in enumerate(found, span.start)):
        raise NotSmart("failed", "a frame would be shown before it is decoded")
    return found


def _config(new_track: Box, source: Source) -> AvcConfig:
    config = AvcConfig.parse(avc_box(new_track, b"avcC").content)
    if config.profile != source.config.profile or config.length_size != 4:
        raise NotSmart("failed", f"the encoder chose profile {config.profile}")
    return config


def _put_config(track: Box, config: AvcConfig) -> None:
    entry = sample_entry(track)
    entry.put(Box(b"avcC", config.pack()))
    entry.drop(b"btrt")  # the bitrate has changed
    description = track.get(b"mdia", b"minf", b"stbl", b"stsd")
    description.content = description.content[:8] + entry.pack()


def _chunks_in_order(
    index: Box, track: Box, old: Samples, pieces: Sequence[Piece]
) -> list[tuple[Box, list[Piece]]]:
    """Every chunk of every track as it lay in the source: its ``stbl`` box and what it now
    holds."""
    found: list[tuple[int, Box, list[Piece]]] = []
    for other in (box for box in index.children if box.kind == b"trak"):
        table = other.get(b"mdia", b"minf", b"stbl")
        if other is track:
            samples, content = old, pieces
        else:
            samples = read_samples(other)
            content = [
                Piece(OLD, at, size)
                for at, size in zip(samples.offsets, samples.sizes, strict=True)
            ]
        at = 0
        for count in samples.chunks:
            found.append((samples.offsets[at], table, list(content[at : at + count])))
            at += count
    found.sort(key=lambda chunk: chunk[0])
    return [(table, content) for _, table, content in found]
