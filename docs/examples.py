"""Writes what comes from a database: the outputs in docs/admin.md, the rights in docs/security.md.

Runs the SQL of docs/admin.md on the state that docs/admin_example.sql makes, and puts what
comes out below each statement: `make docs`."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from devstack.bootstrap import bootstrap
from devstack.postgres import Postgres
from docs.grants import PAGE as SECURITY
from docs.grants import security_page
from worker.queue.migrations import migrate

FOLDER = Path(__file__).parent
PAGE = FOLDER / "admin.md"
BLOCK = re.compile(
    r"(?ms)(?<=^```sql\n)(?P<sql>.*?)(?P<end>^```\n)"
    r"(?:\n```text\n.*?^```\n)?"  # what came out the last time
)


def admin_page(psql: Path, dsn: str) -> str:
    """The page with its outputs, of a database that is migrated and empty."""

    def ask(*arguments: str | Path, text: str | None = None) -> str:
        command = [psql, dsn, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-P", "footer=off", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{text}\n{done.stderr}")
        return "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")

    def answered(block: re.Match[str]) -> str:
        answer = ask(text=block["sql"])
        shown = f"\n```text\n{answer}\n```\n" if answer else ""
        return block["sql"] + block["end"] + shown

    ask("-f", FOLDER / "admin_example.sql")
    return BLOCK.sub(answered, PAGE.read_text(encoding="utf-8"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Postgres.start(Path(folder) / "data") as server:
        bootstrap(server.dsn(user="supabase_admin"))
        migrate(server.dsn(), lambda migration: None)
        # First: the examples change what is there, and anyone may read pg_temp.
        security = security_page(server.dsn())
        page = admin_page(server.bin_dir / "psql", server.dsn())
    PAGE.write_text(page, encoding="utf-8")
    SECURITY.write_text(security, encoding="utf-8")


if __name__ == "__main__":
    main()
