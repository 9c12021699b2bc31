"""Postgres and the gateway as one thing that starts and stops.

The gateway runs in a thread with an event loop of its own, so that tests may be asyncio or not.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import uvicorn

from devstack.bootstrap import bootstrap
from devstack.gateway import Config, create_app
from devstack.keys import DEVELOPMENT_KEYS, Keys
from devstack.postgres import SUPERUSER, Postgres
from devstack.storage.faults import Fault

__all__ = ["Fault", "Stack", "bootstrap"]

_STOP_SECONDS = 5


@dataclass
class Stack:
    """A running stack. `database_url` is for role `postgres`, which is no superuser; what is put on
    the list `faults` happens to the requests to Storage."""

    url: str
    database_url: str
    faults: list[Fault] = field(repr=False)
    _keys: Keys = field(repr=False)
    _server: _Server = field(repr=False)
    _postgres: Postgres | None = field(repr=False)

    @classmethod
    def start(
        cls,
        *,
        directory: Path,
        database_url: str | None = None,
        port: int = 0,
        project_dir: Path | None = None,
    ) -> Stack:
        """Starts a stack that keeps its data in `directory`, made if there is none.

        `database_url`: a running database that `bootstrap` was applied to. None starts an own
        Postgres, on `port` + 1 (as `supabase start` does), or on a free port if `port` is 0.
        `project_dir`: the folder `supabase` of a project, whose Edge Functions are served.
        Raises OSError if the port is taken, PostgresError, or RuntimeError.
        """
        directory.mkdir(parents=True, exist_ok=True)
        listener = _listen(port)
        postgres = None
        try:
            if database_url is None:
                postgres = Postgres.start(directory / "postgres", port=port + 1 if port else 0)
                bootstrap(postgres.dsn(user=SUPERUSER))
                database_url = postgres.dsn()
            host, port = listener.getsockname()
            url = f"http://{host}:{port}"
            faults: list[Fault] = []
            config = Config(
                url,
                database_url,
                storage_dir=directory / "storage",
                keys=DEVELOPMENT_KEYS,
                project_dir=project_dir,
                log_dir=directory / "functions",
                faults=faults,
            )
            server = _Server(config, listener)
            server.start()
        except BaseException:
            listener.close()
            if postgres is not None:
                postgres.stop()
            raise
        return cls(url, database_url, faults, DEVELOPMENT_KEYS, server, postgres)

    @property
    def publishable_key(self) -> str:
        return self._keys.publishable

    @property
    def secret_key(self) -> str:
        return self._keys.secret

    @property
    def anon_key(self) -> str:
        return self._keys.anon

    @property
    def service_role_key(self) -> str:
        return self._keys.service_role

    @property
    def jwt_secret(self) -> str:
        return self._keys.jwt_secret

    def stop(self) -> None:
        self._server.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """The gateway on a socket that already listens, in a thread."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(config),
                lifespan="on",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._serve_on, args=(listener,), daemon=True)

    def start(self) -> None:
        """Returns when requests are answered. Raises RuntimeError if that does not come to be."""
        self._thread.start()
        try:
            self._settled.wait()
            if not self.started:
                raise RuntimeError("the gateway did not start; the reason was logged")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.should_exit = True
        self._thread.join()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._settled.set()

    def _serve_on(self, listener: socket.socket) -> None:
        try:
            # SystemExit is how uvicorn ends when the application did not start.
            with suppress(SystemExit):
                self.run([listener])
        finally:
            self._settled.set()


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named: 40 ms for each reply.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    # A restart must not wait for the connections of the last run to be forgotten.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"127.0.0.1:{port}: {error.strerror}") from error
    return listener
