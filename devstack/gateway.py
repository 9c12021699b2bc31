"""The front door: API keys, CORS, and which service answers which path.

Services never see an opaque key: the gateway replaces it by the JWT that it stands for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from devstack.auth.endpoints import create_app as create_auth
from devstack.database import Database
from devstack.functions.endpoints import Functions
from devstack.functions.runtime import environment
from devstack.http import Json
from devstack.keys import Keys
from devstack.postgres import PASSWORD, SUPERUSER
from devstack.realtime.endpoints import create_app as create_realtime
from devstack.realtime.service import Realtime
from devstack.rest.endpoints import create_app as create_rest
from devstack.storage.endpoints import create_app as create_storage
from devstack.storage.faults import Fault

_EXPOSED_HEADERS = (
    "content-range",
    "content-location",
    "location",
    "etag",
    "x-total-count",
    "link",
    "x-supabase-api-version",
    "tus-version",
    "tus-resumable",
    "tus-max-size",
    "tus-extension",
    "tus-complete",
    "upload-offset",
    "upload-length",
    "upload-metadata",
    "upload-defer-length",
    "upload-expires",
)


_FUNCTIONS = "/functions/v1/"
_OPEN_PATHS = ("/storage/v1/", "/auth/v1/.well-known/")


@dataclass(frozen=True)
class Config:
    url: str  # where clients reach the gateway
    database_url: str
    storage_dir: Path
    keys: Keys
    project_dir: Path | None  # the folder `supabase` whose functions are served
    log_dir: Path  # for what they print
    faults: list[Fault]  # of Storage, see storage/faults.py


def create_app(config: Config) -> ASGIApp:
    database = Database(config.database_url)
    realtime_dsn = make_conninfo(config.database_url, user=SUPERUSER, password=PASSWORD)

    realtime = Realtime(database, config.keys, realtime_dsn)
    functions = Functions(
        config.project_dir,
        config.keys,
        environment(config.url, config.database_url, config.keys),
        config.log_dir,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.opened(), realtime.running(), functions.running():
            yield

    issuer = f"{config.url}/auth/v1"
    return Starlette(
        routes=[
            Mount("/auth/v1", create_auth(database, config.keys, issuer)),
            Mount("/rest/v1", create_rest(database, config.keys)),
            Mount("/functions/v1", functions.app()),
            Mount("/realtime/v1", create_realtime(realtime)),
            Mount(
                "/storage/v1",
                create_storage(database, config.keys, config.storage_dir, config.faults),
            ),
        ],
        middleware=[
            Middleware(
                Cors,
                allow_origins=["*"],
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=_EXPOSED_HEADERS,
            ),
            Middleware(ApiKeyGate, keys=config.keys),
        ],
        lifespan=lifespan,
    )


class Cors(CORSMiddleware):
    """Lets every page in. A function answers for itself, preflight requests included."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_FUNCTIONS):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class ApiKeyGate:
    """Lets in who has an API key, and turns the key into a JWT for the services behind.

    Not behind the key are: Storage, since its signed and public URLs carry none, and a TUS client
    may send no more than its user's JWT; Functions, which see what the client sent, opaque keys
    included, and judge it themselves; the public keys of Auth.
    """

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            refusal = self._admit(scope)
        await (refusal or self._app)(scope, receive, send)

    def _admit(self, scope: Scope) -> Json | None:
        """Says why not, or translates the key in the scope's headers."""
        if scope["path"].startswith(_FUNCTIONS):
            return None
        headers = Headers(scope=scope)
        # A browser can give a WebSocket no headers.
        key = headers.get("apikey") or QueryParams(scope["query_string"]).get("apikey")
        if key is None:
            if scope["path"].startswith(_OPEN_PATHS):
                return None
            return _refusal(
                "No API key found in request", "No `apikey` request header or url param was found."
            )
        token = self._keys.jwt_for(key)
        if token is None:
            return _refusal(
                "Invalid API key", "Double check your Supabase `anon` or `service_role` API key."
            )
        if key == self._keys.secret and headers.get("user-agent", "").startswith("Mozilla/"):
            return _refusal(
                "Forbidden use of secret API key in browser",
                "Secret API keys can only be used in a protected environment"
                " and should never be used in a browser.",
            )
        # A user's JWT passes. An opaque key says no more than `apikey` does, if it is the same.
        if headers.get("authorization") in (None, f"Bearer {key}"):
            MutableHeaders(scope=scope)["authorization"] = f"Bearer {token}"
        return None


def _refusal(message: str, hint: str) -> Json:
    return Json({"message": message, "hint": hint}, 401)
