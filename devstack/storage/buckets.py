"""/bucket: rows of storage.buckets, written and read as the caller."""

from __future__ import annotations

from typing import Any

from psycopg.rows import DictRow
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.database import Connection, as_uuid
from devstack.http import Json
from devstack.keys import Keys
from devstack.storage.errors import StorageError, no_such_bucket
from devstack.storage.limits import parse_size, require_bucket_name
from devstack.storage.requests import caller_of, json_body
from devstack.storage.store import Store

_COLUMNS = "id, name, owner, public, file_size_limit, allowed_mime_types, created_at, updated_at"


class Buckets:
    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def routes(self) -> list[Route]:
        return [
            Route("/bucket", self.list_buckets, methods=["GET"]),
            Route("/bucket", self.create, methods=["POST"]),
            Route("/bucket/{bucket}", self.get, methods=["GET"]),
            Route("/bucket/{bucket}", self.update, methods=["PUT"]),
            Route("/bucket/{bucket}", self.delete, methods=["DELETE"]),
            Route("/bucket/{bucket}/empty", self.empty, methods=["POST"]),
        ]

    async def list_buckets(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        async with self._store.as_caller(caller, "bucket.list") as connection:
            cursor = await connection.execute(f"select {_COLUMNS} from storage.buckets order by id")
            return Json([_bucket_json(row) for row in await cursor.fetchall()])

    async def get(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        async with self._store.as_caller(caller, "bucket.get") as connection:
            return Json(_bucket_json(await _visible_bucket(connection, request)))

    async def create(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        body = await json_body(request, name=str)
        require_bucket_name(body["name"])
        row = {
            "id": body.get("id") or body["name"],
            "name": body["name"],
            "owner": as_uuid(caller.id),
            "owner_id": caller.id,
            **_settings(body),
        }
        async with self._store.as_caller(caller, "bucket.create") as connection:
            await connection.execute(
                "insert into storage.buckets"
                " (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)"
                " values (%(id)s, %(name)s, %(owner)s, %(owner_id)s,"
                " %(public)s, %(file_size_limit)s, %(allowed_mime_types)s)",
                row,
            )
        return Json({"name": row["name"]})

    async def update(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        settings = _settings(await json_body(request))
        async with self._store.as_caller(caller, "bucket.update") as connection:
            bucket = await _visible_bucket(connection, request)
            await connection.execute(
                "update storage.buckets set updated_at = now(), public = %(public)s,"
                " file_size_limit = %(file_size_limit)s,"
                " allowed_mime_types = %(allowed_mime_types)s where id = %(id)s",
                {**settings, "id": bucket["id"]},
            )
        return Json({"message": "Successfully updated"})

    async def empty(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        async with self._store.as_caller(caller, "bucket.empty") as connection:
            bucket = await _visible_bucket(connection, request)
            cursor = await connection.execute(
                "delete from storage.objects where bucket_id = %s returning version", [bucket["id"]]
            )
            removed = await cursor.fetchall()
        self._store.forget(removed)
        return Json({"message": "Successfully emptied"})

    async def delete(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        async with self._store.as_owner() as connection:
            cursor = await connection.execute(
                "select from storage.objects where bucket_id = %s limit 1",
                [request.path_params["bucket"]],
            )
            if await cursor.fetchone() is not None:
                message = "The bucket you tried to delete is not empty"
                raise StorageError(409, "InvalidRequest", message)
        async with self._store.as_caller(caller, "bucket.delete") as connection:
            bucket = await _visible_bucket(connection, request)
            await connection.execute("delete from storage.buckets where id = %s", [bucket["id"]])
        return Json({"message": "Successfully deleted"})


async def _visible_bucket(connection: Connection, request: Request) -> DictRow:
    cursor = await connection.execute(
        f"select {_COLUMNS} from storage.buckets where id = %s", [request.path_params["bucket"]]
    )
    row = await cursor.fetchone()
    if row is None:
        raise no_such_bucket()
    return row


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "public": bool(body.get("public")),
        "file_size_limit": parse_size(body.get("file_size_limit")),
        "allowed_mime_types": body.get("allowed_mime_types"),
    }


def _bucket_json(row: DictRow) -> dict[str, Any]:
    return {**row, "owner": row["owner"] or "", "type": "STANDARD"}
