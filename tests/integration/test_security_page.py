"""docs/security.md and docs/architecture.md say what the database does."""

from __future__ import annotations

import re
from pathlib import Path

from docs.grants import PAGE, security_page
from tests.conftest import Db

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs/architecture.md"
MIGRATIONS = ROOT / "migrations"


def test_the_matrix_of_rights_is_the_databases(db: Db) -> None:
    assert security_page(db.dsn()) == PAGE.read_text(), "run: make docs"


def test_row_level_security_is_on_for_every_table(db: Db) -> None:
    rows = db.admin.execute(
        """
        select c.oid::regclass::text as name from pg_class c
        where c.relnamespace::regnamespace::text in ('video_worker', 'video_admin')
          and c.relkind in ('r', 'p') and not c.relrowsecurity
        union all
        select 'video_jobs' from pg_class where oid = 'video_jobs'::regclass and not relrowsecurity
        """
    ).fetchall()
    assert rows == []


def test_every_function_says_what_it_is_for() -> None:
    """Above it, or as its comment in the database."""
    silent = []
    for migration in MIGRATIONS.glob("*.sql"):
        text = migration.read_text()
        for line_above, name in re.findall(r"(?m)^(.*)\ncreate function ([\w.]+)\(", text):
            if not line_above.startswith("--") and f"comment on function {name}" not in text:
                silent.append(name)
    assert silent == []


def test_the_state_diagrams_name_the_states_and_functions_that_there_are(db: Db) -> None:
    whole, in_segments = re.findall(r"(?s)stateDiagram-v2\n(.*?)```", ARCHITECTURE.read_text())
    arrows = re.findall(r"(\S+) --> (\S+?)(?:: (.*))?\n", whole + in_segments)
    states = {state for start, end, _ in arrows for state in (start, end)} - {"[*]"}
    within = set(re.findall(r"(?m)^    (\w+): ", in_segments))
    enum = db.value("select enum_range(null::public.video_job_status)::text[]")
    assert states - within == set(enum)
    for _, _, label in arrows:
        for function in re.findall(r"\b[a-z]+_[a-z_]+\b", label):
            assert db.value("select count(*) from pg_proc where proname = %s", [function]), function
