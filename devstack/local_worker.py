"""A worker beside the stack, as an operator would start it: the command, and its environment.

It is a process of its own. devstack knows the worker by its command line only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from devstack.postgres import PASSWORD
from devstack.stack import Stack

COMMAND = (sys.executable, "-m", "worker.cli")
READY_SECONDS = 60


class WorkerError(Exception):
    """The worker's command failed; the message ends with what it said."""


def prepare_database(stack: Stack) -> dict[str, str]:
    """Apply the migrations, let the worker's role log in, and return the environment that a worker
    needs. Raises WorkerError."""
    environment = os.environ | {
        "SUPABASE_URL": stack.url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "LOG_FORMAT": "json",
    }
    done = subprocess.run(
        [*COMMAND, "migrate"],
        env=environment | {"DATABASE_URL": stack.database_url},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise WorkerError(f"the migrations failed: {done.stderr}")
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(f"alter role video_worker password '{PASSWORD}'")
    worker_url = stack.database_url.replace("//postgres:", "//video_worker:")
    return environment | {"DATABASE_URL": worker_url}


def start_worker(folder: Path, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `video-worker run` with its files below `folder`, logging to `log`, and wait until it
    is ready. Raises WorkerError."""
    with log.open("wb") as file:
        worker = subprocess.Popen(
            [*COMMAND, "run"],
            env=environment | {"WORKER_WORK_DIR": str(folder / "work")},
            stderr=file,
        )
    deadline = time.monotonic() + READY_SECONDS
    while "worker.ready" not in log.read_text():
        if worker.poll() is not None or time.monotonic() > deadline:
            worker.kill()
            raise WorkerError(f"the worker did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return worker
