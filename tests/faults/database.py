"""Faults 17 to 26, 42, 48 and 49: what happens to Postgres, to the way there, and to clocks."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.faults.catalogue import POINTS, fault
from tests.faults.world import LEASE, Run

SESSION_LOCKS = """
select pid from pg_locks join pg_stat_activity a using (pid)
where locktype = 'advisory' and a.state = 'idle' and a.datname = current_database()
"""
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@fault(17, quick=True)
def listening_session_ended(run: Run, point: str) -> None:
    """Jobs still start, and notifications come back."""
    worker = run.start()
    run.until(lambda: worker.logged("listener.live"), "notifications arrive")
    run.end_sessions("pid in (select pid from pg_locks where locktype = 'advisory')")
    run.send()
    run.until(lambda: len(worker.logged("listener.live")) == 2, "notifications arrive again")


@fault(18, "finish")
def all_sessions_ended_again_and_again(run: Run, point: str) -> None:
    job = run.send()
    run.hold(point)
    run.start()
    run.reached(point)
    enough = threading.Event()

    def end_sessions() -> None:
        while not enough.wait(0.05):
            run.end_sessions()

    ender = threading.Thread(target=end_sessions)
    ender.start()
    run.let_go(point)
    time.sleep(run.dice.uniform(0.5, 2))
    enough.set()
    ender.join()
    run.expect(job)


@fault(19, *POINTS, name="Postgres crashes")
def postgres_crashes(run: Run, point: str) -> None:
    """Whoever was at work goes on; nobody looks dead."""
    job = run.send()
    run.hold(point)
    run.start()
    run.start()
    run.reached(point)
    run.lane.postgres.stop("immediate")
    run.let_go(point)
    time.sleep(run.dice.uniform(0, 2))
    run.lane.restart_postgres()
    run.expect(job)


@fault(20, "render", name="Postgres away for longer than a lease", quick=True)
def postgres_away_for_longer_than_a_lease(run: Run, point: str) -> None:
    """The render goes on, and its result is published afterwards, at the first attempt."""
    job = run.send()
    run.hold(point)
    workers = [run.start(), run.start()]
    run.reached(point)
    run.lane.postgres.stop()
    run.let_go(point)
    time.sleep(LEASE + run.dice.uniform(1, 3))
    run.lane.restart_postgres()
    run.expect(job)
    run.wait_for(job)
    for worker in workers:
        assert len(worker.logged("database.unavailable")) == 1, "said once"


@fault(21, "claim_jobs", "complete_jobs", "heartbeat", "check_in", quick=("complete_jobs",))
def reply_lost(run: Run, point: str) -> None:
    """The statement was done and committed; the worker does not hear of it."""
    run.wire.lose_reply_to = point.encode()
    job = run.send()
    run.start()
    run.wait_event(run.wire.struck, f"the reply to {point} is lost")
    run.expect(job)


@fault(22, "claim", "render", "finish")
def connection_goes_silent(run: Run, point: str) -> None:
    """TCP seems fine and nothing arrives. What was sent arrives late, all of it, or never."""
    job = run.send()
    run.hold(point)
    run.start()
    run.start(DATABASE_URL=run.url(run.lane.postgres.port))
    run.reached(point)
    if silence := run.dice.choice([1, LEASE / 2, LEASE * 2, None]):
        run.wire.hold_up()
        run.let_go(point)
        time.sleep(silence)
        run.wire.flow()
    else:
        run.wire.strand()
        run.let_go(point)
    run.expect(job, attempts=(1, 2))


@fault(23, "claim", "finish")
def read_only(run: Run, point: str) -> None:
    """As on a standby that is not promoted yet. (For the worker only: sessions that Storage
    began meanwhile would stay read-only, as no session outlives a real failover.)"""
    read_only = "default_transaction_read_only"
    job = run.send()
    run.hold(point)
    worker = run.start()
    run.reached(point)
    run.sql(f"alter role video_worker in database {run.database} set {read_only} = on")
    run.end_sessions()
    run.let_go(point)
    run.until(lambda: worker.logged("database.unavailable"), "the worker has noticed")
    time.sleep(run.dice.uniform(0, 3))
    run.sql(f"alter role video_worker in database {run.database} reset {read_only}")
    run.end_sessions()
    run.expect(job)


@fault(24, "claim", "finish")
def too_many_connections(run: Run, point: str) -> None:
    no_way_in(run, point, "connection limit 0", "connection limit -1")


@fault(24, "claim", "finish")
def password_changed(run: Run, point: str) -> None:
    no_way_in(run, point, "password 'another'", "password 'postgres'")


def no_way_in(run: Run, point: str, shut: str, opened: str) -> None:
    job = run.send()
    run.hold(point)
    worker = run.start()
    run.reached(point)
    run.sql(f"alter role video_worker {shut}")
    try:
        run.end_sessions()
        run.let_go(point)
        run.until(lambda: worker.logged("database.unavailable"), "the worker has noticed")
        time.sleep(run.dice.uniform(0, 3))
    finally:
        run.sql(f"alter role video_worker {opened}")
    run.wait_for(job)
    # Sessions end one after the other: the first loss may be seen before the last.
    assert len(worker.logged("database.unavailable")) <= 3, "not said again and again"
    run.expect(job)


@fault(25, "render", "finish")
def row_locked_by_somebody(run: Run, point: str) -> None:
    """An admin looks at the row with FOR UPDATE, and goes for a coffee."""
    job = run.send()
    run.hold(point)
    run.start()
    run.start()
    run.reached(point)
    with psycopg.connect(run.lane.postgres.dsn(run.database)) as admin:
        admin.execute("select from public.video_jobs where id = %s for update", [job])
        run.let_go(point)
        time.sleep(run.dice.choice([1, LEASE * 2]))
    run.expect(job)


@fault(26, quick=True)
def notification_missing(run: Run, point: str) -> None:
    worker = run.start()
    run.until(lambda: worker.logged("listener.live"), "notifications arrive")
    run.sql("alter table public.video_jobs disable trigger video_jobs_wake_on_insert")
    run.send()


@fault(42, "+1h", "-1h")
def wrong_clock(run: Run, point: str) -> None:
    """No worker's clock takes part in anything."""
    if FAKETIME is None:
        if os.environ.get("CI"):
            pytest.fail("faketime is not installed")
        pytest.skip("faketime is not installed")
    job = run.send(run.lane.clips.large)
    run.hold("render")
    run.start(LD_PRELOAD=str(FAKETIME), FAKETIME=point, FAKETIME_DONT_FAKE_MONOTONIC="1")
    run.start()
    run.reached("render")
    time.sleep(LEASE + 1)
    run.let_go("render")
    run.expect(job)


