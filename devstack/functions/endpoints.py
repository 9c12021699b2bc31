"""/functions/v1: checks what the platform checks, and passes the request to the function."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from devstack.functions.config import Function, find_function
from devstack.functions.runtime import BootError, DenoMissingError, Runtime
from devstack.http import Json, bearer_token
from devstack.keys import Keys

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# The platform gives up on a function that has not answered after this many seconds.
_IDLE_SECONDS = 150
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}

_log = logging.getLogger(__name__)


class Functions:
    """The functions of the project in a folder `supabase`; of none if `project` is None."""

    def __init__(
        self, project: Path | None, keys: Keys, environment: Mapping[str, str], log_dir: Path
    ) -> None:
        self._project = project
        self._keys = keys
        self._environment = environment
        self._log_dir = log_dir
        self._runtimes: dict[str, Runtime] = {}
        self._client = httpx.AsyncClient(timeout=_IDLE_SECONDS, trust_env=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._client:
            try:
                yield
            finally:
                for runtime in self._runtimes.values():
                    await runtime.stop()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/{name}", self.invoke, methods=_METHODS),
                Route("/{name}/{path:path}", self.invoke, methods=_METHODS),
            ]
        )

    async def invoke(self, request: Request) -> Response:
        name = request.path_params["name"]
        function = find_function(self._project, name) if self._project else None
        if self._project is None or function is None:
            return _refusal(404, "NOT_FOUND", "Requested function was not found")
        if function.verify_jwt and request.method != "OPTIONS":
            refusal = self._check_token(request)
            if refusal is not None:
                return refusal
        if name not in self._runtimes:
            log = self._log_dir / f"{name}.log"
            self._runtimes[name] = Runtime(self._project, self._environment, log)
        return await self._pass_on(request, function, self._runtimes[name])

    def _check_token(self, request: Request) -> Response | None:
        token = bearer_token(request)
        if token is None:
            message = "Missing authorization header"
            return _refusal(401, "UNAUTHORIZED_NO_AUTH_HEADER", message)
        try:
            self._keys.verify(token)
        except jwt.InvalidTokenError:
            # An opaque key, too: it is no JWT, and the platform does not translate it here.
            return _refusal(401, "UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT")
        return None

    async def _pass_on(self, request: Request, function: Function, runtime: Runtime) -> Response:
        path = request.scope["raw_path"].decode().removeprefix(request.scope["root_path"])
        query = request.url.query
        try:
            base = await runtime.url(function)
            outgoing = self._client.build_request(
                request.method,
                f"{base}{path}?{query}" if query else f"{base}{path}",
                headers=[item for item in request.headers.raw if _is_end_to_end(item[0])],
                content=request.stream() if _has_body(request) else None,
            )
            answer = await self._client.send(outgoing, stream=True)
        except DenoMissingError as error:
            return _relay_error(503, "DENO_MISSING", str(error))
        except BootError as error:
            _log.error("function %s does not start: %s", function.name, error)
            return _relay_error(503, "BOOT_ERROR", f"Function failed to start: {error}")
        except httpx.TimeoutException:
            message = f"The function did not answer within {_IDLE_SECONDS} s"
            return _relay_error(504, "IDLE_TIMEOUT", message)
        except httpx.TransportError as error:
            _log.error("function %s: %r", function.name, error)
            message = "Function exited due to an error (please check logs)"
            return _relay_error(500, "WORKER_ERROR", message)
        response = StreamingResponse(_body(answer), answer.status_code)
        response.raw_headers = [item for item in answer.headers.raw if _is_end_to_end(item[0])]
        return response


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _is_end_to_end(name: bytes) -> bool:
    return name.decode().lower() not in _OF_ONE_CONNECTION


def _refusal(status: int, code: str, message: str) -> Response:
    headers = {
        "sb-error-code": code,
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "sb-error-code, x-relay-error",
    }
    return Json({"code": code, "message": message}, status, headers)


def _relay_error(status: int, code: str, message: str) -> Response:
    """What went wrong before, or without, the function: clients tell it from the function's own."""
    response = _refusal(status, code, message)
    response.headers["x-relay-error"] = "true"
    return response
