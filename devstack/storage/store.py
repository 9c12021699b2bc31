"""Objects: a row in storage.objects, which policies guard, and a version on disk.

Promises: what a caller may do is decided by the row, as the caller's role. A row is visible only
once its bytes are whole, and an upload that fails leaves neither row nor bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from devstack.database import STORAGE_ADMIN, Caller, Connection, Database, as_uuid
from devstack.storage.bodies import Description
from devstack.storage.errors import from_database, no_such_bucket, no_such_key
from devstack.storage.files import Files
from devstack.storage.limits import Bucket, require_key


@dataclass(frozen=True)
class Target:
    """Where an upload is to go, and whose it will be."""

    bucket: str
    name: str
    owner: str | None
    upsert: bool

    @property
    def key(self) -> str:
        return f"{self.bucket}/{self.name}"


class Store:
    def __init__(self, database: Database, files: Files) -> None:
        self.files = files
        self._database = database

    @asynccontextmanager
    async def as_caller(self, caller: Caller, operation: str) -> AsyncIterator[Connection]:
        """A transaction as the caller; `storage.operation()` tells policies what it is about."""
        settings = {
            "storage.operation": f"storage.{operation}",
            "storage.allow_delete_query": "true",
        }
        async with _storage_errors():
            transaction = self._database.transaction_as(caller, STORAGE_ADMIN, settings)
            async with transaction as connection:
                yield connection

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[Connection]:
        """A transaction as the owner of the tables, for whom there are no policies."""
        async with _storage_errors(), self._database.transaction(STORAGE_ADMIN) as connection:
            yield connection

    async def bucket(self, bucket_id: str) -> Bucket:
        async with self.as_owner() as connection:
            cursor = await connection.execute(
                "select id, public, file_size_limit, allowed_mime_types"
                " from storage.buckets where id = %s",
                [bucket_id],
            )
            row = await cursor.fetchone()
        if row is None:
            raise no_such_bucket()
        return Bucket(**row)

    async def admit(self, target: Target, caller: Caller, operation: str) -> None:
        """Raises StorageError unless the caller may write there: by writing, and rolling back."""
        require_key(target.name)
        async with self.as_caller(caller, operation) as connection:
            await _write_row(connection, target, version="")
            raise psycopg.Rollback

    async def complete(
        self, target: Target, description: Description, version: str, md5: str
    ) -> str:
        """Makes a version the object's content; returns the id of the object.

        A version that doesn't become it is removed.
        """
        size = self.files.path(version).stat().st_size
        metadata = {
            "eTag": f'"{md5}"',
            "size": size,
            "mimetype": description.mime_type,
            "cacheControl": description.cache_control,
            "lastModified": datetime.now(UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "contentLength": size,
            "httpStatusCode": 200,
        }
        try:
            async with self.as_owner() as connection:
                replaced = await find_row(connection, target.bucket, target.name, lock=True)
                await _write_row(connection, target, version)
                cursor = await connection.execute(
                    "update storage.objects set metadata = %s, user_metadata = %s"
                    " where bucket_id = %s and name = %s returning id",
                    [
                        Jsonb(metadata),
                        Jsonb(description.user_metadata) if description.user_metadata else None,
                        target.bucket,
                        target.name,
                    ],
                )
                row = await cursor.fetchone()
                assert row is not None, "it was written by this transaction"
        except BaseException:
            self.files.remove(version)
            raise
        self.forget([replaced] if replaced else [])
        return str(row["id"])

    async def find(self, caller: Caller, operation: str, bucket: str, name: str) -> DictRow:
        """The object's row, if the caller may see it. Raises StorageError."""
        async with self.as_caller(caller, operation) as connection:
            return await existing_row(connection, bucket, name)

    async def find_as_owner(self, bucket: str, name: str) -> DictRow:
        async with self.as_owner() as connection:
            return await existing_row(connection, bucket, name)

    def forget(self, rows: Iterable[DictRow]) -> None:
        """Removes the versions of rows that are gone."""
        for row in rows:
            if row["version"]:
                self.files.remove(row["version"])


async def find_row(
    connection: Connection, bucket: str, name: str, *, lock: bool = False
) -> DictRow | None:
    cursor = await connection.execute(
        "select * from storage.objects where bucket_id = %s and name = %s"
        + (" for update" if lock else ""),
        [bucket, name],
    )
    return await cursor.fetchone()


async def existing_row(connection: Connection, bucket: str, name: str) -> DictRow:
    row = await find_row(connection, bucket, name)
    # A row that was inserted by SQL has no bytes.
    if row is None or row["metadata"] is None:
        raise no_such_key()
    return row


async def _write_row(connection: Connection, target: Target, version: str) -> None:
    """Without RETURNING, and without a conflict clause unless asked: each needs more rights."""
    upsert = (
        "on conflict (bucket_id, name) do update set version = excluded.version,"
        " owner = excluded.owner, owner_id = excluded.owner_id"
    )
    await connection.execute(
        "insert into storage.objects (bucket_id, name, version, owner, owner_id)"
        " values (%s, %s, %s, %s, %s) " + (upsert if target.upsert else ""),
        [target.bucket, target.name, version, as_uuid(target.owner), target.owner],
    )


@asynccontextmanager
async def _storage_errors() -> AsyncIterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise from_database(error) from error