@fault(48, "storage", name="name not resolved")
def name_of_storage_not_resolved(run: Run, point: str) -> None:
    """The attempt is spent, and the next one is another worker's."""
    job = run.send()
    run.start(SUPABASE_URL="http://storage.invalid")
    run.until(lambda: run.job(job)["error_code"], "the attempt has failed")
    run.workers[0].terminate()
    run.workers[0].wait()
    run.start()
    run.make_due(job)
    run.expect(job, attempts=2, code="storage_unavailable")


@fault(49, "render", "upload")
def host_lost(run: Run, point: str) -> None:
    """Without a word: its session stands, so only the lease can tell."""
    job = run.send()
    run.hold(point)
    victim = run.start()
    run.until(lambda: victim.logged("listener.live"), "notifications arrive")
    run.reached(point)
    survivor = run.start(DATABASE_URL=run.url(run.lane.postgres.port))
    run.until(lambda: survivor.logged("listener.live"), "notifications arrive")
    run.wire.strand()
    run.kill(victim)
    run.let_go(point)
    run.begun(job, 2)
    assert len(run.sql(SESSION_LOCKS)) == 2, "the lost worker's lock is still held"
    run.expect(job, attempts=2, code="worker_lost")


@fault(48, "database")
def name_not_resolved(run: Run, point: str) -> None:
    """It waits, says so once, and ends in order when told to."""
    worker = run.start(
        wait=False, DATABASE_URL="postgresql://video_worker:x@database.invalid:5432/postgres"
    )
    run.until(lambda: worker.logged("database.unavailable"), "the worker has noticed")
    time.sleep(3)
    assert worker.process.poll() is None
    assert len(worker.logged("database.unavailable")) == 1, "said once"
    worker.terminate()
    assert worker.wait() == 0
