"""A Phoenix client of few lines, to see the frames themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import connect
from websockets.sync.connection import Connection

from .conftest import DEADLINE_SECONDS, Project

# join_ref, ref, topic, event, payload: of both versions of the protocol.
Frame = tuple[str | None, str | None, str, str, Any]


class Phoenix:
    def __init__(self, connection: Connection, version: str) -> None:
        self.connection = connection
        self._version = version
        self._refs = count(1)

    def send(self, topic: str, event: str, payload: Any, join_ref: str | None = None) -> str:
        """Returns the frame's ref."""
        ref = str(next(self._refs))
        join_ref = ref if event == "phx_join" else join_ref
        if self._version == "2.0.0":
            content: Any = [join_ref, ref, topic, event, payload]
        else:
            content = {"topic": topic, "event": event, "payload": payload, "ref": ref}
            content["join_ref"] = join_ref
        self.connection.send(json.dumps(content))
        return ref

    def next(self) -> Frame:
        content = json.loads(self.connection.recv(DEADLINE_SECONDS))
        if self._version == "2.0.0":
            return tuple(content)
        assert set(content) == {"topic", "event", "payload", "ref"}
        return None, content["ref"], content["topic"], content["event"], content["payload"]

    def join(self, topic: str, token: str | None = None, **config: Any) -> Frame:
        """Returns the reply."""
        payload: dict[str, Any] = {"config": config}
        if token:
            payload["access_token"] = token
        self.send(f"realtime:{topic}", "phx_join", payload)
        return self.next()

    def watch(self, topic: str, token: str, *bindings: dict[str, str]) -> list[dict[str, Any]]:
        """Joins for changes of the database, and returns the bindings with their ids."""
        reply = self.join(topic, token, postgres_changes=bindings)
        assert reply[4]["status"] == "ok", reply
        system = self.next()[4]
        assert (system["extension"], system["status"]) == ("postgres_changes", "ok"), system
        answered: list[dict[str, Any]] = reply[4]["response"]["postgres_changes"]
        return answered

    def change(self) -> dict[str, Any]:
        """The data of the next frame, which is a change."""
        frame = self.next()
        assert frame[3] == "postgres_changes", frame
        data: dict[str, Any] = frame[4]["data"]
        return data


@contextmanager
def phoenix(project: Project, version: str = "2.0.0") -> Iterator[Phoenix]:
    query = urlencode({"apikey": project.publishable_key, "vsn": version})
    url = project.url.replace("http", "ws", 1) + f"/realtime/v1/websocket?{query}"
    with connect(url, open_timeout=DEADLINE_SECONDS) as connection:
        yield Phoenix(connection, version)
