"""What the services share of HTTP: JSON with timestamps, and the bearer token."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse


class Json(JSONResponse):
    """JSON as the services write it: RFC 3339 timestamps in UTC, UUIDs as strings."""

    def render(self, content: Any) -> bytes:
        return encode_json(content).encode()


def encode_json(content: Any) -> str:
    return json.dumps(content, default=_encode, ensure_ascii=False, separators=(",", ":"))


def bearer_token(request: HTTPConnection) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
