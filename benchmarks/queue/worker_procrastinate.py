"""A worker of procrastinate with its defaults."""

import asyncio
import logging

from procrastinate import App, PsycopgConnector

from benchmarks.queue.handler import Arguments, handle, parse


async def main(arguments: Arguments) -> None:
    app = App(connector=PsycopgConnector(conninfo=arguments.dsn))

    async def bench(tells: bool = False) -> None:
        await handle(tells, arguments.seconds)

    app.task(bench, name="bench")
    async with app.open_async():
        await app.run_worker_async(concurrency=arguments.slots)


# It would warn at every start: nobody else finds the tasks of an application in the main module.
logging.getLogger("procrastinate.blueprints").setLevel(logging.ERROR)
asyncio.run(main(parse()))
