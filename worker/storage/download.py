"""A large download as a stream to disk: resumes by Range, and checks that it is one and the same
object and that all of it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

import httpx

from worker.barrier import reach
from worker.errors import JobError
from worker.storage.faults import fault_of_response, retrying, translated

PIECE = 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds per read: a connection that brings nothing for this long is broken."""
SLOWEST_BYTES_PER_SECOND = 100_000
"""On average, beside ten minutes that every download has."""


async def download(
    url: str,
    size: int,
    etag: str,
    target: Path,
    progress: Callable[[int, int], None],
    begin: int | None = None,
) -> None:
    """Fetch the ``size`` bytes at ``url`` into ``target``: all of the object, or those from
    ``begin`` on.

    A broken connection continues where it broke; five tries in a row that bring no new byte are a
    failure. Raises ``JobError``: ``input_changed`` when the entity tag is another than expected,
    ``storage_unavailable`` (also when it is too slow), ``storage_denied``, ``input_missing``.
    """
    try:
        async with (
            asyncio.timeout(600 + size / SLOWEST_BYTES_PER_SECOND),
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=True) as client,
        ):
            with target.open("wb") as file:
                while file.tell() < size:
                    async for attempt in retrying():
                        with attempt:
                            await _fetch_on(client, url, size, etag, file, progress, begin)
    except TimeoutError as error:
        raise JobError("storage_unavailable", "the download was too slow") from error


async def _fetch_on(
    client: httpx.AsyncClient,
    url: str,
    size: int,
    etag: str,
    file: BinaryIO,
    progress: Callable[[int, int], None],
    begin: int | None,
) -> None:
    """Append what the server gives from the file's position on; at least one byte, or it raises."""
    start = file.tell()
    first, last = start + (begin or 0), size - 1 + (begin or 0)
    partial = begin is not None or start > 0
    wanted = {"range": f"bytes={first}-{last}"} if partial else {}
    headers = {"accept-encoding": "identity"} | wanted
    try:
        async with translated(), client.stream("GET", url, headers=headers) as response:
            if response.status_code not in (200, 206):
                await response.aread()
                raise fault_of_response(response)
            if etag and response.headers.get("etag", "").strip('"') != etag:
                raise JobError("input_changed", "the entity tag changed")
            if partial and response.status_code == 200:  # the server does not do ranges
                if begin is not None:
                    raise JobError("storage_unavailable", "the server does not do ranges")
                file.seek(start := 0)
                file.truncate()
            async for piece in _pieces(response):
                await asyncio.to_thread(_write, file, piece)
                progress(file.tell(), size)
                await reach("download")
    except JobError as error:
        if error.code != "storage_unavailable" or file.tell() == start:
            raise
    if file.tell() == start:
        raise JobError("storage_unavailable", "the server sent nothing")
    if file.tell() > size:
        raise JobError("input_changed", f"more than the expected {size} bytes came")


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """About a megabyte at a time; of a connection that breaks, first all that has come."""
    piece = bytearray()
    try:
        async for data in response.aiter_raw():
            piece += data
            if len(piece) >= PIECE:
                yield bytes(piece)
                piece.clear()
    except httpx.TransportError:
        if piece:
            yield bytes(piece)
        raise
    if piece:
        yield bytes(piece)


def _write(file: BinaryIO, piece: bytes) -> None:
    """What is said to be there can be read by others."""
    file.write(piece)
    file.flush()
