"""Changes to MP4 boxes that no muxer makes."""

from __future__ import annotations

import struct
from collections.abc import Callable

Change = Callable[[bytes], bytes]

HEADERS = {b"stsd": 8, b"hvc1": 78, b"hev1": 78, b"avc1": 78}
"""Bytes before the first child; others have none."""


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def change(data: bytes, path: str, edit: Change) -> bytes:
    """Replace the content of every box at ``path`` (such as ``moov/mvhd``) by ``edit`` of it, and
    mend the sizes above. The index must stand at the end, so that no sample moves."""
    kind, _, rest = path.partition("/")
    result = bytearray()
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        length = length or len(data) - at
        content = data[at + 8 : at + length]
        if name == kind.encode():
            skip = HEADERS.get(name, 0)
            content = content[:skip] + change(content[skip:], rest, edit) if rest else edit(content)
        result += box(name, content)
        at += length
    return bytes(result + data[at:])
