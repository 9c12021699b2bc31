"""What a run costs, and runs that take turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(tempfile.gettempdir()) / "video-worker-bench"
"""Where footage and clips are kept from one benchmark to the next."""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of CPU, and the largest resident set in bytes."""

    wall: float
    cpu: float
    peak: int = 0


def run(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run a program to its end. Raises ``CalledProcessError`` with what it wrote."""
    started = time.perf_counter()
    with (folder / "log.txt").open("w+b") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, log.read())
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def take_turns(rounds: int, **contestants: Callable[[], Cost]) -> dict[str, Cost]:
    """Run all contestants, round after round, and return the median cost of each."""
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            costs[name].append(contestant())
    return {name: median(found) for name, found in costs.items()}


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        round(statistics.median(cost.peak for cost in costs)),
    )


def wait_for_frames(files: Callable[[], Iterable[Path]]) -> None:
    """Until one of the MP4s holds more than the header that is written at once."""
    while True:
        for path in files():
            with suppress(OSError):  # not there yet
                if path.stat().st_size > 4096:
                    return
        time.sleep(0.005)
