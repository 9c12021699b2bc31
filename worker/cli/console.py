"""What the commands share: where they print, and how they read the settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings
from rich.console import Console

from worker.doctor.project import check_key
from worker.errors import ConfigurationError, VideoWorkerError
from worker.settings import ProjectSettings

AnySettings = TypeVar("AnySettings", bound=BaseSettings)
Commands = Any  # argparse has no public name for what add_subparsers() returns
Command = Callable[[argparse.Namespace], int]

DONE, FAILED, MISCONFIGURED = 0, 1, 2

out = Console(width=None if sys.stdout.isatty() else 200)  # no table is cut in a pipe
err = Console(stderr=True)


def complain(error: VideoWorkerError) -> None:
    err.print(f"video-worker: {error}", markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line as it is."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def add_command(
    commands: Commands, name: str, command: Command, text: str
) -> argparse.ArgumentParser:
    """Add a command; ``text`` is its help, and what it returns is the exit code."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def load(settings: type[AnySettings]) -> AnySettings:
    """Read the settings; says which variable is missing or wrong, and how, a key of the wrong kind
    too."""
    try:
        loaded = settings()
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ConfigurationError(
            f"Wrong settings (environment or .env file):\n{problems}\n"
            "What they mean is in docs/settings.md."
        ) from error
    if isinstance(loaded, ProjectSettings):
        for finding in check_key(loaded.supabase_secret_key.get_secret_value()):
            if finding.level == "error":
                raise ConfigurationError(f"{finding.what}. {finding.why}\n{finding.mend}")
    return loaded
