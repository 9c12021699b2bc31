"""Errors as PostgREST words them, and how a database error becomes one.

Source of the table: https://docs.postgrest.org/en/stable/references/errors.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import Request

from devstack.http import Json

# The longest prefix of the SQLSTATE that is listed decides; everything else is a 400.
_STATUS_BY_SQLSTATE = {
    **dict.fromkeys(("08", "53"), 503),
    **dict.fromkeys(("0L", "0P", "28"), 403),
    **dict.fromkeys(("23503", "23505"), 409),
    "25006": 405,
    **dict.fromkeys(("42883", "42P01"), 404),
    "P0001": 400,
    **dict.fromkeys(
        ("09", "25", "2D", "38", "39", "3B", "40", "42P17", "53400", "54", "55", "57", "58"), 500
    ),
    **dict.fromkeys(("F0", "HV", "P0", "XX"), 500),
}


class RestError(Exception):
    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "details": details, "hint": hint, "message": message}
        self.headers = dict(headers or {})


def render(request: Request, error: Exception) -> Json:
    assert isinstance(error, RestError)
    if error.status == 401:
        error.headers.setdefault("www-authenticate", "Bearer")
    return Json(error.body, error.status, error.headers)


def from_database(error: psycopg.Error, *, anonymous: bool) -> RestError:
    """What the caller is told of a failed statement."""
    if isinstance(error, PoolTimeout):
        message = "Timed out acquiring connection from connection pool."
        return RestError(504, "PGRST003", message)
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        message = "Database connection error. Retrying the connection."
        return RestError(503, "PGRST001", message, details=str(error))
    if error.sqlstate is None:
        # Refused before it was sent: text that holds a NUL.
        return RestError(400, "22021", str(error))
    diag = error.diag
    message, details = diag.message_primary or "", diag.message_detail
    if error.sqlstate == "PGRST":
        return _raised_in_full(message, details)
    status = _status(error.sqlstate, anonymous)
    return RestError(status, error.sqlstate, message, details, diag.message_hint)


def _status(sqlstate: str, anonymous: bool) -> int:
    if sqlstate == "42501":
        return 401 if anonymous else 403
    if sqlstate.startswith("PT") and sqlstate[2:].isdigit():
        return int(sqlstate[2:])
    for length in (5, 2):
        if status := _STATUS_BY_SQLSTATE.get(sqlstate[:length]):
            return status
    return 400


def _raised_in_full(message: str, details: str | None) -> RestError:
    """`raise sqlstate 'PGRST'`: the body in the message, status and headers in the detail."""
    try:
        body: dict[str, Any] = json.loads(message)
        response: dict[str, Any] = json.loads(details or "")
        return RestError(
            response["status"],
            body["code"],
            body["message"],
            body.get("details"),
            body.get("hint"),
            response["headers"],
        )
    except (ValueError, KeyError, TypeError):
        return RestError(
            500,
            "PGRST121",
            "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
            details="Invalid JSON value for MESSAGE or DETAIL",
        )
