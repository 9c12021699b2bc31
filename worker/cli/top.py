"""``video-worker top``: workers, queue and running jobs, live."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.cli.console import DONE, Commands, add_command, load, out
from worker.errors import ConfigurationError, VideoWorkerError
from worker.settings import DatabaseSettings

Row = dict[str, Any]


def add(commands: Commands) -> None:
    text = "Show workers, queue and running jobs, live. DATABASE_URL of role postgres."
    parser = add_command(commands, "top", top, text)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds; default: 1")
    parser.add_argument("--once", action="store_true", help="print it once and end")


def top(arguments: argparse.Namespace) -> int:
    url = str(load(DatabaseSettings).database_url)
    try:
        with psycopg.connect(
            url,
            autocommit=True,
            prepare_threshold=None,
            application_name="video-worker top",
            row_factory=dict_row,
        ) as connection:
            if arguments.once:
                out.print(picture(connection))
                return DONE
            with Live(picture(connection), console=out, screen=True, auto_refresh=False) as live:
                while True:
                    time.sleep(arguments.interval)
                    live.update(picture(connection), refresh=True)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName) as error:
        raise ConfigurationError(
            f"{error.diag.message_primary}. `top` reads schema video_admin: use DATABASE_URL of "
            "role postgres, on a database with the migrations."
        ) from error
    except psycopg.Error as error:
        raise VideoWorkerError(f"the database: {error}") from error


def picture(connection: psycopg.Connection[Row]) -> RenderableType:
    """Everything at one moment."""

    def rows(view: str) -> list[Row]:
        query = sql.SQL("select * from video_admin.{}").format(sql.Identifier(view))
        return connection.execute(query).fetchall()

    queue, workers, running = rows("queue"), rows("workers"), rows("leases")
    return Group(
        _headline(queue, workers),
        Text(),
        _workers(workers),
        Text(),
        _running(running),
        Text(),
        _waiting([row for row in queue if row["status"] == "queued"]),
    )


def _headline(queue: Sequence[Row], workers: Sequence[Row]) -> Text:
    waiting = sum(row["jobs"] - row["scheduled"] for row in queue if row["status"] == "queued")
    scheduled = sum(row["scheduled"] for row in queue)
    busy, slots = sum(row["running"] for row in workers), sum(row["slots"] for row in workers)
    text = Text(f"{waiting} waiting, {scheduled} scheduled, {busy} of {slots} slots busy", "bold")
    if waiting and not workers:
        text.append("   no worker is there", "bold red")
    return text


def _workers(workers: Sequence[Row]) -> Table:
    table = Table("worker", "version", "slots", "wake-up", "state", "silent", "up", box=None)
    for row in workers:
        table.add_row(
            row["name"],
            row["version"],
            f"{row['running']}/{row['slots']}",
            "notify" if row["notified"] else Text("poll", "yellow"),
            Text("draining", "yellow") if row["draining"] else "",
            Text(str(row["silent_for"]), "red" if row["silent_for"].total_seconds() > 30 else ""),
            str(row["up"]),
        )
    return table


def _running(leases: Sequence[Row]) -> Table:
    table = Table("job", "worker", "try", "stage", "progress", "", "left", "running", box=None)
    for row in leases:
        eta = row["eta_seconds"]
        table.add_row(
            str(row["job_id"]),
            row["worker"],
            str(row["attempt"]),
            row["stage"],
            ProgressBar(100, row["progress"], width=24),
            f"{row['progress']} %",
            "" if eta is None else f"{eta} s",
            Text(str(row["running_for"]), "red" if row["near_expiry"] else ""),
        )
    return table


def _waiting(queued: Sequence[Row]) -> Table:
    table = Table("priority", "waiting", "scheduled", "users", "oldest", box=None)
    for row in queued:
        table.add_row(
            str(row["priority"]),
            str(row["jobs"] - row["scheduled"]),
            str(row["scheduled"]),
            str(row["users"]),
            str(row["oldest"] or ""),
        )
    return table
