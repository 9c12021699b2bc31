"""``video-worker migrate``."""

from __future__ import annotations

import argparse

import psycopg

from worker.cli.console import DONE, Commands, add_command, load, say
from worker.errors import VideoWorkerError
from worker.queue import migrations
from worker.settings import DatabaseSettings


def add(commands: Commands) -> None:
    text = "Apply the migrations that DATABASE_URL (role postgres) lacks."
    add_command(commands, "migrate", migrate, text)


def migrate(arguments: argparse.Namespace) -> int:
    def applied(migration: migrations.Migration) -> None:
        say(f"applied {migration.version}_{migration.name}")

    try:
        count = migrations.migrate(str(load(DatabaseSettings).database_url), applied)
    except psycopg.errors.InsufficientPrivilege as error:
        raise VideoWorkerError(
            f"the migration failed: {error}. It takes DATABASE_URL of role postgres."
        ) from error
    except psycopg.Error as error:
        raise VideoWorkerError(f"the migration failed: {error}") from error
    say(f"{count} migrations applied" if count else "the database is up to date")
    return DONE
