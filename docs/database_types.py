"""frontend/src/database.types.ts: the table and functions of the Data API as TypeScript.

    python -m docs.database_types

Made by `supabase gen types` from the migrations, on a database that is there for that only.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from devstack.bootstrap import bootstrap
from devstack.postgres import SUPERUSER, Postgres
from worker.queue.migrations import migrate

ROOT = Path(__file__).parents[1]
TYPES = ROOT / "frontend" / "src" / "database.types.ts"


def generate(database_url: str, node_modules: Path) -> str:
    """The types of schema public. Raises CalledProcessError."""
    return subprocess.run(
        [
            node_modules / ".bin" / "supabase",
            *("gen", "types", "--lang=typescript", "--schema=public"),
            f"--remote={database_url}?sslmode=disable",
        ],
        env=os.environ | {"DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres.start(Path(folder) / "data") as postgres,
    ):
        bootstrap(postgres.dsn(user=SUPERUSER))
        migrate(postgres.dsn(), lambda migration: None)
        TYPES.write_text(generate(postgres.dsn(), ROOT / "tests" / "node_modules"))


if __name__ == "__main__":
    main()
