"""A TCP connection that can be cut, held up, or made to lose one reply."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Link:
    """One client's connection, and the one that was made for it."""

    client: socket.socket
    server: socket.socket
    sent: int = 0
    loses_reply: bool = False
    stranded: bool = False

    def close(self, reset: bool = False) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                end.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                end.close()


@dataclass
class Wire:
    """Forwards a port of its own to ``target`` on this machine."""

    target: int
    lose_reply_to: bytes | None = None
    """The next connection that sends this is cut when the reply to it is there, unseen."""
    reset_after: int | None = None
    """The next connection that sends so many bytes is reset then."""
    struck: threading.Event = field(default_factory=threading.Event)
    """Set when one of the two has happened."""

    def __post_init__(self) -> None:
        self._flows = threading.Event()
        self._flows.set()
        self._links: set[Link] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_up(self) -> None:
        """From now on nothing arrives, in no direction; TCP itself seems fine."""
        self._flows.clear()

    def flow(self) -> None:
        """All that was held up arrives."""
        self._flows.set()

    def strand(self) -> None:
        """The connections that there are carry nothing any more, and no end of either side hears
        that the other has gone. New ones are fine."""
        for link in self._links:
            link.stranded = True

    def cut(self) -> None:
        for link in list(self._links):
            link.close()

    def close(self) -> None:
        self._listener.close()
        self.flow()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server)
            self._links.add(link)
            threading.Thread(target=self._send, args=[link], daemon=True).start()
            threading.Thread(target=self._receive, args=[link], daemon=True).start()

    def _send(self, link: Link) -> None:
        with suppress(OSError):
            while data := link.client.recv(65536):
                self._flows.wait()
                if link.stranded:
                    continue
                link.sent += len(data)
                if self.reset_after is not None and link.sent >= self.reset_after:
                    self.reset_after = None
                    self.struck.set()
                    link.close(reset=True)
                    return
                if self.lose_reply_to and self.lose_reply_to in data:
                    self.lose_reply_to = None
                    link.loses_reply = True
                link.server.sendall(data)
        self._end(link)

    def _receive(self, link: Link) -> None:
        with suppress(OSError):
            while data := link.server.recv(65536):
                self._flows.wait()
                if link.stranded:
                    continue
                if link.loses_reply:
                    self.struck.set()
                    break
                link.client.sendall(data)
        self._end(link)

    def _end(self, link: Link) -> None:
        if link.stranded:
            return
        link.close()
        self._links.discard(link)
