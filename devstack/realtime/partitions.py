"""The database side of Realtime: `realtime.messages` has a partition for each of the next days.

`realtime.send()` on a day without one only raises a warning, and the message is lost. The hosted
service makes partitions ahead of time, and so does this. It also drops old ones; a development
database has few, and keeps them.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg import sql

_DAYS_AHEAD = 3
_RENEW_SECONDS = 3600


def partition_statements(today: date) -> list[sql.Composed]:
    """What makes the partitions that are missing, from yesterday on: clocks differ."""
    days = [today + timedelta(days=offset) for offset in range(-1, _DAYS_AHEAD + 1)]
    return [
        sql.SQL(
            "create table if not exists realtime.{} partition of realtime.messages"
            " for values from ({}) to ({})"
        ).format(sql.Identifier(f"messages_{day:%Y_%m_%d}"), str(day), str(day + timedelta(days=1)))
        for day in days
    ]


async def make_partitions(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        for statement in partition_statements(datetime.now(UTC).date()):
            await connection.execute(statement)


async def keep_partitions(dsn: str) -> None:
    """Makes the coming days' partitions for as long as the stack runs."""
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        try:
            await make_partitions(dsn)
        except psycopg.OperationalError:
            continue  # the database is away; there are days left to try again
