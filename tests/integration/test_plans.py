"""What the queue's functions read: bounded, however many rows there are of whatever kind.

auto_explain shows the plans of the statements inside the functions as they really ran.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.conftest import Connection, Db

ROWS = 50_000
MOST_ROWS_READ = 60
"""By one statement. The usual is one to ten; some are dead versions of the same rows."""

Filling = Callable[[Db, UUID], None]


def fill(db: Db, user_id: UUID, columns: str, values: str) -> None:
    """Insert rows with no trigger in the way, as they would be after months of use."""
    db.admin.execute("alter table public.video_jobs disable trigger user")
    db.admin.execute(
        f"insert into public.video_jobs (user_id, input_path, subtitle_path, {columns})"
        f" select '{user_id}', '{user_id}/v', '{user_id}/s', {values}"
        f" from generate_series(1, {ROWS}) n"
    )
    db.admin.execute("alter table public.video_jobs enable trigger user")


def lower_priority(db: Db, user_id: UUID) -> None:
    fill(db, user_id, "priority, place", "-1, n")


def same_priority(db: Db, user_id: UUID) -> None:
    fill(db, user_id, "place", "n")


def scheduled(db: Db, user_id: UUID) -> None:
    fill(db, user_id, "run_at", "now() + interval '1 hour' + n * interval '1 second'")


def held_at_the_limit(db: Db, user_id: UUID) -> None:
    """The user has as many running as allowed, and a backlog older than anybody's job."""
    db.admin.execute("update video_worker.config set max_running_jobs_per_user = 1")
    fill(db, user_id, "held, created_at", "true, now() - interval '1 day'")
    db.admin.execute(
        "update public.video_jobs set held = false, place = 0, status = 'processing', attempt = 1,"
        " started_at = now() where id = (select id from public.video_jobs limit 1)"
    )


def finished(db: Db, user_id: UUID) -> None:
    fill(
        db,
        user_id,
        "status, output_path, created_at, started_at, finished_at, attempt, place",
        f"'completed', '{user_id}/o', now() - n * interval '1 minute', now(),"
        " now() - n * interval '1 minute', 1, n",
    )


@pytest.fixture(params=[lower_priority, same_priority, scheduled, held_at_the_limit, finished])
def full(request: pytest.FixtureRequest, db: Db) -> Db:
    """A database with 50,000 rows of one kind, all of one user."""
    filling: Filling = request.param
    filling(db, db.new_user())
    return db


@pytest.fixture(params=["stale", "fresh"])
def statistics(request: pytest.FixtureRequest, full: Db) -> str:
    """What the planner knows: that the table is empty, or the truth."""
    if request.param == "fresh":
        full.admin.execute("vacuum analyze public.video_jobs")
    return str(request.param)


@dataclass
class Explained:
    """A connection whose every statement is explained, those inside functions too."""

    connection: Connection
    plans: list[dict[str, Any]]

    def run(self, query: str, *parameters: Any) -> Any:
        return self.connection.execute(query, parameters).fetchone()

    def rows_read(self) -> dict[str, int]:
        """Per statement, the rows that its scans of the table have read."""
        read: dict[str, int] = {}
        for plan in self.plans:
            text = plan["Query Text"].strip()
            read[text] = max(read.get(text, 0), sum(_rows_read(plan["Plan"])))
        return read


def _rows_read(node: dict[str, Any]) -> Iterator[int]:
    if node.get("Relation Name") == "video_jobs" and "Scan" in node["Node Type"]:
        once = sum(
            node.get(key, 0)
            for key in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        )
        yield int(once * node.get("Actual Loops", 1))
    for child in node.get("Plans", []):
        yield from _rows_read(child)


@pytest.fixture
def explained(full: Db, statistics: str) -> Iterator[Explained]:
    """As the server's superuser: nobody else may load auto_explain."""
    plans: list[dict[str, Any]] = []
    connection: Connection = psycopg.connect(
        full.dsn("supabase_admin"), autocommit=True, row_factory=psycopg.rows.dict_row
    )

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        text = diagnostic.message_primary or ""
        plans.append(json.loads(text[text.index("{") :]))

    with connection:
        connection.execute("load 'auto_explain'")
        for name, value in {
            "log_min_duration": "0",
            "log_nested_statements": "on",
            "log_analyze": "on",
            "log_timing": "off",
            "log_format": "json",
            "log_level": "notice",
        }.items():
            connection.execute(f"set auto_explain.{name} = {value}")
        connection.add_notice_handler(note)
        yield Explained(connection, plans)


def test_no_statement_of_the_queue_reads_the_backlog(full: Db, explained: Explained) -> None:
    newcomer = full.new_user()
    worker = uuid4()
    for _ in range(7):  # more often than plpgsql looks for a better plan
        full.new_job(newcomer, priority=1)
        explained.run(
            "insert into public.video_jobs (user_id, input_path, subtitle_path, priority)"
            " values (%s, %s, %s, 1) returning id",
            newcomer,
            f"{newcomer}/v",
            f"{newcomer}/s",
        )
        claim = explained.run(
            "select * from video_worker.claim_jobs(%s, %s, '1 minute')", worker, [uuid4()]
        )
        fence = (claim["job_id"], claim["token"])
        explained.run("select video_worker.heartbeat(%s, %s, 'render', 50::smallint, 7)", *fence)
        explained.run(
            "select * from video_worker.check_in(%s, 't', '0', 1::smallint, true, '6 s')", worker
        )
        output = f"{claim['output_prefix']}/v"
        explained.run(
            "select * from video_worker.complete_jobs(%s, %s, %s, '{null}', '{\"{}\"}')",
            *([value] for value in (*fence, output)),
        )
    read = explained.rows_read()
    assert len(read) > 20, "the statements inside the functions were seen"
    assert {text: rows for text, rows in read.items() if rows > MOST_ROWS_READ} == {}


@pytest.mark.parametrize("full", [scheduled, held_at_the_limit, finished], indirect=True)
def test_a_claim_that_finds_nothing_reads_next_to_nothing(explained: Explained) -> None:
    for _ in range(7):
        claim = explained.run(
            "select * from video_worker.claim_jobs(%s, %s, '1 minute')", uuid4(), [uuid4()]
        )
        assert claim is None
    assert max(explained.rows_read().values()) <= 2


def test_what_forbids_scans_forbids_to_compile_them_too(db: Db) -> None:
    """Before Postgres 18 a forbidden scan of a tiny table counts as worth compiling: 18 ms each."""
    forbidding = "select proname from pg_proc where 'enable_seqscan=off' = any (proconfig)"
    assert db.value(f"select count(*) from ({forbidding}) f") == 5
    assert db.admin.execute(f"{forbidding} and not 'jit=off' = any (proconfig)").fetchall() == []
