"""A process with many workers in it: ``python -m benchmarks.crowd DSN WORKERS``.

Each has two slots. In the first it works for ever and reports progress every two seconds, as a
render does; in the other jobs do nothing. With ``--idle`` no job lasts.
"""

from __future__ import annotations

import argparse
import asyncio

from benchmarks.queue.bare import BareWorker
from worker.progress import Report
from worker.queue.jobs import Job

SLOTS = 2
PROGRESS_SECONDS = 2.0
START_SECONDS = 0.05
"""Between one worker and the next."""


class Member:
    """What one worker does with its jobs."""

    def __init__(self, renders: bool) -> None:
        self._renders = renders

    async def work(self, job: Job, report: Report) -> None:
        if self._renders:
            self._renders = False
            for percent in range(100):
                report("render", percent, 200 - 2 * percent)
                await asyncio.sleep(PROGRESS_SECONDS)


async def main(dsn: str, workers: int, *, idle: bool) -> None:
    for number in range(workers):
        await BareWorker(dsn, SLOTS, Member(not idle).work, f"bench {number}").start()
        await asyncio.sleep(START_SECONDS)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("workers", type=int)
    parser.add_argument("--idle", action="store_true")
    given = parser.parse_args()
    asyncio.run(main(given.dsn, given.workers, idle=given.idle))
