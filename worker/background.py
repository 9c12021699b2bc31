"""The shape of every background part of the worker: start, stop, and a loop of its own."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod

import structlog

log = structlog.get_logger()


class Background(ABC):
    """Runs ``run()`` as a task until stopped.

    ``run`` deals with the faults it expects. One that it does not expect is logged and the loop
    begins anew after a pause: a worker with a dead part would look alive and do nothing.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def run(self) -> None:
        """Loop until cancelled."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_running(), name=type(self).__name__)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _keep_running(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self.run()
                return
            except Exception:
                log.exception("background.crashed", part=type(self).__name__)
                await backoff.sleep()


async def happens_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for ``event`` at most so long (None: for ever); whether it happened."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


class Backoff:
    """Growing pauses with jitter: about 0.5 s, 1 s, 2 s … up to ``longest`` seconds."""

    def __init__(self, longest: float = 30.0) -> None:
        self._longest = longest
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_pause(self) -> float:
        """Seconds to wait after one more failure."""
        pause = min(self._longest, 0.5 * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not a secret)

    async def sleep(self) -> None:
        await asyncio.sleep(self.next_pause())
