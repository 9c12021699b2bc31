"""Structured logs: one event per line, JSON for machines, coloured for a terminal.

What happens is told once, as an event. Metrics and traces are made from the same events: they
observe every one of them, also those that are below the level that is written. docs/logs.md lists
them all.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET = {
    # They log every request with its address, and a signed URL is as good as a key.
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "hpack": logging.WARNING,
    # Every try to connect; the database says itself when it is gone and when it is back.
    "psycopg.pool": logging.ERROR,
    # Every request of the trace exporter.
    "urllib3": logging.WARNING,
}

SECRET = re.compile(
    r"(token=|eyJ|sb_secret_) [\w.~%+/=-]+ | (://[^\s:/@]+:) [^\s@/]+ (?=@)",
    re.VERBOSE,
)
"""What must never be read in a log: tokens of signed URLs, JWTs, keys, passwords in URLs. Our own
events hold none; the text of a library's error might."""

WITHOUT_LOCALS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
"""The default would print every local variable of a traceback: keys and signed URLs too."""

Observer = Callable[[Mapping[str, Any]], None]
"""Is called with every event: its name under ``event``, its fields, and what is bound."""


def configure_logging(
    level: str = "info",
    output: Literal["auto", "json", "console"] = "auto",
    observers: Sequence[Observer] = (),
) -> None:
    """Set up structlog for the process. ``auto`` means console if stderr is a terminal.

    What is bound with ``structlog.contextvars`` (worker_id, job_id, attempt) is on every line that
    the task, and the tasks it starts, write.
    """
    console = output == "console" or (output == "auto" and sys.stderr.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    own: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        *map(_observed_by, observers),
        _at_least(threshold),
    ]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor] = []
    if console:
        render: Processor = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    else:
        renderer.append(WITHOUT_LOCALS)
        render = structlog.processors.JSONRenderer(ensure_ascii=False)
    renderer.append(_redacted(render))
    structlog.configure(
        processors=[*own, *shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

    # What libraries log comes in the same form.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    for name, at_least in QUIET.items():
        logging.getLogger(name).setLevel(max(threshold, at_least))


def _observed_by(observer: Observer) -> Processor:
    def observe(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        observer(event)
        return event

    return observe


def _at_least(threshold: int) -> Processor:
    """Drops what is below the level; after the observers, who want to see everything."""

    def keep(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if logging.getLevelNamesMapping()[method.upper()] < threshold:
            raise structlog.DropEvent
        return event

    return keep


def _redacted(render: Processor) -> Processor:
    def redact(logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = str(render(logger, method, event))
        return SECRET.sub(lambda found: f"{found[1] or found[2]}…", line)

    return redact
