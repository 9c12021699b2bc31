"""/storage/v1: puts the parts together."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware

from devstack.database import Database
from devstack.keys import Keys
from devstack.storage.buckets import Buckets
from devstack.storage.downloads import Downloads
from devstack.storage.errors import StorageError, render
from devstack.storage.faults import Fault, Faults
from devstack.storage.files import Files
from devstack.storage.objects import Objects
from devstack.storage.signed import SignedUrls
from devstack.storage.store import Store
from devstack.storage.tus import Tus


def create_app(database: Database, keys: Keys, directory: Path, faults: list[Fault]) -> Starlette:
    store = Store(database, Files(directory))
    # In the order in which paths are tried: `/object/{bucket}/...` matches most of the others.
    parts = (Buckets, Tus, SignedUrls, Downloads, Objects)
    return Starlette(
        routes=[route for part in parts for route in part(store, keys).routes()],
        exception_handlers={StorageError: render},
        middleware=[Middleware(Faults, faults=faults)],
    )
