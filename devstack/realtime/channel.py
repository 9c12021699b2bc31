"""One client in one topic: what it may do there, what it hears, and until when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg

from devstack.database import Caller
from devstack.realtime.authorization import OF_A_PUBLIC_CHANNEL, permissions
from devstack.realtime.changes import Binding, SubscriptionError, read_binding
from devstack.realtime.frames import Frame
from devstack.realtime.replication import ReplicationError
from devstack.realtime.service import Realtime
from devstack.realtime.tokens import TokenError, confirm_token


class JoinError(Exception):
    """Why a client may not join; the message is the reply's `reason`."""


class Transport(Protocol):
    """The socket that the channel lives on. `token` is that of the socket's own API key."""

    @property
    def token(self) -> str: ...

    def send(self, frame: Frame) -> None: ...


@dataclass(frozen=True)
class Config:
    """What a client asks for when it joins."""

    is_private: bool
    hears_itself: bool
    wants_acknowledgement: bool
    bindings: list[Binding]


def read_config(payload: Mapping[str, Any]) -> Config:
    """Raises JoinError."""
    try:
        config = payload.get("config") or {}
        broadcast = config.get("broadcast") or {}
        has_presence = (config.get("presence") or {}).get("enabled")
        bindings = [read_binding(params) for params in config.get("postgres_changes") or []]
    except (AttributeError, TypeError) as error:
        raise JoinError(f"InvalidJoinPayload: {error}") from error
    except SubscriptionError as error:
        raise JoinError(f"UnableToSubscribeToPostgres: {error}") from error
    if has_presence:
        raise JoinError("NotImplemented: devstack has no Presence")
    return Config(
        is_private=bool(config.get("private")),
        hears_itself=bool(broadcast.get("self")),
        wants_acknowledgement=bool(broadcast.get("ack")),
        bindings=bindings,
    )


class Channel:
    def __init__(
        self,
        realtime: Realtime,
        transport: Transport,
        topic: str,
        join_ref: str | None,
        config: Config,
    ) -> None:
        self.is_open = False
        self.caller = Caller({})  # nobody, until joined
        self._realtime = realtime
        self._transport = transport
        self._topic = topic
        self._join_ref = join_ref
        self._config = config
        self._name = topic.removeprefix("realtime:")
        self._token: str | None = None
        self._permissions = OF_A_PUBLIC_CHANNEL
        self._expiry: asyncio.TimerHandle | None = None

    async def join(self, token: str | None) -> dict[str, Any]:
        """Returns what the reply says. Raises JoinError."""
        if not self._name:
            raise JoinError("TopicNameRequired: You must provide a topic name")
        try:
            await self._realtime.follow()
            await self._admit(token)
        except TokenError as error:
            raise JoinError(f"{error.code}: {error}") from error
        except psycopg.Error as error:
            raise JoinError(f"UnableToSetPolicies: {error}") from error
        except ReplicationError as error:
            raise JoinError(f"UnableToConnectToProject: {error}") from error
        self.is_open = True
        self._realtime.hub.add(self._name, self._config.is_private, self)
        return {
            "postgres_changes": [{**each.params, "id": each.id} for each in self._config.bindings]
        }

    async def subscribe(self) -> None:
        """Begins to send the changes that the client asked for, and says so."""
        if not self._config.bindings:
            return
        try:
            await self._realtime.changes.subscribe(self, self._config.bindings)
        except SubscriptionError as error:
            self._send_system("postgres_changes", "error", str(error))
        else:
            self._send_system("postgres_changes", "ok", "Subscribed to PostgreSQL")
            if not self.is_open:  # its token has expired meanwhile
                self._realtime.changes.unsubscribe(self)

    async def handle(self, frame: Frame) -> None:
        if frame.event == "broadcast":
            self._broadcast(frame)
        elif frame.event == "access_token":
            await self._renew(frame.payload.get("access_token"))
        elif frame.event == "phx_leave":
            self._reply(frame)
            self.close()

    def close(self) -> None:
        """Ends the channel and tells the client."""
        self.forget()
        self._send("phx_close", {}, ref=self._join_ref)

    def forget(self) -> None:
        """Ends the channel without a word: the client is gone."""
        self.is_open = False
        self._realtime.changes.unsubscribe(self)
        self._realtime.hub.remove(self._name, self._config.is_private, self)
        if self._expiry is not None:
            self._expiry.cancel()

    def send_broadcast(self, payload: Any) -> None:
        self._send("broadcast", payload)

    def send_change(self, ids: list[int], data: Mapping[str, Any]) -> None:
        self._send("postgres_changes", {"ids": ids, "data": data})

    async def _admit(self, token: str | None) -> None:
        """Makes the channel the token's. Raises TokenError and psycopg.Error."""
        # An opaque key is no JWT: the one that the gateway has put in its place counts.
        if token is None or token.startswith("sb_"):
            token = self._transport.token
        caller = confirm_token(self._realtime.keys, token)
        if self._config.is_private:
            self._permissions = await permissions(self._realtime.database, caller, self._name)
            if not self._permissions.read:
                reason = "You do not have permissions to read from this Channel topic"
                raise TokenError("Unauthorized", f"{reason}: {self._name}")
        self.caller, self._token = caller, token
        if self._expiry is not None:
            self._expiry.cancel()
        delay = caller.claims["exp"] - time.time()
        self._expiry = asyncio.get_running_loop().call_later(
            delay, self._shut_down, "Token has expired 0 seconds ago"
        )

    async def _renew(self, token: str | None) -> None:
        if token is None or token.startswith("sb_") or token == self._token:
            return
        try:
            await self._admit(token)
        except (TokenError, psycopg.Error) as error:
            self._shut_down(str(error))
        else:
            await self.subscribe()

    def _shut_down(self, reason: str) -> None:
        self._send_system("system", "error", reason)
        self.close()

    def _broadcast(self, frame: Frame) -> None:
        if not self._permissions.write:
            return
        sender = None if self._config.hears_itself else self
        self._realtime.hub.broadcast(self._name, self._config.is_private, frame.payload, but=sender)
        if self._config.wants_acknowledgement:
            self._reply(frame)

    def _send_system(self, extension: str, status: str, message: str) -> None:
        self._send(
            "system",
            {"channel": self._name, "extension": extension, "message": message, "status": status},
        )

    def _reply(self, frame: Frame) -> None:
        self._send("phx_reply", {"status": "ok", "response": {}}, ref=frame.ref)

    def _send(self, event: str, payload: Any, ref: str | None = None) -> None:
        join_ref = self._join_ref if ref is not None else None
        self._transport.send(Frame(self._topic, event, payload, ref, join_ref))
