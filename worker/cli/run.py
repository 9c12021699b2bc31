"""``video-worker run``."""

from __future__ import annotations

import argparse
import asyncio
import errno
from typing import TYPE_CHECKING

from worker import __version__
from worker.cli.console import DONE, Commands, add_command, load
from worker.errors import ConfigurationError
from worker.ops.logs import configure_logging
from worker.ops.metrics import Metrics
from worker.service import Service
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.ops.traces import Traces

NO_MORE = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
"""What a system says that gives no more files, processes or memory."""


def add(commands: Commands) -> None:
    text = "Process jobs until stopped (SIGTERM drains, a second one stops at once)."
    parser = add_command(commands, "run", run, text)
    parser.add_argument(
        "--drain", action="store_true", help="end when no job is left that could run now"
    )


def run(arguments: argparse.Namespace) -> int:
    settings = load(Settings)
    metrics = Metrics(__version__, settings.worker_name)
    traces = _traces(settings)
    observers = [metrics.observe, *([traces.observe] if traces else [])]
    configure_logging(settings.log_level, settings.log_format, observers)
    try:
        asyncio.run(Service(settings, metrics, until_empty=arguments.drain).run())
    except OSError as error:
        if error.errno not in NO_MORE:
            raise
        raise ConfigurationError(
            f"The system refuses what the worker needs: {error}. Look at its limits (ulimit -a)."
        ) from error
    finally:
        if traces:
            traces.close()
    return DONE


def _traces(settings: Settings) -> Traces | None:
    if settings.traces_endpoint is None:
        return None
    try:
        from worker.ops.traces import Traces
    except ImportError as error:
        raise ConfigurationError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install 'supabase-video-worker[otel]'"
        ) from error
    return Traces(str(settings.traces_endpoint), __version__, settings.worker_name)
