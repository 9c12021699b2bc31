"""What a worker costs that has nothing to do, and how long a killed one's job lies about.

Both are mostly waiting, so all of it runs side by side.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.queue.arena import Arena, NoStartError
from benchmarks.queue.contestants import ALL, OURS, Contestant
from benchmarks.report import print_table

WINDOW = 60.0
SLOTS = 10
LONGEST = 75.0
"""Seconds in which a killed worker's job has to begin again to be counted as recovered."""
SETTLED = (7.0, 13.0)
"""Seconds that a worker has been there when it, or the one beside it, is killed."""


@dataclass(frozen=True)
class Standing:
    """``recoveries`` in seconds; the last one is infinite when the job did not begin in time."""

    statements: float
    connections: int
    recoveries: list[float]


def measure_standing(arena: Arena) -> dict[str, Standing]:
    with ThreadPoolExecutor() as pool:
        idle = {each.name: pool.submit(_idle, arena, each) for each in ALL}
        recoveries = {each.name: pool.submit(_recover, arena, each) for each in ALL}
        found = {
            each.name: Standing(*idle[each.name].result(), recoveries[each.name].result())
            for each in ALL
        }
    print_table(
        f"a worker with {SLOTS} slots and no jobs; jobs of a worker that is killed (-9)",
        ("", "statements per minute", "connections", "the job runs again after, s"),
        [
            (name, f"{each.statements:.0f}", each.connections, _listed(each.recoveries))
            for name, each in found.items()
        ],
    )
    return found


def _idle(arena: Arena, contestant: Contestant) -> tuple[float, int]:
    """Statements per minute, and connections."""
    with arena.ring(contestant) as ring, ring.workers(1, SLOTS):
        time.sleep(SETTLED[1])
        before = arena.statements(ring.database)
        time.sleep(WINDOW)
        # One of the sessions is our own.
        sessions = arena.connections(ring.database) - 1
        return (arena.statements(ring.database) - before) * 60 / WINDOW, sessions


def _recover(arena: Arena, contestant: Contestant) -> list[float]:
    """Worker after worker is killed in the midst of the job, and the next one takes it over. Three
    times (a job of ours has three attempts), but once is enough for those that take a minute."""
    recoveries: list[float] = []
    with arena.ring(contestant) as ring:
        holder = ring.start(slots=1, seconds=3600)
        try:
            ring.send(tells=True)
            holder.next_start(LONGEST)
            for _ in range(2 if contestant is OURS else 1):
                survivor = ring.start(slots=1, seconds=3600)
                time.sleep(random.uniform(*SETTLED))
                holder.kill()
                killed, holder = time.monotonic_ns(), survivor
                recoveries.append((holder.next_start(LONGEST) - killed) / 1e9)
        except NoStartError:
            recoveries.append(float("inf"))
        finally:
            holder.kill()
    return recoveries


def _listed(recoveries: list[float]) -> str:
    return ", ".join(f"{s:.1f}" if s <= LONGEST else f"not in {LONGEST:.0f}" for s in recoveries)
