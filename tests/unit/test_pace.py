"""How fast a render is, told apart from how fast its input comes."""

from __future__ import annotations

import pytest

from worker.progress import Pace


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("worker.progress.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_with_all_input_there_it_is_seconds_of_video_per_second(clock: Clock) -> None:
    pace = Pace()
    pace.update(0.5)
    clock.now += 10
    assert pace.speed(40.0) == 4.0


def test_what_was_rendered_while_the_input_came_does_not_count(clock: Clock) -> None:
    there = False
    pace = Pace(lambda: there)
    clock.now += 100
    pace.update(0.4)
    there = True
    pace.update(0.5)
    clock.now += 5
    pace.update(0.9)
    assert pace.speed(40.0) == 4.0, "the second half, in five seconds"


def test_a_render_that_only_waited_for_its_input_has_no_speed(clock: Clock) -> None:
    there = False
    pace = Pace(lambda: there)
    pace.update(0.95)
    assert pace.speed(40.0) is None
    there = True
    pace.update(0.95)
    clock.now += 5
    assert pace.speed(40.0) is None
