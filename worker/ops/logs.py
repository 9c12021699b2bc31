"""Structured logs: one event per line, JSON for machines, coloured for a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor


def configure_logging(
    level: str = "info", output: Literal["auto", "json", "console"] = "auto"
) -> None:
    """Set up structlog for the process. ``auto`` means console if stderr is a terminal.

    What is bound with ``structlog.contextvars`` (worker_id, job_id, attempt) is on every line that
    the task, and the tasks it starts, write.
    """
    console = output == "console" or (output == "auto" and sys.stderr.isatty())
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if console:
        processors.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    else:
        processors += [
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
