"""Reading objects: as the caller, from a public bucket, or by a signed URL."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from psycopg.rows import DictRow
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from devstack.http import Json, bearer_token
from devstack.keys import Keys
from devstack.storage.errors import StorageError, no_such_bucket, no_such_key
from devstack.storage.requests import caller_of, key_of, signed_claims
from devstack.storage.store import Store


class Downloads:
    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def routes(self) -> list[Route]:
        key = "{bucket}/{name:path}"
        return [
            Route(f"/object/info/public/{key}", self.info_public),
            Route(f"/object/info/authenticated/{key}", self.info),
            Route(f"/object/info/{key}", self.info),
            Route(f"/object/sign/{key}", self.signed),
            Route(f"/object/public/{key}", self.public),
            Route(f"/object/authenticated/{key}", self.authenticated),
            Route(f"/object/{key}", self.authenticated),
        ]

    async def authenticated(self, request: Request) -> Response:
        return self._file(request, await self._find(request, "object.get_authenticated"))

    async def public(self, request: Request) -> Response:
        return self._file(request, await self._find_public(request))

    async def signed(self, request: Request) -> Response:
        bucket, name = key_of(request)
        token = request.query_params.get("token")
        claims = signed_claims(token, f"{bucket}/{name}", self._keys)
        row = await self._store.find_as_owner(bucket, name)
        return self._file(request, row, expires=claims["exp"])

    async def info(self, request: Request) -> Response:
        return Json(_info(await self._find(request, "object.get_authenticated_info")))

    async def info_public(self, request: Request) -> Response:
        return Json(_info(await self._find_public(request)))

    async def _find(self, request: Request, operation: str) -> DictRow:
        bucket, name = key_of(request)
        is_public = (await self._store.bucket(bucket)).public
        if is_public:
            return await self._store.find_as_owner(bucket, name)
        if bearer_token(request) is None:
            raise no_such_bucket()
        return await self._store.find(caller_of(request, self._keys), operation, bucket, name)

    async def _find_public(self, request: Request) -> DictRow:
        bucket, name = key_of(request)
        if not (await self._store.bucket(bucket)).public:
            raise no_such_bucket()
        return await self._store.find_as_owner(bucket, name)

    def _file(self, request: Request, row: DictRow, expires: int | None = None) -> Response:
        metadata, path = row["metadata"], self._store.files.path(row["version"])
        etag = metadata["eTag"]
        if _matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers={"etag": etag})
        if "if-match" in request.headers and not _matches(request.headers["if-match"], etag):
            raise StorageError(412, "PreconditionFailed", "The object is another one by now")
        _require_satisfiable_range(request, metadata["size"])
        if not path.exists():
            raise no_such_key()
        mime_type = metadata["mimetype"]
        headers = {
            # A page in a bucket must not run scripts on the project's own origin.
            "content-type": "text/plain" if "text/html" in mime_type else mime_type,
            "etag": etag,
            "last-modified": _http_date(datetime.fromisoformat(metadata["lastModified"])),
        }
        if expires is None:
            headers["cache-control"] = metadata["cacheControl"]
        else:
            headers["expires"] = _http_date(datetime.fromtimestamp(expires, UTC))
        if (file_name := request.query_params.get("download")) is not None:
            headers["content-disposition"] = _attachment(file_name)
        return FileResponse(path, headers=headers)


def _info(row: DictRow) -> dict[str, Any]:
    metadata = row["metadata"]
    return {
        "id": row["id"],
        "name": row["name"],
        "version": row["version"],
        "bucket_id": row["bucket_id"],
        "size": metadata["size"],
        "content_type": metadata["mimetype"],
        "cache_control": metadata["cacheControl"],
        "etag": metadata["eTag"],
        "metadata": row["user_metadata"],
        "last_modified": row["updated_at"],
        "created_at": row["created_at"],
    }


def _matches(header: str | None, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in (header or "").split(",")]
    return etag in tags or "*" in tags


def _require_satisfiable_range(request: Request, size: int) -> None:
    match = re.fullmatch(r"bytes=(\d+)-\d*", request.headers.get("range", ""))
    if match and int(match[1]) >= size:
        raise StorageError(416, "InvalidRange", "The requested range is not satisfiable")


def _attachment(file_name: str) -> str:
    if not file_name:
        return "attachment;"
    encoded = quote(file_name, safe="")
    return f"attachment; filename={encoded}; filename*=UTF-8''{encoded};"


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
