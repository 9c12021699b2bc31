"""``video-worker run``."""

from __future__ import annotations

import argparse
import asyncio

from worker import __version__
from worker.cli.console import DONE, Commands, add_command, load
from worker.ops.logs import configure_logging
from worker.ops.metrics import Metrics
from worker.service import Service
from worker.settings import Settings


def add(commands: Commands) -> None:
    text = "Process jobs until stopped (SIGTERM drains, a second one stops at once)."
    add_command(commands, "run", run, text)


def run(arguments: argparse.Namespace) -> int:
    settings = load(Settings)
    metrics = Metrics(__version__, settings.worker_name)
    configure_logging(settings.log_level, settings.log_format, [metrics.observe])
    asyncio.run(Service(settings, metrics).run())
    return DONE
