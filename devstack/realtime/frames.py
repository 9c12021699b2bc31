"""What goes over the socket: Phoenix frames in their two versions, and binary broadcasts.

Version 1.0.0 is a JSON object, 2.0.0 a JSON array. In version 2 a client may send a broadcast as a
binary frame, whose header holds the length of each field in one byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from devstack.http import encode_json


class Version(StrEnum):
    OBJECTS = "1.0.0"
    ARRAYS = "2.0.0"


_BROADCAST_PUSH = 3
_BROADCAST = 4
_BYTES, _JSON = 0, 1


class FrameError(ValueError):
    """The bytes are no frame of this version."""


@dataclass(frozen=True)
class Frame:
    """One message. `payload` is a dict, or Raw for a broadcast whose payload is not to be read."""

    topic: str
    event: str
    payload: Any
    ref: str | None = None
    join_ref: str | None = None


@dataclass(frozen=True)
class Raw:
    """A broadcast as it came in a binary frame: its payload is JSON or any bytes."""

    event: str
    encoding: int
    content: bytes

    def as_json(self) -> dict[str, Any] | None:
        """The same broadcast as a payload of JSON; None where it is bytes."""
        if self.encoding != _JSON:
            return None
        return {"type": "broadcast", "event": self.event, "payload": json.loads(self.content)}


def decode(data: str | bytes, version: Version) -> Frame:
    """Raises FrameError."""
    try:
        if isinstance(data, bytes):
            return _decode_push(data)
        content = json.loads(data)
        if version == Version.OBJECTS:
            topic, event, payload = (content[name] for name in ("topic", "event", "payload"))
            ref, join_ref = content.get("ref"), content.get("join_ref")
        else:
            join_ref, ref, topic, event, payload = content
        if not (isinstance(topic, str) and isinstance(event, str) and isinstance(payload, dict)):
            raise TypeError("a field has the wrong type")
        return Frame(topic, event, payload, ref, join_ref)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FrameError(f"not a frame: {error}") from error


def encode(frame: Frame, version: Version) -> str | bytes | None:
    """None where this version has no way to say it: bytes in version 1."""
    payload = frame.payload
    if isinstance(payload, Raw):
        if version == Version.ARRAYS:
            return _encode_broadcast(frame.topic, payload)
        payload = payload.as_json()
        if payload is None:
            return None
    if version == Version.ARRAYS:
        content: Any = [frame.join_ref, frame.ref, frame.topic, frame.event, payload]
    else:
        content = {"topic": frame.topic, "event": frame.event, "payload": payload, "ref": frame.ref}
    return encode_json(content)


def _decode_push(data: bytes) -> Frame:
    kind, *lengths, encoding = data[:7]
    if kind != _BROADCAST_PUSH:
        raise ValueError(f"kind {kind}")
    fields = []
    position = 7
    for length in lengths:
        fields.append(data[position : position + length].decode())
        position += length
    join_ref, ref, topic, event, _ = fields
    raw = Raw(event, encoding, data[position:])
    raw.as_json()  # what is no JSON must not reach a client that will read it
    return Frame(topic, "broadcast", raw, ref or None, join_ref or None)


def _encode_broadcast(topic: str, raw: Raw) -> bytes:
    fields = [topic.encode(), raw.event.encode(), b""]
    header = [_BROADCAST, *(len(field) for field in fields), raw.encoding]
    return bytes(header) + b"".join(fields) + raw.content
