"""``video-worker jobs`` and ``video-worker jobs show``."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime

from rich.table import Column, Table

from worker.cli.console import DONE, Commands, add_command, load, out, say
from worker.remote import Project, Row
from worker.settings import ProjectSettings


def add(commands: Commands) -> None:
    parser = add_command(commands, "jobs", list_jobs, "List the newest jobs.")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--status", help="only jobs in this status")
    text = "Show one job and its history."
    show = add_command(parser.add_subparsers(metavar="show"), "show", show_job, text)
    show.add_argument("id")


def list_jobs(arguments: argparse.Namespace) -> int:
    async def fetch() -> list[Row]:
        project = Project(load(ProjectSettings))
        try:
            return await project.jobs(arguments.limit, arguments.status)
        finally:
            await project.close()

    table = Table(
        Column("id", no_wrap=True), *["status", "stage", "%", "try", "error", "created"], box=None
    )
    for row in asyncio.run(fetch()):
        table.add_row(
            row["id"],
            row["status"],
            row["stage"],
            str(row["progress"]),
            str(row["attempt"]),
            row["error_code"],
            f"{datetime.fromisoformat(row['created_at']):%Y-%m-%d %H:%M:%S}",
        )
    out.print(table)
    return DONE


def show_job(arguments: argparse.Namespace) -> int:
    async def fetch() -> tuple[Row, list[Row]]:
        project = Project(load(ProjectSettings))
        try:
            return await project.job(arguments.id), await project.history(arguments.id)
        finally:
            await project.close()

    row, history = asyncio.run(fetch())
    for key, value in row.items():
        if value is not None:
            say(f"{key:20} {value}")
    say("")
    table = Table("at", "status", "stage", "attempt", "error", "message", box=None)
    for event in history:
        table.add_row(
            f"{datetime.fromisoformat(event['at']):%H:%M:%S.%f}"[:-3],
            event["status"],
            event["stage"],
            str(event["attempt"]),
            event["error_code"],
            event["error_message"],
        )
    out.print(table)
    return DONE
