"""From the insert of a job until its handler runs, on an idle worker with one slot."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.queue.arena import Arena, NoStartError, Ring
from benchmarks.queue.contestants import ALL, Contestant
from benchmarks.report import print_table

SAMPLES = 1000
ROUNDS = 4
BACKLOG = 100_000
BACKLOG_SAMPLES = 300
GAP = (0.005, 0.015)
"""Seconds between the start of a job and the insert of the next."""
STALL = 10.0
"""Seconds to wait for a start at most: peers lose wake-ups and find the job by a poll of 5 s."""
LONGEST = 30.0
"""Seconds for one series at most: it ends early when most of its samples are stalls."""

Samples = list[float]
"""Milliseconds."""


@dataclass(frozen=True)
class Idle:
    """Samples on an empty queue, and bytes of write-ahead log per job from insert to finish."""

    samples: Samples
    wal: float


def measure_idle(arena: Arena) -> dict[str, Idle]:
    """On an empty queue, in turns."""
    samples: dict[str, Samples] = {contestant.name: [] for contestant in ALL}
    wal = dict.fromkeys(samples, 0)
    for _ in range(ROUNDS):
        for contestant in ALL:
            with arena.ring(contestant) as ring:
                before = ring.wal()
                samples[contestant.name] += _series(ring, SAMPLES // ROUNDS)
                wal[contestant.name] += ring.wal() - before
    _print("insert to handler, empty queue", samples)
    return {name: Idle(taken, wal[name] / len(taken)) for name, taken in samples.items()}


def measure_backlog(arena: Arena) -> dict[str, dict[str, Samples]]:
    """With 100,000 jobs of others: none of them ready yet, or all of them of lower priority."""
    found: dict[str, dict[str, Samples]] = {}
    kinds: dict[str, dict[str, Any]] = {"future": {"after": "1 day"}, "lower": {"priority": -1}}
    for kind, how in kinds.items():
        found[kind] = {}
        for contestant in ALL:
            found[kind][contestant.name] = _with_backlog(arena, contestant, how)
        _print(f"insert to handler, {BACKLOG} others: {kind}", found[kind])
    return found


def _with_backlog(arena: Arena, contestant: Contestant, how: dict[str, Any]) -> Samples:
    with arena.ring(contestant) as ring:
        ring.fill(BACKLOG, of_others=True, **how)
        ring.vacuum()
        return _series(ring, BACKLOG_SAMPLES)


def _series(ring: Ring, number: int) -> Samples:
    """Of jobs of priority 1, one after the other. The backlog tells no starts."""
    samples: Samples = []
    until = time.monotonic() + LONGEST
    with ring.workers(1, slots=1) as (worker,):
        while len(samples) < number and time.monotonic() < until:
            time.sleep(random.uniform(*GAP))
            sent = time.monotonic_ns()
            ring.send(priority=1, tells=True)
            try:
                samples.append((worker.next_start(STALL) - sent) / 1e6)
            except NoStartError:
                samples.append(STALL * 1000)
    return samples


def _print(title: str, samples: dict[str, Samples]) -> None:
    print_table(
        f"{title}, ms",
        ("", "p50", "p95", "p99", "max", "over 50 ms", "samples"),
        [
            (
                name,
                *(f"{percentile(taken, share):.2f}" for share in (0.5, 0.95, 0.99, 1)),
                sum(sample > 50 for sample in taken),
                len(taken),
            )
            for name, taken in samples.items()
        ],
    )


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that is no less than this share of all; the median by halves."""
    if share == 0.5:
        return statistics.median(samples)
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]
