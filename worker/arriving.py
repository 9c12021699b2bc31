"""A file that is still being written, and those who read it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

PIECE = 1 << 20


class InterruptedFileError(Exception):
    """The file was begun anew; what was read of it may not fit what is there now."""


class ArrivingFile:
    """Written from its beginning to its end by one, who says how far it has come; read from its
    beginning by any number, who wait for what is not there yet. Its size is known."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size
        self._there = 0
        self._begun_anew = False
        self._news = asyncio.Event()

    @property
    def complete(self) -> bool:
        return self._there >= self._size

    def reach(self, there: int) -> None:
        """So many bytes can be read. Fewer than before: it is being written anew."""
        self._begun_anew = self._begun_anew or there < self._there
        self._there = there
        self._news.set()
        self._news = asyncio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it, in order. Raises ``InterruptedFileError``."""
        at = 0
        while at < self._size:
            while self._there <= at and not self._begun_anew:
                await self._news.wait()
            if self._begun_anew:
                raise InterruptedFileError
            piece = await asyncio.to_thread(self._read, at, min(self._there - at, PIECE))
            at += len(piece)
            yield piece

    def _read(self, at: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(at)
            return file.read(length)
