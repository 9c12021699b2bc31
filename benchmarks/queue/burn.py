"""A backlog of jobs that do nothing, from its commit until the last one has been completed."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benchmarks.queue.arena import Arena, Ring
from benchmarks.queue.contestants import ALL
from benchmarks.report import print_table

ROUNDS = 3


@dataclass(frozen=True)
class Setting:
    """So many processes with so many slots each, and the size of the backlog."""

    name: str
    processes: int
    slots: int
    jobs: int


SETTINGS = (
    Setting("1 process, 1 slot", 1, 1, 2000),
    Setting("1 process, 10 slots", 1, 10, 5000),
    Setting("4 processes, 4 slots", 4, 4, 5000),
)


Rates = dict[tuple[str, str], float]
"""Jobs per second by setting and contestant."""


def measure_burns(arena: Arena) -> Rates:
    """The median round of each, in turns."""
    rounds: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for setting in SETTINGS:
            for contestant in ALL:
                with arena.ring(contestant) as ring:
                    key = setting.name, contestant.name
                    rounds.setdefault(key, []).append(_burn(ring, setting))
    print_table(
        f"no-op jobs, claimed and finished per second (median of {ROUNDS}; [least to most])",
        ("", *(contestant.name for contestant in ALL)),
        [
            (setting.name, *(_range(rounds[setting.name, contestant.name]) for contestant in ALL))
            for setting in SETTINGS
        ],
    )
    return {key: statistics.median(found) for key, found in rounds.items()}


def _burn(ring: Ring, setting: Setting) -> float:
    """Jobs per second. The backlog wakes nobody; one more job does."""
    with ring.workers(setting.processes, setting.slots):
        ring.fill(setting.jobs)
        ring.vacuum()
        started = time.perf_counter()
        ring.send()
        while ring.value(ring.contestant.open):
            time.sleep(0.02)
        return setting.jobs / (time.perf_counter() - started)


def _range(rates: list[float]) -> str:
    return f"{statistics.median(rates):.0f} [{min(rates):.0f} to {max(rates):.0f}]"
