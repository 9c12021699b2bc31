"""Faults on purpose: requests to Storage that fail as they do on a bad day.

    stack.faults.append(Fault("POST", "/object/renders", times=2, status=503))

Each request takes the first fault that matches it and has not been used up.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from threading import Event

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devstack.http import Json

_SLOW_STEP_SECONDS = 0.2


@dataclass
class Fault:
    """What happens to the next `times` requests with this method whose path matches `path` (a
    regular expression, sought anywhere below /storage/v1). Of the kinds below, one is set.

    `status`: this answer instead of doing anything, with `headers`.
    `lose_reply`: the request is done, the connection breaks within the reply.
    `pretend`: the answer is a success, and nothing was done.
    `cut_after`: the body of the reply breaks off after so many bytes.
    `shorten_to`: the body of the reply is cut to so many bytes, and says so in its length.
    `flip`: this many bytes of the reply's body are wrong.
    `bytes_per_second`: the body of the reply comes no faster, until `go_on` is set.
    `hold`: the request waits for `go_on` before it is done.
    """

    method: str
    path: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    lose_reply: bool = False
    pretend: bool = False
    cut_after: int | None = None
    shorten_to: int | None = None
    flip: int = 0
    bytes_per_second: int = 0
    hold: bool = False
    go_on: Event = field(default_factory=Event)
    hit: Event = field(default_factory=Event)
    """Set when a request has met this fault."""

    def matches(self, scope: Scope) -> bool:
        return (
            self.times > 0
            and scope["method"] == self.method
            and re.search(self.path, scope["path"]) is not None
        )


class Faults:
    """Stands before Storage. `faults` may be changed at any time, from any thread."""

    def __init__(self, app: ASGIApp, faults: list[Fault]) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        matching = (f for f in list(self._faults) if scope["type"] == "http" and f.matches(scope))
        fault = next(matching, None)
        if fault is None:
            await self._app(scope, receive, send)
            return
        fault.times -= 1
        fault.hit.set()
        if fault.status:
            body = {"statusCode": str(fault.status), "error": "fault", "message": "on purpose"}
            await Json(body, fault.status, fault.headers)(scope, receive, send)
            return
        if fault.pretend:
            while (await receive()).get("more_body"):
                pass
            await Json({"Key": "renders/x", "Id": "x"})(scope, receive, send)
            return
        if fault.hold:
            await _until(fault.go_on)
        await self._app(scope, receive, _Reply(fault, send))


class _Reply:
    """Passes a reply on, spoilt."""

    def __init__(self, fault: Fault, send: Send) -> None:
        self._fault = fault
        self._send = send
        self._left = fault.cut_after if fault.cut_after is not None else fault.shorten_to
        self._flips = fault.flip
        self._broken_off = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body" and not self._broken_off:
            await self._body(message)

    async def _start(self, message: Message) -> None:
        if self._fault.lose_reply:
            # Not 204, which is complete without a body.
            message = {**message, "status": 200, "headers": [(b"content-length", b"1")]}
            self._left = 0
        elif self._fault.shorten_to is not None:
            length = (b"content-length", str(self._fault.shorten_to).encode())
            others = [h for h in message["headers"] if h[0] != b"content-length"]
            message = {**message, "headers": [*others, length]}
        await self._send(message)

    async def _body(self, message: Message) -> None:
        body = message.get("body", b"")
        if self._left is not None:
            body, self._left = body[: self._left], self._left - len(body[: self._left])
            if self._left == 0 and self._fault.shorten_to is None:
                # The server closes the connection of a reply that never ends.
                self._broken_off = True
                message = {**message, "more_body": True}
        if self._flips:
            body, self._flips = _flipped(body, self._flips), 0
        if step := int(self._fault.bytes_per_second * _SLOW_STEP_SECONDS):
            while len(body) > step and not self._fault.go_on.is_set():
                first, body = body[:step], body[step:]
                await self._send({"type": "http.response.body", "body": first, "more_body": True})
                await asyncio.sleep(_SLOW_STEP_SECONDS)
        await self._send({**message, "body": body})


def _flipped(body: bytes, count: int) -> bytes:
    """So many bytes inverted, at even distances past the first kilobyte."""
    spoilt = bytearray(body)
    step = max(1, (len(body) - 1024) // count)
    for at in range(1024, len(body), step):
        spoilt[at] ^= 0xFF
    return bytes(spoilt)


async def _until(event: Event) -> None:
    while not event.is_set():  # noqa: ASYNC110 (it is set in another thread)
        await asyncio.sleep(0.01)
