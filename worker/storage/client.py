"""Supabase Storage as the worker uses it. Every method raises ``JobError`` and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog
from storage3.types import ListBucketFilesOptions
from supabase import AsyncClient, AsyncClientOptions

from worker.errors import JobError
from worker.storage.download import download
from worker.storage.faults import MissingObjectError, retrying, translated
from worker.storage.tus import CHUNK_SIZE, resumable_upload

log = structlog.get_logger()

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
SIGNED_URL_SECONDS = 6 * 3600
FOLDER_PAGE = 100

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@dataclass(frozen=True)
class ObjectInfo:
    """Size in bytes and entity tag of a stored object."""

    size: int
    etag: str


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the size in bytes of the largest object that it takes (None: no limit)."""

    name: str
    public: bool
    size_limit: int | None


class Storage:
    """The project's Storage, with the secret key."""

    def __init__(self, url: str, secret_key: str) -> None:
        self._base_url = url.rstrip("/") + "/storage/v1"
        self._http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=True)
        self._client = AsyncClient(
            url, secret_key, AsyncClientOptions(httpx_client=self._http, persist_session=False)
        )
        # New keys (sb_secret_…) are not JWTs: they go into apikey only.
        self._headers = {"apikey": secret_key}
        if not secret_key.startswith("sb_"):
            self._headers["authorization"] = f"Bearer {secret_key}"

    async def close(self) -> None:
        await self._http.aclose()

    async def look(self, bucket: str) -> None:
        """Raises ``JobError`` unless Storage answers within five seconds and has this bucket."""
        try:
            async with asyncio.timeout(5), translated():
                await self._client.storage.get_bucket(bucket)
        except TimeoutError as error:
            raise JobError("storage_unavailable", "no answer within 5 s") from error

    async def buckets(self) -> list[Bucket]:
        """All buckets; asked once, without trying again."""
        async with translated():
            found = await self._client.storage.list_buckets()
        return [Bucket(bucket.name, bucket.public, bucket.file_size_limit) for bucket in found]

    async def info(self, bucket: str, path: str) -> ObjectInfo:
        """Raises ``MissingObjectError`` when there is no such object."""
        async for attempt in retrying():
            with attempt:
                async with translated():
                    found = await self._client.storage.from_(bucket).info(_literal(path))
        return ObjectInfo(int(found["size"]), str(found.get("etag") or "").strip('"'))

    async def read(self, bucket: str, path: str) -> bytes:
        """A small object, whole. Ask ``info`` for its size first."""
        async for attempt in retrying():
            with attempt:
                async with translated():
                    data = await self._client.storage.from_(bucket).download(_literal(path))
        return data

    async def download(
        self,
        bucket: str,
        path: str,
        info: ObjectInfo,
        target: Path,
        progress: Progress,
        part: slice | None = None,
    ) -> None:
        """Stream an object, or a ``part`` of its bytes, into a file; resumes after a broken
        connection. Raises ``input_changed`` when the object is no longer the one that ``info``
        describes."""
        async for attempt in retrying():
            with attempt:
                async with translated():
                    signed = await self._client.storage.from_(bucket).create_signed_url(
                        _literal(path), SIGNED_URL_SECONDS
                    )
        begin = part.start if part else None
        size = part.stop - part.start if part else info.size
        await download(str(signed["signedURL"]), size, info.etag, target, progress, begin)
        log.debug("storage.downloaded", bucket=bucket, path=path, bytes=size)

    async def upload(
        self, bucket: str, path: str, source: Path, content_type: str, progress: Progress
    ) -> None:
        """Store a file under a new name, and check that it has arrived whole."""
        size = source.stat().st_size
        if size > CHUNK_SIZE:
            await resumable_upload(
                self._base_url, self._headers, bucket, path, source, content_type, progress
            )
        else:
            await self._upload_small(bucket, path, source, content_type)
        try:
            stored = (await self.info(bucket, path)).size
        except MissingObjectError:
            stored = 0
        if stored != size:
            raise JobError("upload_incomplete", f"{stored} of {size} bytes stored")
        log.debug("storage.uploaded", bucket=bucket, path=path, bytes=size)
        progress(size, size)

    async def _upload_small(self, bucket: str, path: str, source: Path, content_type: str) -> None:
        data = source.read_bytes()
        async for attempt in retrying():
            with attempt:
                async with translated():
                    # A repeated try may meet the object of one whose reply was lost.
                    await self._client.storage.from_(bucket).upload(
                        _literal(path), data, {"content-type": content_type, "upsert": "true"}
                    )

    async def remove_folder(self, bucket: str, prefix: str) -> None:
        """Delete every object below ``prefix``; nothing there is fine."""
        files = self._client.storage.from_(bucket)
        page: ListBucketFilesOptions = {"limit": FOLDER_PAGE}
        async for attempt in retrying():
            with attempt:
                async with translated():
                    while entries := await files.list(prefix, page):
                        paths = [f"{prefix}/{entry['name']}" for entry in entries]
                        folders = [
                            path
                            for path, entry in zip(paths, entries, strict=True)
                            if entry["id"] is None
                        ]
                        for folder in folders:
                            await self.remove_folder(bucket, folder)
                        objects = [path for path in paths if path not in folders]
                        removed = not objects or await files.remove(objects)
                        # Another may have been quicker: a job's worker and a sweep do the same.
                        if not removed and await files.list(prefix, page) == entries:
                            raise JobError("storage_denied", f"{prefix} was not removed")


def _literal(path: str) -> str:
    """The client decodes percent signs in a path; an object may really be called ``100%41.mp4``."""
    return path.replace("%", "%25")
