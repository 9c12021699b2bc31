"""Resumable upload by the TUS protocol, in the chunks that Supabase asks for.

Our own, because the kept client (tuspy 1.1) can't do what this needs: it has no time-outs, its
asynchronous uploader blocks the event loop to ask for the offset, it takes no cancellation, and it
reports no progress within a chunk.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urljoin

import httpx
import structlog

from worker.errors import JobError
from worker.storage.faults import (
    MissingObjectError,
    ObjectExistsError,
    fault_of_response,
    retrying,
    translated,
)

log = structlog.get_logger()

CHUNK_SIZE = 6 * 1024 * 1024
"""Every chunk but the last has exactly this size: hosted Supabase accepts no other."""
PIECE = 256 * 1024
TIMEOUT = httpx.Timeout(60.0, connect=10.0)


async def resumable_upload(
    storage_url: str,
    headers: dict[str, str],
    bucket: str,
    path: str,
    source: Path,
    content_type: str,
    progress: Callable[[int, int], None],
) -> None:
    """Upload ``source`` to a name that is free; one chunk is in memory at a time.

    After a fault the server is asked how far it came. If it no longer knows the upload, or has the
    object already, this returns: a request whose reply was lost may have completed it, so the
    caller looks at the object either way.
    """
    upload = _Upload(headers)
    size = source.stat().st_size
    try:
        location = await upload.create(
            f"{storage_url}/upload/resumable", bucket, path, content_type, size
        )
        with source.open("rb") as file:
            offset = 0
            while offset < size:
                async for attempt in retrying():
                    with attempt:
                        if attempt.retry_state.attempt_number > 1:
                            offset = await upload.offset(location)
                            if offset >= size:
                                break
                        file.seek(offset)
                        chunk = await asyncio.to_thread(file.read, CHUNK_SIZE)
                        offset = await upload.send(location, offset, chunk, size, progress)
    except (MissingObjectError, ObjectExistsError) as error:
        log.info("upload.uncertain", reason=str(error))
    finally:
        await upload.close()


class _Upload:
    """The three requests of an upload. After a fault the connection is dropped: when Storage
    rejects a body early, the next request on the same connection hangs."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers | {"tus-resumable": "1.0.0"}
        self._client = httpx.AsyncClient(headers=self._headers, timeout=TIMEOUT)

    async def close(self) -> None:
        await self._client.aclose()

    async def create(self, url: str, bucket: str, path: str, content_type: str, size: int) -> str:
        metadata = {
            "bucketName": bucket,
            "objectName": path,
            "contentType": content_type,
            "cacheControl": "3600",
        }
        async for attempt in retrying():
            with attempt:
                response = await self._request(
                    "POST",
                    url,
                    headers={
                        "upload-length": str(size),
                        "upload-metadata": ",".join(
                            f"{key} {b64encode(value.encode()).decode()}"
                            for key, value in metadata.items()
                        ),
                    },
                )
        return urljoin(url, response.headers["location"])

    async def offset(self, location: str) -> int:
        return _offset_in(await self._request("HEAD", location))

    async def send(
        self,
        location: str,
        offset: int,
        chunk: bytes,
        size: int,
        progress: Callable[[int, int], None],
    ) -> int:
        """Send one chunk; returns the new offset."""

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(chunk), PIECE):
                yield chunk[start : start + PIECE]
                progress(min(offset + start + PIECE, size), size)

        response = await self._request(
            "PATCH",
            location,
            content=pieces(),
            headers={
                "content-type": "application/offset+octet-stream",
                "content-length": str(len(chunk)),
                "upload-offset": str(offset),
            },
        )
        return _offset_in(response)

    async def _request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        try:
            async with translated():
                response = await self._client.request(method, url, headers=headers, content=content)
            if not response.is_success:
                raise fault_of_response(response)
        except JobError:
            await self._client.aclose()
            self._client = httpx.AsyncClient(headers=self._headers, timeout=TIMEOUT)
            raise
        return response


def _offset_in(response: httpx.Response) -> int:
    offset = response.headers.get("upload-offset", "")
    if not offset.isdigit():
        raise JobError("storage_unavailable", f"upload-offset is {offset!r} in the answer")
    return int(offset)
