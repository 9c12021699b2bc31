"""Writing objects: upload, replace, move, copy, remove, list."""

from __future__ import annotations

from typing import Any

from psycopg import sql
from psycopg.rows import DictRow
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.http import Json
from devstack.keys import Keys
from devstack.storage.bodies import Description, receive_upload
from devstack.storage.errors import (
    access_denied,
    invalid_request,
    no_such_key,
)
from devstack.storage.limits import Bucket, require_key
from devstack.storage.requests import caller_of, json_body, key_of
from devstack.storage.store import Store, Target, existing_row

_SORT_COLUMNS = ("name", "created_at", "updated_at", "last_accessed_at")

# The direct children of a folder: first the folders in it, then the files.
_LIST = """
with below as (
  select *, substr(name, length(%(prefix)s) + 1) as rest
  from storage.objects
  where bucket_id = %(bucket)s and starts_with(name, %(prefix)s)
),
children as (
  select split_part(rest, '/', 1) as name, null::uuid as id, null::timestamptz as updated_at,
    null::timestamptz as created_at, null::timestamptz as last_accessed_at, null::jsonb as metadata
  from below where rest like '%%/%%' group by 1
  union all
  select rest, id, updated_at, created_at, last_accessed_at, metadata
  from below where rest not like '%%/%%' and rest <> ''
)
select * from children where starts_with(lower(name), lower(%(search)s))
order by id is not null, {column} {direction} limit %(limit)s offset %(offset)s
"""


class Objects:
    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def routes(self) -> list[Route]:
        return [
            Route("/object/list/{bucket}", self.list_objects, methods=["POST"]),
            Route("/object/move", self.move, methods=["POST"]),
            Route("/object/copy", self.copy, methods=["POST"]),
            Route("/object/{bucket}", self.remove, methods=["DELETE"]),
            Route("/object/{bucket}/{name:path}", self.create, methods=["POST"]),
            Route("/object/{bucket}/{name:path}", self.replace, methods=["PUT"]),
            Route("/object/{bucket}/{name:path}", self.remove_one, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        upsert = request.headers.get("x-upsert") == "true"
        return await self._upload(request, "object.upload", upsert=upsert)

    async def replace(self, request: Request) -> Response:
        return await self._upload(request, "object.upload_update", upsert=True)

    async def _upload(self, request: Request, operation: str, *, upsert: bool) -> Response:
        caller = caller_of(request, self._keys)
        bucket, name = key_of(request)
        target = Target(bucket, name, caller.id, upsert)
        admitting = await self._store.bucket(bucket)
        await self._store.admit(target, caller, operation)
        return await receive_object(request, self._store, admitting, target)

    async def list_objects(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        body = await json_body(request, prefix=str)
        prefix = body["prefix"]
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        sort = body.get("sortBy") or {}
        column, direction = sort.get("column") or "name", sort.get("order") or "asc"
        if column not in _SORT_COLUMNS or direction not in ("asc", "desc"):
            raise invalid_request(f"body/sortBy can't be {column} {direction}")
        query = sql.SQL(_LIST).format(column=sql.Identifier(column), direction=sql.SQL(direction))
        async with self._store.as_caller(caller, "object.list") as connection:
            cursor = await connection.execute(
                query,
                {
                    "bucket": request.path_params["bucket"],
                    "prefix": prefix,
                    "search": body.get("search") or "",
                    "limit": body.get("limit") or 100,
                    "offset": body.get("offset") or 0,
                },
            )
            return Json(await cursor.fetchall())

    async def remove(self, request: Request) -> Response:
        """Removes what of the given names the caller may remove, and says what that was."""
        body = await json_body(request, prefixes=list)
        return Json(await self._remove(request, body["prefixes"], "object.delete_many"))

    async def remove_one(self, request: Request) -> Response:
        _, name = key_of(request)
        if not await self._remove(request, [name], "object.delete"):
            raise no_such_key()
        return Json({"message": "Successfully deleted"})

    async def _remove(self, request: Request, names: list[str], operation: str) -> list[DictRow]:
        caller = caller_of(request, self._keys)
        async with self._store.as_caller(caller, operation) as connection:
            cursor = await connection.execute(
                "delete from storage.objects where bucket_id = %s and name = any (%s) returning *",
                [request.path_params["bucket"], names],
            )
            removed = await cursor.fetchall()
        self._store.forget(removed)
        return removed

    async def move(self, request: Request) -> Response:
        """Only the row changes: a version does not know the name that it goes by."""
        caller = caller_of(request, self._keys)
        source, destination = await _source_and_destination(request)
        async with self._store.as_caller(caller, "object.move") as connection:
            await existing_row(connection, *source)
            cursor = await connection.execute(
                "update storage.objects set bucket_id = %s, name = %s"
                " where bucket_id = %s and name = %s",
                [*destination, *source],
            )
            if cursor.rowcount == 0:
                # It is visible, but no policy lets the caller update it.
                raise access_denied("new row violates row-level security policy")
        return Json({"message": "Successfully moved"})

    async def copy(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        source, destination = await _source_and_destination(request)
        upsert = request.headers.get("x-upsert") == "true"
        target = Target(*destination, caller.id, upsert)
        await self._store.bucket(target.bucket)
        row = await self._store.find(caller, "object.copy", *source)
        await self._store.admit(target, caller, "object.copy")
        metadata = row["metadata"]
        object_id = await self._store.complete(
            target,
            Description(metadata["mimetype"], metadata["cacheControl"], row["user_metadata"]),
            self._store.files.copy(row["version"]),
            metadata["eTag"].strip('"'),
        )
        return Json({"Id": object_id, "Key": target.key})


async def receive_object(
    request: Request, store: Store, bucket: Bucket, target: Target
) -> Response:
    """Receives the body of an admitted upload and makes it the object's content."""
    try:
        with store.files.receive() as file:
            description = await receive_upload(request, bucket, file)
            file.close()
            version = store.files.keep(file.path)
            object_id = await store.complete(target, description, version, file.md5)
    except ClientDisconnect:
        # Nobody is there to read this.
        return Response(status_code=400)
    return Json({"Id": object_id, "Key": target.key})


async def _source_and_destination(request: Request) -> tuple[tuple[str, str], tuple[str, str]]:
    body: dict[str, Any] = await json_body(request, bucketId=str, sourceKey=str, destinationKey=str)
    bucket, destination = body["bucketId"], body["destinationKey"]
    require_key(destination)
    return (bucket, body["sourceKey"]), (body.get("destinationBucket") or bucket, destination)
