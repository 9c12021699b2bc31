"""A TCP proxy that breaks connections on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Fault:
    """What happens to one connection: it is cut after so many bytes to the server (``sent``) or to
    the client (``received``), or answered with ``reply`` instead of being forwarded."""

    sent: int | None = None
    received: int | None = None
    reply: bytes | None = None


@dataclass
class Proxy:
    """Forwards to the server at ``url``. Each new connection takes the next of ``faults``; when
    there is none, it is left alone. ``rate``: bytes per second, each way, of every connection."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    rate: float | None = None
    connections: int = 0
    address: str = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        fault = self.faults.pop(0) if self.faults else Fault()
        try:
            if fault.reply is not None:
                await reader.read(65536)
                writer.write(fault.reply)
                await writer.drain()
                return
            target = urlsplit(self.url)
            up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
            try:
                await asyncio.wait(
                    {
                        asyncio.create_task(_pump(reader, up_writer, fault.sent, self.rate)),
                        asyncio.create_task(_pump(up_reader, writer, fault.received, self.rate)),
                    },
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                up_writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # the other side went away, or the test is over
        finally:
            writer.transport.abort() if fault.reply is None else writer.close()


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    limit: int | None,
    rate: float | None,
) -> None:
    """Copy until the end, or until ``limit`` bytes have passed; at most ``rate`` bytes a second."""
    passed = 0
    clock = asyncio.get_running_loop().time
    busy_until = clock()
    while data := await reader.read(65536):
        if limit is not None and passed + len(data) >= limit:
            writer.write(data[: limit - passed])
            await writer.drain()
            return
        passed += len(data)
        writer.write(data)
        await writer.drain()
        if rate:
            busy_until = max(busy_until, clock()) + len(data) / rate
            await asyncio.sleep(busy_until - clock())


@asynccontextmanager
async def proxy(url: str) -> AsyncIterator[Proxy]:
    """A proxy before ``url``; its own is ``address``."""
    started = Proxy(url)
    server = await asyncio.start_server(started._serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    started.address = f"http://127.0.0.1:{port}"
    try:
        yield started
    finally:
        server.close()
