"""docs/admin.md and supabase/snippets say what really comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.examples import PAGE, admin_page
from tests.conftest import Db

SNIPPETS = Path(__file__).parents[2] / "supabase/snippets"


def without_time(page: str) -> str:
    """Durations and times of day differ from run to run; they are all as wide."""
    return re.sub(r"\d\d:\d\d:\d\d", "hh:mm:ss", page)


def test_what_stands_below_each_statement_is_what_comes_out(db: Db) -> None:
    page = admin_page(db.postgres.bin_dir / "psql", db.dsn())
    assert without_time(page) == without_time(PAGE.read_text()), "run: make docs"


def test_every_view_and_function_has_its_example(db: Db) -> None:
    rows = db.admin.execute(
        """
        select relname as name from pg_class
        where relnamespace = 'video_admin'::regnamespace and relkind = 'v'
        union all
        select proname from pg_proc
        where pronamespace = 'video_admin'::regnamespace and proname <> 'ago'
        """
    ).fetchall()
    statements = "".join(re.findall(r"(?ms)^```sql\n(.*?)^```", PAGE.read_text()))
    assert len(rows) >= 12
    for row in rows:
        assert f"video_admin.{row['name']}" in statements, row


@pytest.mark.parametrize("file", sorted(SNIPPETS.glob("*.sql")), ids=lambda file: file.stem)
def test_a_snippet_runs(db: Db, file: Path) -> None:
    db.admin.execute(file.read_text().encode())
