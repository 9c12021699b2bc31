"""The schema: which migrations belong to this version of the worker, and applying them.

Writes the same ``supabase_migrations.schema_migrations`` rows as the Supabase CLI, so that
``video-worker migrate`` and ``supabase db push`` can be mixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from worker.errors import ConfigurationError
from worker.queue.database import Database

PACKAGE = Path(__file__).parent.parent
HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key, statements text[], name text
);
"""


@dataclass(frozen=True)
class Migration:
    """``version`` is 14 digits; ``name`` what the file is called after them."""

    version: str
    name: str
    sql: str


def shipped_migrations() -> list[Migration]:
    """The migrations of this version of the worker, oldest first."""
    inside = PACKAGE / "migrations"  # in the wheel; in a checkout they lie beside the package
    folder = inside if inside.is_dir() else PACKAGE.parent / "migrations"
    migrations = []
    for file in sorted(folder.glob("*.sql")):
        version, _, name = file.stem.partition("_")
        migrations.append(Migration(version, name, file.read_text(encoding="utf-8")))
    return migrations


def migrate(url: str, applied: Callable[[Migration], None]) -> int:
    """Apply what is missing, each file in a transaction of its own; returns how many there were.

    Needs a role that may create schemas and roles (``postgres``). Waits for a migration that
    another process has begun. Raises psycopg's errors.
    """
    count = 0
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("select pg_advisory_lock(hashtextextended('video-worker migrate', 0))")
        with connection.transaction():
            connection.execute("set local client_min_messages = warning")
            connection.execute(HISTORY)
        known = {
            version
            for (version,) in connection.execute(
                "select version from supabase_migrations.schema_migrations"
            )
        }
        for migration in shipped_migrations():
            if migration.version in known:
                continue
            with connection.transaction():
                connection.execute(migration.sql.encode())
                connection.execute(
                    "insert into supabase_migrations.schema_migrations (version, name, statements)"
                    " values (%s, %s, %s)",
                    (migration.version, migration.name, [migration.sql]),
                )
            applied(migration)
            count += 1
    return count


async def check_schema(database: Database) -> str:
    """The version of the database's schema; it may be newer than this version of the worker.

    Raises ``ConfigurationError`` unless it has every migration that this version needs.
    """
    try:
        version: str = await database.value("select video_worker.schema_version()")
    except (
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.UndefinedFunction,
    ) as error:
        raise ConfigurationError(
            "The database has no queue yet. Apply the migrations: `video-worker migrate` with "
            "DATABASE_URL of role postgres, or `supabase db push`."
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            "The role in DATABASE_URL may not use the queue. Log in as role video_worker; its "
            "password is set by: alter role video_worker password '…'."
        ) from error
    missing = [m for m in shipped_migrations() if m.version > version]
    if missing:
        names = ", ".join(f"{m.version}_{m.name}" for m in missing)
        raise ConfigurationError(
            f"The database lacks migrations that this worker needs: {names}. Apply them with "
            "`video-worker migrate` or `supabase db push`."
        )
    return version
