"""MP4 boxes, as far as they tell whether a file is encrypted."""

from __future__ import annotations

import struct
from pathlib import Path

MAX_MOOV = 256 << 20
ENCRYPTED_ENTRIES = (b"encv", b"enca")


def is_encrypted(path: Path) -> bool:
    """Whether an MP4 or MOV file has an encrypted track; False for other files.

    With Common Encryption its sample entry is ``encv`` or ``enca``. ffmpeg may decode such a track
    to garbage without a word.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            elif length == 0:
                length = size - at
            if kind == b"moov":
                moov = file.read(min(length, MAX_MOOV))
                return any(entry in moov for entry in ENCRYPTED_ENTRIES)
            if length < 8:
                return False
            at += length
    return False
