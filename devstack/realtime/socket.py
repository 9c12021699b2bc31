"""One WebSocket: frames in, frames out, and the channels that the client has joined."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from devstack.realtime.channel import Channel, JoinError, read_config
from devstack.realtime.frames import Frame, FrameError, Version, decode, encode
from devstack.realtime.service import Realtime

# A client that says nothing, not even a heartbeat (every 25 s), is gone.
_SILENCE_SECONDS = 60
# A client that reads more slowly than others write is cut off, not buffered without end.
_QUEUED_FRAMES = 1000

_INVALID = 1007
_GOING_AWAY = 1001
_RESTART = 1012


class Socket:
    def __init__(
        self, realtime: Realtime, websocket: WebSocket, version: Version, token: str
    ) -> None:
        self.token = token
        self._realtime = realtime
        self._websocket = websocket
        self._version = version
        self._channels: dict[str, Channel] = {}
        self._outgoing: asyncio.Queue[Frame] = asyncio.Queue(_QUEUED_FRAMES)
        self._is_over = asyncio.Event()
        self._close_code = _RESTART

    async def serve(self) -> None:
        """Returns when the connection is closed, by either side."""
        await self._websocket.accept()
        self._realtime.sockets.add(self)
        parts = {
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write()),
            asyncio.create_task(self._wait_for_end()),
        }
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            code = next((part.result() for part in done), None)
            if code is not None:
                with suppress(RuntimeError, WebSocketDisconnect):  # it went at the same moment
                    await self._websocket.close(code)
        finally:
            self._realtime.sockets.discard(self)
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            for channel in self._channels.values():
                channel.forget()

    def send(self, frame: Frame) -> None:
        try:
            self._outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            self._end(_GOING_AWAY)

    def disconnect(self) -> None:
        """Closes the connection, so that the client connects anew."""
        self._end(_RESTART)

    def _end(self, code: int) -> None:
        self._close_code = code
        self._is_over.set()

    async def _wait_for_end(self) -> int | None:
        await self._is_over.wait()
        return self._close_code

    async def _write(self) -> int | None:
        with suppress(WebSocketDisconnect):
            while True:
                content = encode(await self._outgoing.get(), self._version)
                if isinstance(content, str):
                    await self._websocket.send_text(content)
                elif content is not None:
                    await self._websocket.send_bytes(content)
        return None

    async def _read(self) -> int | None:
        """Returns the code to close with, None if the client has closed."""
        while True:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    message = await self._websocket.receive()
            except TimeoutError:
                return _GOING_AWAY
            if message["type"] == "websocket.disconnect":
                return None
            data = message.get("text")
            try:
                await self._handle(
                    decode(message["bytes"] if data is None else data, self._version)
                )
            except FrameError:
                return _INVALID

    async def _handle(self, frame: Frame) -> None:
        channel = self._channels.get(frame.topic)
        if frame.event == "phx_join" and frame.topic.startswith("realtime:"):
            await self._join(frame)
        elif (frame.topic, frame.event) == ("phoenix", "heartbeat"):
            self._reply(frame, "ok", {})
        elif channel is not None and channel.is_open:
            await channel.handle(frame)
        else:
            self._reply(frame, "error", {"reason": "unmatched topic"})

    async def _join(self, frame: Frame) -> None:
        previous = self._channels.pop(frame.topic, None)
        if previous is not None and previous.is_open:
            previous.close()
        join_ref = frame.ref if frame.join_ref is None else frame.join_ref
        try:
            config = read_config(frame.payload)
            channel = Channel(self._realtime, self, frame.topic, join_ref, config)
            response = await channel.join(frame.payload.get("access_token"))
        except JoinError as error:
            self._reply(frame, "error", {"reason": str(error)})
            return
        self._channels[frame.topic] = channel
        self._reply(frame, "ok", response)
        await channel.subscribe()

    def _reply(self, frame: Frame, status: str, response: dict[str, Any]) -> None:
        payload = {"status": status, "response": response}
        self.send(Frame(frame.topic, "phx_reply", payload, frame.ref, frame.join_ref))
