"""The database's changes as they commit: a client of streaming logical replication.

psycopg has no interface for it, but the libpq that it wraps does. The slot is temporary: it ends
with its connection, so that no write-ahead log is kept for a stack that is not running.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from uuid import uuid4

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGconn

from devstack.realtime.pgoutput import Change, Decoder

# From 1970 to the epoch of Postgres, 2000-01-01.
_EPOCH_SECONDS = 946684800


class ReplicationError(Exception):
    """The stream could not be started, or broke."""


@asynccontextmanager
async def replication(
    dsn: str, publications: Sequence[str]
) -> AsyncIterator[AsyncIterator[Change]]:
    """A stream of what commits from now on, in order of commit. Needs wal_level=logical.

    Raises ReplicationError, also while the stream is read.
    """
    connection = await asyncio.to_thread(_start, dsn, publications)
    try:
        async with aclosing(_messages(connection)) as messages:
            yield _changes(connection, messages)
    finally:
        connection.finish()


def _start(dsn: str, publications: Sequence[str]) -> PGconn:
    conninfo = make_conninfo(dsn, replication="database", application_name="devstack realtime")
    connection = pq.PGconn.connect(conninfo.encode())
    try:
        if connection.status != pq.ConnStatus.OK:
            raise ReplicationError(connection.get_error_message())
        slot = f"devstack_{uuid4().hex}"
        _command(
            connection,
            f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')",
            pq.ExecStatus.TUPLES_OK,
        )
        _command(
            connection,
            f"START_REPLICATION SLOT {slot} LOGICAL 0/0"
            f" (proto_version '1', publication_names '{','.join(publications)}')",
            pq.ExecStatus.COPY_BOTH,
        )
    except BaseException:
        connection.finish()
        raise
    connection.nonblocking = 1
    return connection


def _command(connection: PGconn, command: str, expected: pq.ExecStatus) -> None:
    result = connection.exec_(command.encode())
    if result.status != expected:
        raise ReplicationError(result.get_error_message())


async def _changes(connection: PGconn, messages: AsyncIterator[bytes]) -> AsyncIterator[Change]:
    decoder = Decoder()
    async for message in messages:
        kind = message[:1]
        if kind == b"w":
            # Position, end of the log and the server's time come before the plugin's message.
            change = decoder.read(message[25:])
            if change is not None:
                yield change
        elif kind == b"k":
            (position,) = struct.unpack_from(">Q", message, 1)
            _confirm(connection, position)


async def _messages(connection: PGconn) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    socket = connection.socket
    loop.add_reader(socket, readable.set)
    try:
        while True:
            try:
                count, message = connection.get_copy_data(1)
            except psycopg.OperationalError as error:
                raise ReplicationError(str(error)) from error
            if count > 0:
                yield bytes(message)
            elif count == 0:
                readable.clear()
                await readable.wait()
                connection.consume_input()
            else:
                raise ReplicationError(connection.get_error_message())
    finally:
        loop.remove_reader(socket)


def _confirm(connection: PGconn, position: int) -> None:
    """Answers a keepalive: everything up to here was received, and its log may go."""
    now = int((time.time() - _EPOCH_SECONDS) * 1_000_000)
    connection.put_copy_data(struct.pack(">cQQQqB", b"r", position, position, position, now, 0))
    connection.flush()
