"""Two things at the same time, and what becomes of them when one fails."""

from __future__ import annotations

import asyncio

import pytest

from worker.both import both


async def fail(error: str) -> None:
    raise ValueError(error)


async def test_each_waits_for_the_other_and_both_return() -> None:
    here, there = asyncio.Event(), asyncio.Event()

    async def meet(mine: asyncio.Event, other: asyncio.Event, result: int) -> int:
        mine.set()
        await other.wait()
        return result

    async with asyncio.timeout(30):
        assert await both(meet(here, there, 1), meet(there, here, 2)) == (1, 2)


async def test_the_firsts_error_counts_more() -> None:
    with pytest.raises(ValueError, match="first"):
        await both(fail("first"), fail("second"))


async def test_behind_an_error_and_a_cancel_nothing_goes_on() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def fail_late() -> None:
        await started.wait()
        raise ValueError

    with pytest.raises(ValueError):
        await both(fail_late(), work())
    assert stopped.is_set()
    started.clear()
    stopped.clear()
    task = asyncio.create_task(both(work(), asyncio.sleep(0)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()
