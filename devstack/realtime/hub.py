"""Which channels listen to which topic. A private topic and a public one of that name are two."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Protocol


class Listener(Protocol):
    def send_broadcast(self, payload: Any) -> None: ...


class Hub:
    def __init__(self) -> None:
        self._listeners: defaultdict[tuple[str, bool], set[Listener]] = defaultdict(set)

    def add(self, topic: str, private: bool, listener: Listener) -> None:
        self._listeners[topic, private].add(listener)

    def remove(self, topic: str, private: bool, listener: Listener) -> None:
        self._listeners[topic, private].discard(listener)
        if not self._listeners[topic, private]:
            del self._listeners[topic, private]

    def broadcast(
        self, topic: str, private: bool, payload: Any, *, but: Listener | None = None
    ) -> None:
        """Sends to everybody on the topic, `but` for one. `payload`: see Frame."""
        for listener in self._listeners.get((topic, private), ()):
            if listener is not but:
                listener.send_broadcast(payload)
