"""Background parts: how they wait, and what becomes of one that crashes."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from worker.background import Background, Backoff


@pytest.mark.parametrize("longest", [10.0, 30.0])
def test_pauses_double_up_to_a_bound_each_shortened_by_up_to_a_half(longest: float) -> None:
    series = [Backoff(longest) for _ in range(200)]
    for failures in range(15):
        whole = min(longest, 0.5 * 2**failures)
        pauses = [backoff.next_pause() for backoff in series]
        assert whole / 2 <= min(pauses) < whole * 0.6, "some come early"
        assert whole * 0.9 < max(pauses) <= whole, "some come late"
        assert len(set(pauses)) == len(pauses), "what failed together does not come back together"


def test_after_a_success_pauses_are_short_again() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.next_pause()
    backoff.reset()
    assert backoff.next_pause() <= 0.5


async def test_a_part_that_crashes_begins_anew_and_says_so() -> None:
    class Part(Background):
        begun = 0
        running = asyncio.Event()

        async def run(self) -> None:
            self.begun += 1
            if self.begun == 1:
                raise RuntimeError("something unforeseen")
            self.running.set()
            await asyncio.Event().wait()

    part = Part()
    with capture_logs() as logs:
        part.start()
        await asyncio.wait_for(part.running.wait(), 20)
        await part.stop()
    assert [(entry["event"], entry["part"]) for entry in logs] == [("background.crashed", "Part")]
