"""``video-worker health``."""

from __future__ import annotations

import argparse
import os
import urllib.error
import urllib.request

from worker.cli.console import DONE, Commands, add_command
from worker.errors import ConfigurationError, VideoWorkerError


def add(commands: Commands) -> None:
    text = "Ask the worker on this machine whether it is alive (for Docker)."
    add_command(commands, "health", health, text)


def health(arguments: argparse.Namespace) -> int:
    port = os.environ.get("WORKER_HEALTH_PORT") or os.environ.get("PORT")
    if not port:
        raise ConfigurationError("WORKER_HEALTH_PORT is not set, so no health server runs.")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{int(port)}/livez", timeout=5):
            return DONE
    except (urllib.error.URLError, OSError) as error:
        raise VideoWorkerError(f"the worker does not answer: {error}") from error
