"""``video-worker enqueue``."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from worker.cli.console import DONE, Commands, add_command, err, load, say
from worker.errors import VideoWorkerError
from worker.remote import Project, Row
from worker.settings import ProjectSettings


def add(commands: Commands) -> None:
    text = "Send a video and its subtitles as a job of a user."
    parser = add_command(commands, "enqueue", enqueue, text)
    parser.add_argument("video", type=Path)
    parser.add_argument("subtitles", type=Path)
    parser.add_argument("--user", required=True, help="the user's id or e-mail address")
    parser.add_argument("--style", default="{}", help='JSON, such as \'{"color": "#FFDD00"}\'')
    parser.add_argument("--wait", action="store_true", help="show the progress until it is done")
    parser.add_argument("--output", type=Path, help="with --wait: save the result here")


def enqueue(arguments: argparse.Namespace) -> int:
    for file in (arguments.video, arguments.subtitles):
        if not file.is_file():
            raise VideoWorkerError(f"there is no file {file}")
    try:
        options = {"style": json.loads(arguments.style)}
    except json.JSONDecodeError as error:
        raise VideoWorkerError(f"--style is not JSON: {error}") from error
    return asyncio.run(_send(arguments, options))


async def _send(arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    project = Project(load(ProjectSettings))
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
        say(row["id"])
        if not arguments.wait:
            return DONE
        row = await _follow(project, row["id"])
        if row["status"] != "completed":
            reason = f"{row['error_code']}: {row['error_message']}"
            raise VideoWorkerError(f"{row['status']}: {reason}")
        for warning in row["output_info"]["warnings"]:
            err.print(
                f"warning: {warning['message']}", markup=False, highlight=False, soft_wrap=True
            )
        say(f"completed: renders/{row['output_path']}")
        if arguments.output:
            await project.save_result(row, arguments.output)
            say(f"saved: {arguments.output}")
        return DONE
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
