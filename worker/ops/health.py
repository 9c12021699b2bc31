"""The health server: /livez (the process answers) and /readyz (it can take jobs)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import structlog

from worker.errors import ConfigurationError

log = structlog.get_logger()

LONGEST_REQUEST = 8192


class HealthServer:
    """Answers GET on ``port``. ``ready`` returns whether jobs can be taken, and what /readyz shows;
    if not, the answer is 503."""

    def __init__(self, port: int, ready: Callable[[], tuple[bool, dict[str, object]]]) -> None:
        self._port = port
        self._ready = ready
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Raises ``ConfigurationError`` when the port is taken or forbidden."""
        try:
            self._server = await asyncio.start_server(
                self._answer, port=self._port, limit=LONGEST_REQUEST
            )
        except OSError as error:
            raise ConfigurationError(f"WORKER_HEALTH_PORT {self._port}: {error}") from error
        log.info("health.listening", port=self._port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                request = await reader.readuntil(b"\r\n\r\n")
                path = request.split(b" ", 2)[1]
                status, body = self._route(path.decode("ascii", "replace"))
                payload = json.dumps(body).encode()
                writer.write(
                    b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                    b"connection: close\r\n\r\n%s" % (status.encode(), len(payload), payload)
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

    def _route(self, path: str) -> tuple[str, dict[str, object]]:
        if path == "/livez":
            return "200 OK", {"alive": True}
        if path == "/readyz":
            ready, details = self._ready()
            return "200 OK" if ready else "503 Service Unavailable", {"ready": ready, **details}
        return "404 Not Found", {"paths": ["/livez", "/readyz"]}
