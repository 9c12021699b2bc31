"""``video-worker``: all commands, and what their errors become."""

from __future__ import annotations

import argparse
import sys

from worker import __version__
from worker.cli import doctor, enqueue, health, jobs, migrate, run, top
from worker.cli.console import FAILED, MISCONFIGURED, complain
from worker.errors import ConfigurationError, VideoWorkerError
from worker.ops.logs import configure_logging

COMMANDS = (run, migrate, doctor, enqueue, jobs, top, health)


def main() -> None:
    """Exit code 0: done, 1: it did not work out, 2: wrong settings or usage."""
    arguments = build_parser().parse_args()
    configure_logging("warning", "console")  # `run` has settings of its own
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


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "video-worker", description="Burns subtitles into videos for Supabase apps."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in COMMANDS:
        module.add(commands)
    return parser
