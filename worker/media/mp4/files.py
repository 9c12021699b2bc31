"""Pieces of files, put together to a new one without holding them in memory."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worker.media.mp4.boxes import Box

PIECE = 1 << 20
FTYP = Box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")


@dataclass(frozen=True)
class Piece:
    """``length`` bytes from ``offset`` on of the file with this number."""

    file: int
    offset: int
    length: int


def write_mp4(target: Path, index: Box, sources: Sequence[Path], pieces: Sequence[Piece]) -> None:
    """``ftyp``, the index in front, and the pieces as the media data."""
    with target.open("wb") as out:
        out.write(FTYP.pack())
        out.write(index.pack())
        out.write(_media_header(sum(piece.length for piece in pieces)))
        files = [source.open("rb") for source in sources]
        try:
            for piece in _joined(pieces):
                _copy(files[piece.file], out, piece)
        finally:
            for file in files:
                file.close()


def data_start(index: Box, size: int) -> int:
    """Where the first of ``size`` bytes of media data will lie behind this index."""
    return len(FTYP.pack()) + len(index.pack()) + len(_media_header(size))


def _media_header(size: int) -> bytes:
    if size + 8 < 1 << 32:
        return struct.pack(">I4s", size + 8, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", size + 16)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces that lie one behind the other as one."""
    last: Piece | None = None
    for piece in pieces:
        if last and last.file == piece.file and last.offset + last.length == piece.offset:
            last = Piece(last.file, last.offset, last.length + piece.length)
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


def _copy(file: BinaryIO, out: BinaryIO, piece: Piece) -> None:
    file.seek(piece.offset)
    left = piece.length
    while left:
        data = file.read(min(left, PIECE))
        if not data:
            raise ValueError("a file is shorter than its index says")
        out.write(data)
        left -= len(data)
