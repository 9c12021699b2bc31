"""How an attempt ends: a value, decided in one pure place."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from worker.errors import CATALOGUE, JobError

FIRST_RETRY_SECONDS = 10.0
LONGEST_RETRY_SECONDS = 600.0


@dataclass(frozen=True)
class Completed:
    """The result lies in Storage and has been checked."""

    output_path: str
    poster_path: str | None
    output_info: dict[str, Any]


@dataclass(frozen=True)
class Split:
    """The video is to be encoded in segments. ``plan`` is JSON: what is common, and "segments", a
    list with an object for each, of which the queue reads the number of "frames"."""

    plan: dict[str, Any]


@dataclass(frozen=True)
class Unsplit:
    """This part of a video can't be made as planned: the video is to be burned whole."""


@dataclass(frozen=True)
class Failed:
    """The attempt did not work out. With ``retry_in`` (seconds) another one may; the database
    decides by the attempts that are left."""

    code: str
    message: str
    retry_in: float | None = None


@dataclass(frozen=True)
class Cancelled:
    """The user wanted it stopped."""


@dataclass(frozen=True)
class Released:
    """The worker shuts down and gives the job back unharmed."""


@dataclass(frozen=True)
class Lost:
    """The job belongs to another worker, or is gone. Nothing may be written any more."""


Outcome = Completed | Split | Unsplit | Failed | Cancelled | Released | Lost


def result(outcome: Outcome, status: str, *, segment: bool) -> str:
    """How the attempt ended in a word, for logs and metrics: completed, failed, cancelled, lost,
    retried, released, split (into segments), encoded (one of these) or unsplit. ``status`` is what
    the database made of the outcome of a job, or of a ``segment`` of one."""
    if status == "completed" and segment:
        return "encoded"
    if status != "queued":
        return status
    return {Released: "released", Unsplit: "unsplit"}.get(type(outcome), "retried")


def failure(error: BaseException, attempt: int) -> Failed:
    """The outcome of an attempt (counted from 1) that ended with ``error``.

    Anything but a ``JobError`` is a fault of ours and may be tried again.
    """
    if not isinstance(error, JobError):
        return Failed("internal_error", CATALOGUE["internal_error"].message, retry_delay(attempt))
    if not error.retry:
        return Failed(error.code, error.message)
    return Failed(error.code, error.message, max(retry_delay(attempt), error.retry_after or 0.0))


def retry_delay(attempt: int) -> float:
    """Seconds until the next attempt: 10, 20, 40 … at most 600, each up to a quarter more, so that
    jobs which failed together don't come back together."""
    delay = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** (attempt - 1))
    return delay * random.uniform(1.0, 1.25)  # noqa: S311 (jitter, not a secret)
