"""The front end's types say what the schema is."""

from __future__ import annotations

from pathlib import Path

from docs.database_types import TYPES, generate
from tests.conftest import Db


def test_the_types_of_the_front_end_are_fresh(db: Db, node_modules: Path) -> None:
    assert TYPES.read_text() == generate(db.dsn(), node_modules), "run: make types"
