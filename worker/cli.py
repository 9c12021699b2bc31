"""The command ``video-worker``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from worker import __version__
from worker.errors import ConfigurationError, VideoWorkerError
from worker.ops.logs import configure_logging
from worker.ops.metrics import Metrics
from worker.queue.migrations import Migration, migrate
from worker.remote import Project, Row
from worker.service import Service
from worker.settings import DatabaseSettings, ProjectSettings, Settings

AnySettings = TypeVar("AnySettings", bound=BaseSettings)

FAILED, MISCONFIGURED = 1, 2

out = Console(width=None if sys.stdout.isatty() else 200)  # no table is cut in a pipe
err = Console(stderr=True)


def main() -> None:
    """Exit code 0: done, 1: it did not work out, 2: wrong settings or usage."""
    arguments = _parser().parse_args()
    configure_logging("warning", "console")  # to stderr; `run` has settings of its own
    try:
        sys.exit(arguments.command(arguments))
    except ConfigurationError as error:
        complain(error)
        sys.exit(MISCONFIGURED)
    except VideoWorkerError as error:
        complain(error)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def complain(error: VideoWorkerError) -> None:
    err.print(f"video-worker: {error}", markup=False, highlight=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "video-worker", description="Burns subtitles into videos for Supabase apps."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> Any:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    add("run", _run, "Process jobs until stopped (SIGTERM drains, a second one stops at once).")
    add("migrate", _migrate, "Apply the migrations that DATABASE_URL (role postgres) lacks.")
    add("health", _health, "Ask the worker on this machine whether it is alive (for Docker).")

    enqueue = add("enqueue", _enqueue, "Send a video and its subtitles as a job of a user.")
    enqueue.add_argument("video", type=Path)
    enqueue.add_argument("subtitles", type=Path)
    enqueue.add_argument("--user", required=True, help="the user's id or e-mail address")
    enqueue.add_argument("--style", default="{}", help='JSON, such as \'{"color": "#FFDD00"}\'')
    enqueue.add_argument("--wait", action="store_true", help="show the progress until it is done")
    enqueue.add_argument("--output", type=Path, help="with --wait: save the result here")

    jobs = add("jobs", _jobs, "List the newest jobs.")
    jobs.add_argument("--limit", type=int, default=20)
    jobs.add_argument("--status", help="only jobs in this status")
    jobs_commands = jobs.add_subparsers(metavar="show")
    show = jobs_commands.add_parser("show", help="Show one job and its history.")
    show.add_argument("id")
    show.set_defaults(command=_show)
    return parser


def _load(settings: type[AnySettings]) -> AnySettings:
    """Read the settings; says which variable is missing or wrong, and how."""
    try:
        return settings()
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ConfigurationError(
            f"Wrong settings (environment or .env file):\n{problems}\n"
            "What they mean is in docs/settings.md."
        ) from error


def _run(arguments: argparse.Namespace) -> int:
    settings = _load(Settings)
    metrics = Metrics(__version__, settings.worker_name)
    configure_logging(settings.log_level, settings.log_format, [metrics.observe])
    asyncio.run(Service(settings, metrics).run())
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    def applied(migration: Migration) -> None:
        out.print(f"applied {migration.version}_{migration.name}", highlight=False)

    try:
        count = migrate(str(_load(DatabaseSettings).database_url), applied)
    except psycopg.Error as error:
        raise VideoWorkerError(f"the migration failed: {error}") from error
    out.print(f"{count} migrations applied" if count else "the database is up to date")
    return 0


def _health(arguments: argparse.Namespace) -> int:
    port = os.environ.get("WORKER_HEALTH_PORT") or os.environ.get("PORT")
    if not port:
        raise ConfigurationError("WORKER_HEALTH_PORT is not set, so no health server runs.")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{int(port)}/livez", timeout=5):
            return 0
    except (urllib.error.URLError, OSError) as error:
        raise VideoWorkerError(f"the worker does not answer: {error}") from error


def _enqueue(arguments: argparse.Namespace) -> int:
    for file in (arguments.video, arguments.subtitles):
        if not file.is_file():
            raise VideoWorkerError(f"there is no file {file}")
    try:
        options = {"style": json.loads(arguments.style)}
    except json.JSONDecodeError as error:
        raise VideoWorkerError(f"--style is not JSON: {error}") from error
    return asyncio.run(_send(arguments, options))


async def _send(arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    project = Project(_load(ProjectSettings))
    try:
        user_id = await project.user_id(arguments.user)
        with Progress(TextColumn("upload"), BarColumn(), DownloadColumn(), console=err) as progress:
            upload = progress.add_task("upload", total=arguments.video.stat().st_size)
            row = await project.send(
                user_id,
                arguments.video,
                arguments.subtitles,
                options,
                lambda done, total: progress.update(upload, completed=done),
            )
        out.print(row["id"], highlight=False)
        if not arguments.wait:
            return 0
        row = await _follow(project, row["id"])
        if row["status"] != "completed":
            reason = f"{row['error_code']}: {row['error_message']}"
            raise VideoWorkerError(f"{row['status']}: {reason}")
        for warning in row["output_info"]["warnings"]:
            err.print(
                f"warning: {warning['message']}", markup=False, highlight=False, soft_wrap=True
            )
        out.print(f"completed: renders/{row['output_path']}", highlight=False, soft_wrap=True)
        if arguments.output:
            await project.save_result(row, arguments.output)
            out.print(f"saved: {arguments.output}", highlight=False, soft_wrap=True)
        return 0
    finally:
        await project.close()


async def _follow(project: Project, job_id: str) -> Row:
    row: Row = {}
    with Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=err,
    ) as progress:
        bar = progress.add_task("queued", total=100)
        async for row in project.follow(job_id):
            state = f"{row['status']} {row['stage'] or ''}".strip()
            progress.update(bar, completed=row["progress"], description=state)
    return row


def _jobs(arguments: argparse.Namespace) -> int:
    async def load() -> list[Row]:
        project = Project(_load(ProjectSettings))
        try:
            return await project.jobs(arguments.limit, arguments.status)
        finally:
            await project.close()

    table = Table(
        Column("id", no_wrap=True), *["status", "stage", "%", "try", "error", "created"], box=None
    )
    for row in asyncio.run(load()):
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
    return 0


def _show(arguments: argparse.Namespace) -> int:
    async def load() -> tuple[Row, list[Row]]:
        project = Project(_load(ProjectSettings))
        try:
            return await project.job(arguments.id), await project.history(arguments.id)
        finally:
            await project.close()

    row, history = asyncio.run(load())
    for key, value in row.items():
        if value is not None:
            out.print(f"{key:20} {value}", markup=False, highlight=False, soft_wrap=True)
    out.print()
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
    return 0


if __name__ == "__main__":
    main()
