"""Encrypted tracks are found by their sample entry."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from worker.media.mp4 import is_encrypted


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


PLAIN = box(b"ftyp", b"isom") + box(b"mdat", b"encv is only data here")
STSD = box(b"stsd", bytes(8) + box(b"encv", bytes(70)))
LARGE = struct.pack(">I4sQ", 1, b"mdat", 16 + 4) + b"data"


@pytest.mark.parametrize(
    ("content", "encrypted"),
    [
        (PLAIN + box(b"moov", box(b"trak", STSD)), True),
        (box(b"moov", box(b"trak", STSD)) + PLAIN, True),
        (PLAIN + LARGE + box(b"moov", STSD), True),
        (PLAIN + box(b"moov", box(b"avc1", b"")), False),
        (PLAIN, False),
        (b"", False),
        (b"\0\0\0", False),
        (bytes(64), False),
        (b"\x1aE\xdf\xa3 this is Matroska encv", False),
        (struct.pack(">I4s", 1, b"moov"), False),
    ],
)
def test_encryption_is_found_where_it_is_declared(
    tmp_path: Path, content: bytes, encrypted: bool
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert is_encrypted(file) is encrypted
