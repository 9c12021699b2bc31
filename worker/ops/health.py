"""The health server: a few pages by GET, for platforms, for Prometheus and for people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from worker.errors import ConfigurationError

log = structlog.get_logger()

LONGEST_REQUEST = 8192
DEADLINE = 10.0
"""Seconds for a request and its answer."""


@dataclass(frozen=True)
class Answer:
    """What a page says."""

    body: bytes
    status: str = "200 OK"
    content_type: str = "application/json"

    @classmethod
    def of(cls, value: object, ok: bool = True) -> Answer:
        """JSON; with 503 if not ``ok``."""
        body = json.dumps(value).encode() + b"\n"
        return cls(body, "200 OK" if ok else "503 Service Unavailable")


Page = Callable[[], Awaitable[Answer]]


class HealthServer:
    """Answers GET on ``port``, of every address, with one of ``pages`` (by path)."""

    def __init__(self, port: int, pages: Mapping[str, Page]) -> None:
        self._port = port
        self._pages = pages
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Raises ``ConfigurationError`` when the port is taken or forbidden."""
        try:
            self._server = await asyncio.start_server(
                self._answer, port=self._port, limit=LONGEST_REQUEST
            )
        except OSError as error:
            raise ConfigurationError(
                f"The health server can't have port {self._port} (WORKER_HEALTH_PORT or PORT): "
                f"{error}"
            ) from error
        log.info("health.listening", port=self._port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                request = await reader.readuntil(b"\r\n\r\n")
                target = request.split(b" ", 2)[1].decode("ascii", "replace")
                answer = await self._page(target.partition("?")[0])
                writer.write(
                    b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n"
                    b"connection: close\r\n\r\n%s"
                    % (
                        answer.status.encode(),
                        answer.content_type.encode(),
                        len(answer.body),
                        answer.body,
                    )
                )
                await writer.drain()
        except (
            TimeoutError,
            OSError,
            IndexError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ) as error:
            log.debug("health.bad_request", reason=repr(error))
        finally:
            writer.close()

    async def _page(self, path: str) -> Answer:
        if page := self._pages.get(path):
            return await page()
        body = json.dumps({"pages": list(self._pages)}).encode() + b"\n"
        return Answer(body, "404 Not Found")
