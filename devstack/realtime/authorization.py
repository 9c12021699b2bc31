"""Who may listen on a private topic, and speak: what the policies of realtime.messages say."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import psycopg

from devstack.database import REALTIME_ADMIN, Caller, Connection, Database, act_as


@dataclass(frozen=True)
class Permissions:
    read: bool
    write: bool


OF_A_PUBLIC_CHANNEL = Permissions(read=True, write=True)


async def permissions(database: Database, caller: Caller, topic: str) -> Permissions:
    """Asked with rows that are never committed: can the caller see one, can it insert one?

    Raises psycopg.Error, for example when a policy fails.
    """
    async with (
        database.transaction(REALTIME_ADMIN) as connection,
        connection.transaction(force_rollback=True),
    ):
        probe = await _insert_probe(connection, topic)
        await act_as(connection, caller, {"realtime.topic": topic})
        cursor = await connection.execute("select from realtime.messages where id = %s", [probe])
        read = await cursor.fetchone() is not None
        try:
            async with connection.transaction():
                await _insert_probe(connection, topic)
        except psycopg.errors.InsufficientPrivilege:
            return Permissions(read, write=False)
        return Permissions(read, write=True)


async def _insert_probe(connection: Connection, topic: str) -> str:
    probe = str(uuid4())
    await connection.execute(
        "insert into realtime.messages (id, topic, extension) values (%s, %s, 'broadcast')",
        [probe, topic],
    )
    return probe
