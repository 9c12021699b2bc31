"""MP4 boxes: a tree that can be read, changed and written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

CONTAINERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"}
LARGEST_INDEX = 512 << 20


@dataclass
class Box:
    """One box: its type, its content, and the boxes that follow in it."""

    kind: bytes
    content: bytes = b""
    children: list[Box] = field(default_factory=list)

    def find(self, *path: bytes) -> Box | None:
        """The first box at ``path`` below this one."""
        box = self
        for kind in path:
            inner = next((child for child in box.children if child.kind == kind), None)
            if inner is None:
                return None
            box = inner
        return box

    def get(self, *path: bytes) -> Box:
        """As ``find``. Raises ``ValueError`` when there is none."""
        box = self.find(*path)
        if box is None:
            raise ValueError(f"no box {b'/'.join(path).decode('latin-1')}")
        return box

    def put(self, box: Box) -> None:
        """Take the place of the box of the same type, or the last one."""
        for at, child in enumerate(self.children):
            if child.kind == box.kind:
                self.children[at] = box
                return
        self.children.append(box)

    def drop(self, *kinds: bytes) -> None:
        self.children = [child for child in self.children if child.kind not in kinds]

    def pack(self) -> bytes:
        content = self.content + b"".join(child.pack() for child in self.children)
        return struct.pack(">I4s", 8 + len(content), self.kind) + content


def full_box(kind: bytes, content: bytes, version: int = 0) -> Box:
    """A box that begins with a version and flags of 0."""
    return Box(kind, struct.pack(">B3x", version) + content)


def parse(data: bytes) -> list[Box]:
    """The boxes that ``data`` is made of. Raises ``ValueError``."""
    boxes = []
    at = 0
    while at < len(data):
        kind, start, end = _header(data[at : at + 16], at, len(data))
        content = data[start:end]
        if kind in CONTAINERS:
            boxes.append(Box(kind, children=parse(content)))
        else:
            boxes.append(Box(kind, content))
        at = end
    return boxes


def read_index(path: Path) -> Box:
    """The ``moov`` box of a file. Raises ``ValueError``."""
    with path.open("rb") as file:
        for kind, start, end in _top_level(file, path.stat().st_size):
            if kind == b"moov":
                if end - start > LARGEST_INDEX:
                    raise ValueError("the index is too large")
                file.seek(start)
                return Box(b"moov", children=parse(file.read(end - start)))
    raise ValueError("no box moov")


def _top_level(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    while at < size:
        file.seek(at)
        kind, start, end = _header(file.read(16), at, size)
        yield kind, start, end
        at = end


def _header(head: bytes, at: int, limit: int) -> tuple[bytes, int, int]:
    """Type, and where the content of the box at ``at`` begins and ends."""
    if len(head) < 8:
        raise ValueError("a box breaks off")
    length, kind = struct.unpack_from(">I4s", head)
    start = at + 8
    if length == 1:
        length = int.from_bytes(head[8:16], "big")
        start = at + 16
    elif length == 0:
        length = limit - at
    end = at + length
    if not start <= end <= limit:
        raise ValueError("a box is longer than what it is in")
    return kind, start, end
