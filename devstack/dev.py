"""`python -m devstack.dev`: a stack and a worker that keep running, until SIGINT or SIGTERM."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from devstack.local_worker import WorkerError, prepare_database, start_worker
from devstack.stack import Stack

FOLDER = Path(".devstack")
PORT = 54321
USER = "demo@example.com"
PASSWORD = "demo-password"  # noqa: S105


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), Stack.start(directory=FOLDER, port=PORT) as stack:
            run(stack)
    except (OSError, WorkerError) as error:
        sys.exit(f"make dev: {error}")


def run(stack: Stack) -> None:
    environment = prepare_database(stack)
    create_user(stack)
    worker = start_worker(FOLDER, environment, FOLDER / "worker.log")
    try:
        sys.stdout.write(status(stack, environment))
        sys.stdout.flush()
        subprocess.run(["tail", "-n", "+1", "-f", str(FOLDER / "worker.log")], check=False)
    finally:
        worker.terminate()
        worker.wait()


def create_user(stack: Stack) -> None:
    """A user to send jobs as; the second time, there is one already."""
    httpx.post(
        f"{stack.url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        json={"email": USER, "password": PASSWORD},
    )


def status(stack: Stack, environment: dict[str, str]) -> str:
    return f"""
     API URL: {stack.url}
      DB URL: {stack.database_url}
 Publishable: {stack.publishable_key}
      Secret: {stack.secret_key}
        User: {USER}, password {PASSWORD}

A worker is running; its log follows. Send it a video from another terminal:

  export SUPABASE_URL={stack.url} SUPABASE_SECRET_KEY={stack.secret_key}
  .venv/bin/video-worker enqueue VIDEO SUBTITLES --user {USER} --wait --output out.mp4
  .venv/bin/video-worker jobs

Stop with Ctrl-C.

"""


if __name__ == "__main__":
    main()
