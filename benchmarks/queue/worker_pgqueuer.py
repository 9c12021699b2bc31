"""A worker of pgqueuer with its defaults, on asyncpg and uvloop as its own command runs it.

Its batches are no larger than the slots, for a fair comparison: it takes at most twice the batch
at a time and demands that this be two at least.
"""

import asyncpg
import uvloop
from pgqueuer import AsyncpgDriver, Job, PgQueuer

from benchmarks.queue.handler import Arguments, handle, parse


async def main(arguments: Arguments) -> None:
    queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(arguments.dsn)))

    async def bench(job: Job) -> None:
        await handle(job.payload is not None, arguments.seconds)

    queuer.entrypoint("bench")(bench)
    batch = max(1, arguments.slots // 2)
    await queuer.run(batch_size=batch, max_concurrent_tasks=2 * batch)


uvloop.run(main(parse()))
