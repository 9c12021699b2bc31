"""A file that is read while it is written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from worker.arriving import PIECE, ArrivingFile, InterruptedFileError


async def collected(file: ArrivingFile) -> bytes:
    return b"".join([piece async for piece in file.pieces()])


async def test_readers_wait_for_what_is_not_there_yet(tmp_path: Path) -> None:
    data = bytes(range(256)) * (PIECE // 100)
    (tmp_path / "file").write_bytes(data)
    file = ArrivingFile(tmp_path / "file", len(data))
    readers = [asyncio.create_task(collected(file)) for _ in range(2)]
    for there in (0, 1, PIECE, PIECE + 1, len(data) - 1):
        file.reach(there)
        await asyncio.sleep(0)
    assert not any(reader.done() for reader in readers)
    file.reach(len(data))
    assert await asyncio.gather(*readers) == [data, data]
    assert await collected(file) == data, "who comes late gets all of it as well"


async def test_a_file_that_is_begun_anew_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    file = ArrivingFile(tmp_path / "file", 4)
    reader = asyncio.create_task(collected(file))
    file.reach(3)
    file.reach(1)
    with pytest.raises(InterruptedFileError):
        await reader
