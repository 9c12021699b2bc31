"""The page in `frontend/`, served beside the stack by Vite.

It is a process of its own. devstack knows the page by its commands only.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from devstack.stack import Stack

FRONTEND = Path(__file__).parents[1] / "frontend"
READY_SECONDS = 120
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class PageError(Exception):
    """The page could not be served; the message ends with what Vite said."""


class Page:
    """`url` is where it is served; logs go to `log`."""

    def __init__(self, stack: Stack, log: Path, *, port: int, built: bool) -> None:
        """Serves the page on `port`, or on a free one if it is 0, and returns when it answers.

        `built`: as it is deployed, instead of what changes with every saved file. Raises PageError.
        """
        environment = os.environ | {
            "VITE_SUPABASE_URL": stack.url,
            "VITE_SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        }
        vite = ["node", str(FRONTEND / "node_modules" / "vite" / "bin" / "vite.js")]
        # Vite takes 0 for its default: a port that was free a moment ago is as good as it gets.
        address = ["--host", "127.0.0.1", "--port", str(port or _free_port()), "--strictPort"]
        with log.open("wb") as file:
            if built:
                out = str(log.parent.resolve() / "page")
                build = [*vite, "build", "--outDir", out, "--emptyOutDir"]
                done = subprocess.run(
                    build, cwd=FRONTEND, env=environment, stdout=file, stderr=file, check=False
                )
                if done.returncode:
                    raise PageError(f"the page was not built:\n{log.read_text()}")
                address = ["preview", "--outDir", out, *address]
            self._process = subprocess.Popen(
                [*vite, *address],
                cwd=FRONTEND,
                env=environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.url = self._wait(log)

    def stop(self) -> None:
        """Ends the whole group: the `node` of the wheel is a script that starts the real one."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def _wait(self, log: Path) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while not (found := ADDRESS.search(COLOUR.sub("", log.read_text()))):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise PageError(f"the page did not start:\n{log.read_text()}")
            time.sleep(0.05)
        return found.group()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
