"""What a request asks for beside its query string: by headers, by its body."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from devstack.rest.errors import RestError
from devstack.rest.query import Query, parse_query

# The first one is used where the request names none.
EXPOSED_SCHEMAS = ("public",)

ONE_OBJECT = "application/vnd.pgrst.object+json"
_MEDIA_TYPES = ("application/json", ONE_OBJECT, "application/*", "*/*")
_READS = ("GET", "HEAD")


def is_read(request: Request) -> bool:
    return request.method in _READS


def query_of(request: Request, *, call: bool = False) -> Query:
    """The parsed query string; the header `Range: 0-9` means `offset=0&limit=10`."""
    query = parse_query(request.query_params.multi_items(), call=call)
    page = re.fullmatch(r"(\d+)-(\d*)", request.headers.get("range", ""))
    if page is None or not is_read(request):
        return query
    first, last = int(page[1]), int(page[2]) if page[2] else None
    limit = query.limit if last is None else last - first + 1
    return replace(query, offset=first, limit=limit)


def schema_of(request: Request) -> str:
    header = "accept-profile" if is_read(request) else "content-profile"
    schema = request.headers.get(header, EXPOSED_SCHEMAS[0])
    if schema not in EXPOSED_SCHEMAS:
        hint = f"Only the following schemas are exposed: {', '.join(EXPOSED_SCHEMAS)}"
        raise RestError(406, "PGRST106", f"Invalid schema: {schema}", hint=hint)
    return schema


def require_json_accepted(request: Request) -> None:
    accepted = request.headers.get("accept", "*/*")
    if not any(media.strip().startswith(_MEDIA_TYPES) for media in accepted.split(",")):
        message = f"None of these media types are available: {accepted}"
        raise RestError(406, "PGRST107", message)


def wants_one(request: Request) -> bool:
    """Whether the client takes exactly one object, as `.single()` does."""
    return request.headers.get("accept", "").startswith(ONE_OBJECT)


def preferences(request: Request) -> dict[str, str]:
    text = ",".join(request.headers.getlist("prefer"))
    pairs = (item.strip().partition("=") for item in text.split(","))
    return {name: value for name, _, value in pairs}


def counts(request: Request) -> bool:
    """Whether all matching rows are to be counted; `planned` and `estimated` are exact here."""
    return "count" in preferences(request)


async def json_body(request: Request) -> tuple[str, Any]:
    """The body as it was sent (no digit of a number is lost in it), and what it says."""
    try:
        text = (await request.body()).decode()
        return text, json.loads(text)
    except ValueError as error:
        raise RestError(400, "PGRST102", "Empty or invalid json", details=str(error)) from error


async def json_object(request: Request) -> tuple[str, dict[str, Any]]:
    text, body = await json_body(request)
    if not isinstance(body, dict):
        raise RestError(400, "PGRST102", "The request body is not a JSON object")
    return text, body
