"""Errors as Supabase Auth words them."""

from __future__ import annotations

import logging
from typing import Any

from starlette.requests import Request

from devstack.http import Json

_log = logging.getLogger(__name__)

_VERSION_HEADER = "x-supabase-api-version"
_VERSION = "2024-01-01"


class AuthError(Exception):
    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra


def render(request: Request, error: Exception) -> Json:
    """The error in the shape of the API version that the client asks for, by default the first."""
    assert isinstance(error, AuthError)
    if error.status >= 500:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
    headers = {"x-sb-error-code": error.code}
    body: dict[str, Any]
    if request.headers.get(_VERSION_HEADER, "") >= _VERSION:
        headers[_VERSION_HEADER] = _VERSION
        body = {"code": error.code, "message": error.message}
    else:
        body = {"code": error.status, "error_code": error.code, "msg": error.message}
    return Json({**body, **error.extra}, error.status, headers)
