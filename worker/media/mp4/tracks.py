"""Tracks of an MP4 and what they are described by."""

from __future__ import annotations

import struct

from worker.media.mp4.boxes import Box


def video_track(index: Box) -> Box:
    """The one track whose handler is ``vide``. Raises ``ValueError``."""
    tracks = [
        box
        for box in index.children
        if box.kind == b"trak" and box.get(b"mdia", b"hdlr").content[8:12] == b"vide"
    ]
    if len(tracks) != 1:
        raise ValueError(f"{len(tracks)} video tracks")
    return tracks[0]


def media_timescale(track: Box) -> int:
    header = track.get(b"mdia", b"mdhd").content
    at = 20 if header[0] == 1 else 12
    return int.from_bytes(header[at : at + 4], "big")


def movie_header(timescale: int) -> Box:
    """Of a file with one track."""
    matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    return Box(
        b"mvhd",
        struct.pack(">4xIIIIIH10x", 0, 0, timescale, 0, 1 << 16, 1 << 8)
        + matrix
        + bytes(24)
        + struct.pack(">I", 2),
    )
