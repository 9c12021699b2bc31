"""This project's worker as a contestant."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from benchmarks.queue.bare import BareWorker
from benchmarks.queue.handler import Arguments, handle, parse
from worker.progress import Report
from worker.queue.jobs import Job


async def main(arguments: Arguments) -> None:
    def work(job: Job, report: Report) -> Coroutine[Any, Any, None]:
        return handle("tells" in job.options, arguments.seconds)

    worker = BareWorker(arguments.dsn, arguments.slots, work)
    await worker.start()
    await asyncio.Event().wait()


asyncio.run(main(parse()))
