"""What a failed request to Storage means for the job, and when to try it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog
from storage3.exceptions import StorageApiError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from worker.errors import JobError

log = structlog.get_logger()

ATTEMPTS = 5
LONGEST_WAIT = 60.0
"""Seconds; a Retry-After beyond this is left to the job's next attempt."""


class MissingObjectError(JobError):
    """Storage has no such object. What it means for the job depends on which one is missing."""

    def __init__(self) -> None:
        super().__init__("input_missing", "no such object")


class ObjectExistsError(JobError):
    """There is an object, or an upload, of this name already (409)."""

    def __init__(self, text: str) -> None:
        super().__init__("storage_unavailable", f"409: {text}")


def fault(status: int, text: str, headers: httpx.Headers | None = None) -> JobError:
    """The error for an answer of Storage that is not a success.

    ``status`` is the one in the body where there is one: Storage says 400 in the status line and
    the true code (404, 409, 403) in the body's ``statusCode``.
    """
    # storage3 says so of answers that come from the gateway before Storage.
    detail = f"{status}: {text.removeprefix('Unable to parse error message: ')}"
    if status in (401, 403) or "Bucket not found" in text:
        return JobError("storage_denied", detail, retry_after=LONGEST_WAIT)
    if status in (404, 410) or "Invalid key" in text:
        return MissingObjectError()
    if status == 409:
        return ObjectExistsError(text)
    if status == 416:
        return JobError("input_changed", "it is shorter than what was read of it already")
    if status == 413:
        return JobError("output_too_large", detail)
    retry_after = headers.get("retry-after", "") if headers else ""
    seconds = float(retry_after) if retry_after.isdigit() else None
    return JobError("storage_unavailable", detail, retry_after=seconds)


def fault_of_response(response: httpx.Response) -> JobError:
    """The error for a response whose body has been read."""
    try:
        status = int(response.json()["statusCode"])
    except (ValueError, KeyError, TypeError):
        status = response.status_code
    return fault(status, response.text[:300], response.headers)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the errors of httpx and of the supabase client into ``JobError``."""
    try:
        yield
    except StorageApiError as error:
        raise fault(int(error.status), str(error.message), _headers_behind(error)) from error
    except (httpx.TransportError, httpx.StreamError) as error:
        raise JobError("storage_unavailable", repr(error)) from error


def _headers_behind(error: BaseException | None) -> httpx.Headers | None:
    """The headers of the response that made the client raise: they hold Retry-After."""
    while error is not None:
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.headers
        error = error.__cause__ or error.__context__
    return None


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, JobError) else None
    return max(asked or 0.0, wait_exponential_jitter(initial=0.5, max=15.0)(state))


def _worth_waiting(error: BaseException) -> bool:
    return (
        isinstance(error, JobError)
        and error.code == "storage_unavailable"
        and (error.retry_after or 0.0) <= LONGEST_WAIT
    )


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    code = error.code if isinstance(error, JobError) else None
    log.warning("storage.retry", attempt=state.attempt_number, code=code, reason=str(error))


def retrying() -> AsyncRetrying:
    """Up to five tries with growing pauses, for faults that pass; honours Retry-After."""
    return AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=_wait,
        retry=retry_if_exception(_worth_waiting),
        before_sleep=_log_retry,
        reraise=True,
    )
