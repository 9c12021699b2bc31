"""The queues that are compared: how each is installed, and how its jobs are sent and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import psycopg
from pgqueuer import AsyncpgDriver, Queries
from procrastinate import App, SyncPsycopgConnector

from devstack.bootstrap import bootstrap
from devstack.postgres import PASSWORD, SUPERUSER, Postgres
from worker.queue.migrations import migrate

USERS = 250
OTHERS = 2000
"""Who jobs and backlogs of our queue belong to, in turns. (The peers know no users.)"""


@dataclass(frozen=True)
class Contestant:
    """``install`` makes its schema in a database. ``send`` inserts one job per row of {jobs}, with
    {priority}, {after} (an interval), {first} and {users} (whose they are), and {data}: ``tells``
    for those whose start is told, else ``silent``. ``open`` says whether a job has not ended.
    ``worker`` is the module of its process, which logs in as ``role``. ``settle`` does for jobs
    sent without triggers what these would."""

    name: str
    install: Callable[[Postgres, str], None]
    send: str
    tells: str
    silent: str
    open: str
    table: str
    worker: str
    role: str = SUPERUSER
    settle: str = ""

    def sending(
        self,
        jobs: int = 1,
        *,
        priority: int = 0,
        after: str = "0 s",
        tells: bool = False,
        of_others: bool = False,
    ) -> str:
        return self.send.format(
            jobs=f"generate_series(1, {jobs})",
            priority=priority,
            after=after,
            first=USERS if of_others else 0,
            users=OTHERS if of_others else USERS,
            data=self.tells if tells else self.silent,
        )


def _install_ours(postgres: Postgres, database: str) -> None:
    bootstrap(postgres.dsn(database, SUPERUSER))
    migrate(postgres.dsn(database), lambda migration: None)
    with psycopg.connect(postgres.dsn(database, SUPERUSER)) as connection:
        connection.execute(f"alter role video_worker password '{PASSWORD}'")
        connection.execute(
            "create sequence sent;"
            "create table users as select n, gen_random_uuid() id"
            f" from generate_series(0, {USERS + OTHERS - 1}) n;"
            "alter table users add primary key (n);"
            "insert into auth.users (id) select id from users"
        )


def _install_procrastinate(postgres: Postgres, database: str) -> None:
    app = App(connector=SyncPsycopgConnector(conninfo=postgres.dsn(database, SUPERUSER)))
    with app.open():
        app.schema_manager.apply_schema()


def _install_pgqueuer(postgres: Postgres, database: str) -> None:
    async def install() -> None:
        connection = await asyncpg.connect(postgres.dsn(database, SUPERUSER))
        await Queries(AsyncpgDriver(connection)).install()
        await connection.close()

    asyncio.run(install())


OURS = Contestant(
    "ours",
    _install_ours,
    "insert into public.video_jobs (user_id, input_path, subtitle_path, priority, run_at, options)"
    " select id, id || '/video.mp4', id || '/subtitles.srt', {priority},"
    " now() + interval '{after}', '{data}'"
    " from {jobs} job, lateral (select job - job + nextval('sent') turn) t, users"
    " where n = {first} + turn % {users}",
    '{"tells": true}',
    "{}",
    "select exists (select from public.video_jobs where status in ('queued', 'processing'))",
    "public.video_jobs",
    "benchmarks.queue.worker_ours",
    "video_worker",
    "update public.video_jobs set held = true"
    " where status = 'queued' and place is null and run_at <= now();"
    "select video_worker.place_waiting() from generate_series(1, 5)",
)
PROCRASTINATE = Contestant(
    "procrastinate",
    _install_procrastinate,
    "select procrastinate_defer_jobs_v1(array_agg(("
    "'default', 'bench', {priority}, null, null, '{data}',"
    " now() + interval '{after}')::procrastinate_job_to_defer_v1)) from {jobs}",
    '{"tells": true}',
    "{}",
    "select exists (select from procrastinate_jobs where status in ('todo', 'doing'))",
    "procrastinate_jobs",
    "benchmarks.queue.worker_procrastinate",
)
PGQUEUER = Contestant(
    "pgqueuer",
    _install_pgqueuer,
    "with sent as (insert into pgqueuer (priority, entrypoint, execute_after, status, payload)"
    " select {priority}, 'bench', now() + interval '{after}', 'queued', {data} from {jobs}"
    " returning id, status, entrypoint, priority)"
    " insert into pgqueuer_log (job_id, status, entrypoint, priority) select * from sent",
    "'tells'",
    "null",
    "select exists (select from pgqueuer)",
    "pgqueuer",
    "benchmarks.queue.worker_pgqueuer",
)
ALL = (OURS, PROCRASTINATE, PGQUEUER)
