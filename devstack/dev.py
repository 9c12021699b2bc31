"""`python -m devstack.dev`: a stack, a worker and the page, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import errno
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx

from devstack.local_worker import WorkerError, prepare_database, start_worker
from devstack.page import Page, PageError
from devstack.stack import Stack

SUPABASE = Path(__file__).parents[1] / "supabase"
USER = "demo@example.com"
FUNCTION = "process-video"
FUNCTION_SECONDS = 120
PASSWORD = "demo-password"  # noqa: S105
TAKEN = (
    ": does another `make dev` or `supabase start` run? On free ports:"
    " .venv/bin/python -m devstack.dev --port 0 --page-port 0 --dir .devstack-2"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.dev", description=__doc__)
    parser.add_argument("--port", type=int, default=54321, help="of the API; 0: a free one")
    parser.add_argument("--page-port", type=int, default=5173, help="of the page; 0: a free one")
    parser.add_argument("--dir", type=Path, default=Path(".devstack"), help="for its data")
    parser.add_argument("--built", action="store_true", help="serve the page as it is deployed")
    arguments = parser.parse_args()
    # SIGINT too: what a script starts in the background is born ignoring it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with (
            suppress(KeyboardInterrupt),
            Stack.start(
                directory=arguments.dir, port=arguments.port, project_dir=SUPABASE
            ) as stack,
        ):
            run(stack, arguments)
    except (OSError, WorkerError, PageError) as error:
        hint = TAKEN if isinstance(error, OSError) and error.errno == errno.EADDRINUSE else ""
        sys.exit(f"make dev: {error}{hint}")


def run(stack: Stack, arguments: argparse.Namespace) -> None:
    folder: Path = arguments.dir
    environment = prepare_database(stack)
    create_user(stack)
    start_function(stack)
    with ExitStack() as running:
        worker = start_worker(folder, environment, folder / "worker.log")
        running.callback(worker.wait)
        running.callback(worker.terminate)
        page = Page(stack, folder / "page.log", port=arguments.page_port, built=arguments.built)
        running.callback(page.stop)
        sys.stdout.write(status(stack, page, environment["DATABASE_URL"]))
        sys.stdout.flush()
        logs = [folder / "worker.log", folder / "functions" / f"{FUNCTION}.log"]
        subprocess.run(["tail", "-q", "-n", "+1", "-F", *logs], check=False)


def create_user(stack: Stack) -> None:
    """A user to send jobs as; the second time, there is one already."""
    httpx.post(
        f"{stack.url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        json={"email": USER, "password": PASSWORD},
    )


def start_function(stack: Stack) -> None:
    """So that the first click does not wait for it; the first time ever it is fetched."""
    answer = httpx.options(f"{stack.url}/functions/v1/{FUNCTION}", timeout=FUNCTION_SECONDS)
    if answer.is_error:
        sys.stderr.write(f"make dev: {FUNCTION}: {answer.json()['message']}\n")


def status(stack: Stack, page: Page, worker_database_url: str) -> str:
    return f"""
        Page: {page.url}
     API URL: {stack.url}
      DB URL: {stack.database_url}
 Publishable: {stack.publishable_key}
      Secret: {stack.secret_key}
        User: {USER}, password {PASSWORD}

A worker and the edge function are running; their logs follow. Send a video from another terminal:

  export SUPABASE_URL={stack.url} SUPABASE_SECRET_KEY={stack.secret_key}
  .venv/bin/video-worker enqueue VIDEO SUBTITLES --user {USER} --wait --output out.mp4
  .venv/bin/video-worker jobs

Look around, as the worker and as an administrator:

  DATABASE_URL={worker_database_url} .venv/bin/video-worker doctor
  DATABASE_URL={stack.database_url} .venv/bin/video-worker top

Stop with Ctrl-C.

"""


if __name__ == "__main__":
    main()
