"""Makes a plain database into what a new Supabase project has before any migration."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg

from devstack.realtime.partitions import partition_statements

_SQL = Path(__file__).parent / "sql"


def bootstrap(superuser_dsn: str) -> None:
    """Applies sql/*.sql to the database of the DSN, all or nothing; does nothing the second time.

    Runs on Postgres 15 to 18 and needs no extension. Roles belong to the whole server: those that
    exist are kept as they are.
    """
    with psycopg.connect(superuser_dsn) as connection:
        done = connection.execute("select to_regclass('realtime.messages') is not null").fetchone()
        if done == (True,):
            return
        for script in sorted(_SQL.glob("*.sql")):
            connection.execute(script.read_bytes())
        for statement in partition_statements(datetime.now(UTC).date()):
            connection.execute(statement)
