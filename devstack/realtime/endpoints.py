"""/realtime/v1: the socket, and broadcasts by plain HTTP."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from devstack.database import Caller
from devstack.http import Json, bearer_token
from devstack.realtime.authorization import permissions
from devstack.realtime.frames import Version
from devstack.realtime.service import Realtime
from devstack.realtime.socket import Socket
from devstack.realtime.tokens import TokenError, confirm_token


def create_app(realtime: Realtime) -> Starlette:
    endpoints = _Endpoints(realtime)
    return Starlette(
        routes=[
            WebSocketRoute("/websocket", endpoints.connect),
            Route("/api/broadcast", endpoints.broadcast_batch, methods=["POST"]),
            Route(
                "/api/broadcast/{topic}/events/{event}", endpoints.broadcast_one, methods=["POST"]
            ),
        ]
    )


class _Endpoints:
    def __init__(self, realtime: Realtime) -> None:
        self._realtime = realtime

    async def connect(self, websocket: WebSocket) -> None:
        token = bearer_token(websocket) or ""
        try:
            version = Version(websocket.query_params.get("vsn", Version.OBJECTS))
            confirm_token(self._realtime.keys, token)
        except (ValueError, TokenError) as error:
            await websocket.send_denial_response(Json({"message": str(error)}, 403))
            return
        await Socket(self._realtime, websocket, version, token).serve()

    async def broadcast_batch(self, request: Request) -> Response:
        caller = self._caller(request)
        if caller is None:
            return Json({"message": "Unauthorized"}, 401)
        try:
            messages = [
                (str(each["topic"]), str(each["event"]), each["payload"], bool(each.get("private")))
                for each in (await request.json())["messages"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Json({"errors": {"messages": [f"invalid: {error}"]}}, 422)
        for message in messages:
            await self._send(caller, *message)
        return Response(status_code=202)

    async def broadcast_one(self, request: Request) -> Response:
        caller = self._caller(request)
        if caller is None:
            return Json({"message": "Unauthorized"}, 401)
        try:
            payload = await request.json()
        except ValueError as error:
            return Json({"errors": {"payload": [f"invalid: {error}"]}}, 422)
        topic, event = request.path_params["topic"], request.path_params["event"]
        is_private = request.query_params.get("private") == "true"
        await self._send(caller, topic, event, payload, is_private)
        return Response(status_code=202)

    def _caller(self, request: Request) -> Caller | None:
        try:
            return confirm_token(self._realtime.keys, bearer_token(request) or "")
        except TokenError:
            return None

    async def _send(
        self, caller: Caller, topic: str, event: str, payload: Any, private: bool
    ) -> None:
        """What the policies do not allow is dropped without a word, as Realtime does."""
        if private and not (await permissions(self._realtime.database, caller, topic)).write:
            return
        message = {"type": "broadcast", "event": event, "payload": payload}
        self._realtime.hub.broadcast(topic, private, message)
