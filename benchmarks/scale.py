"""How many workers one Postgres carries: 10, 50 and 200, each with all its parts but the video.

    make bench-scale         about four minutes on two free cores

Busy: 100,000 jobs wait, every worker renders one (heartbeats, progress) and claims and completes
empty ones beside it, as fast as it can. Idle: nothing waits, and a job is sent now and then, which
wakes all. Workers and Postgres share the cores. The last line is one JSON object.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.queue.arena import SETTINGS, Arena, Ring
from benchmarks.queue.contestants import OURS
from benchmarks.report import print_figures, print_load, print_table

WORKERS = (10, 50, 200)
PROCESSES = 2
BACKLOG = 100_000
WINDOW = 20.0
SENT_PER_SECOND = 10
POSTGRES = SETTINGS | {
    "max_connections": "700",  # three per worker
    "log_lock_waits": "on",
    "deadlock_timeout": "100ms",  # after which a wait for a lock is logged
}
WAITED = "still waiting for"

COUNTED = """
select (select count(*) from public.video_jobs where status = 'completed') claims,
       (select n_tup_upd from pg_stat_user_tables where relname = 'leases') beats,
       (select sum(calls) from pg_stat_statements where query like '%claim_jobs%') asked,
       (select sum(total_exec_time) from pg_stat_statements where query like '%claim_jobs%') spent,
       (select sum(wal_bytes) from pg_stat_statements) wal
"""
WAITS = """
select percentile_cont(array[0.5, 0.99]) within group (
  order by extract(epoch from started_at - created_at) * 1000)
from public.video_jobs where created_at > now() - %s * interval '1 second'
"""


@dataclass(frozen=True)
class Busy:
    """Per second: claims with their completions, and heartbeats. ``claim_ms`` in the server."""

    claims: float
    beats: float
    claim_ms: float
    wal_per_job: float
    lock_waits: int


@dataclass(frozen=True)
class Idle:
    """From insert to claim, in ms, and claims asked for per job sent."""

    p50: float
    p99: float
    asked: float


def measure_busy(arena: Arena, workers: int) -> Busy:
    with arena.ring(OURS) as ring:
        ring.fill(BACKLOG, of_others=True)
        ring.vacuum()
        with _crowd(ring, workers):
            while ring.value("select count(*) from video_worker.leases") < workers:
                time.sleep(0.2)
            waited = arena.log.read_text().count(WAITED)
            before, started = _counted(ring), time.monotonic()
            _send(ring)
            seconds = time.monotonic() - started
            claims, beats, asked, spent, wal = (
                after - was for after, was in zip(_counted(ring), before, strict=True)
            )
            return Busy(
                claims / seconds,
                beats / seconds,
                spent / asked,
                wal / claims,
                arena.log.read_text().count(WAITED) - waited,
            )


def measure_idle(arena: Arena, workers: int) -> Idle:
    with arena.ring(OURS) as ring, _crowd(ring, workers, "--idle"):
        while ring.value("select count(*) from video_worker.workers where holds_lock") < workers:
            time.sleep(0.2)
        before = _counted(ring)
        _send(ring)
        while ring.value(OURS.open):
            time.sleep(0.1)
        claims, _, asked, *_ = (
            after - was for after, was in zip(_counted(ring), before, strict=True)
        )
        row = ring.connection.execute(WAITS, [WINDOW]).fetchone()
        assert row
        p50, p99 = row[0]
        return Idle(p50, p99, asked / claims)


def _send(ring: Ring) -> None:
    """Jobs at a steady rate, for the length of the window."""
    until = time.monotonic() + WINDOW
    while time.monotonic() < until:
        ring.send()
        time.sleep(1 / SENT_PER_SECOND)


def _counted(ring: Ring) -> list[float]:
    row = ring.connection.execute(COUNTED).fetchone()
    assert row
    return [float(count or 0) for count in row]


@contextmanager
def _crowd(ring: Ring, workers: int, *options: str) -> Iterator[None]:
    command = (sys.executable, "-m", "benchmarks.crowd", ring.dsn(OURS.role))
    processes = [
        subprocess.Popen([*command, str(workers // PROCESSES), *options]) for _ in range(PROCESSES)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    print_load()
    with tempfile.TemporaryDirectory() as folder, Arena(Path(folder), (OURS,), POSTGRES) as arena:
        busy = {workers: measure_busy(arena, workers) for workers in WORKERS}
        idle = {workers: measure_idle(arena, workers) for workers in WORKERS}
    print_table(
        f"busy: every worker renders, {BACKLOG} jobs wait",
        (
            "workers",
            "claims and completions per second",
            "heartbeats per second",
            "a claim, ms",
            "bytes of WAL per job",
            "waits for a lock over 100 ms",
        ),
        [
            (n, f"{b.claims:.0f}", f"{b.beats:.0f}", f"{b.claim_ms:.2f}", f"{b.wal_per_job:.0f}",
             b.lock_waits)
            for n, b in busy.items()
        ],
    )  # fmt: skip
    print_table(
        f"idle: {SENT_PER_SECOND} jobs per second are sent, and nothing waits",
        ("workers", "insert to claim, ms: p50", "p99", "claims asked for per job"),
        [(n, f"{i.p50:.1f}", f"{i.p99:.1f}", f"{i.asked:.1f}") for n, i in idle.items()],
    )
    print_figures(
        {f"workers_{n}_claims_per_s": b.claims for n, b in busy.items()}
        | {f"workers_{n}_heartbeats_per_s": b.beats for n, b in busy.items()}
        | {f"workers_{n}_wal_bytes_per_job": b.wal_per_job for n, b in busy.items()}
        | {f"workers_{n}_idle_wait_p50_ms": i.p50 for n, i in idle.items()}
        | {"lock_waits_over_100ms": sum(b.lock_waits for b in busy.values())}
    )


if __name__ == "__main__":
    main()
