"""One honest percentage from stages that take very different times."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from worker.queue.jobs import Stage

log = structlog.get_logger()

SHARE: dict[Stage, float] = {
    "download": 10,
    "probe": 1,
    "subtitles": 1,
    "render": 78,
    "upload": 10,
}
"""Per cent of the whole job: what a few minutes of 1080p take over an ordinary connection."""

MOST_AHEAD = 0.8
"""The share of a render that its speed can do without."""

Report = Callable[[Stage, float, float | None], None]


class Pace:
    """How fast a render is while nothing but the encoder holds it up: its clock starts when all of
    the input is there, for before that it may have waited for the rest."""

    def __init__(self, complete: Callable[[], bool] = lambda: True) -> None:
        self._complete = complete
        self._begun = (0.0, time.monotonic()) if complete() else None

    def update(self, share: float) -> None:
        """``share`` of the video, 0 to 1, is rendered."""
        if self._begun is None and self._complete():
            self._begun = share, time.monotonic()

    def speed(self, seconds: float) -> float | None:
        """Of a render that is over, as a multiple of real time, for ``seconds`` of video; None if
        too little of it came after its input."""
        if self._begun is None or self._begun[0] > MOST_AHEAD:
            return None
        share, begun = self._begun
        return round((1 - share) * seconds / (time.monotonic() - begun), 2)


class Progress:
    """Turns "half of this stage is done" into per cent and seconds left of the whole job."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._started = self._entered = time.monotonic()
        self._stage: Stage = "download"
        self._done = dict.fromkeys(SHARE, 0.0)

    def enter(self, stage: Stage) -> None:
        """Everything before ``stage`` is done, of it what was done ahead of time, and no more."""
        self.leave()
        self._stage = stage
        stages = list(SHARE)
        at = stages.index(stage)
        self._done |= dict.fromkeys(stages[:at], 1.0) | dict.fromkeys(stages[at + 1 :], 0.0)
        self.update(self._done[stage])

    def leave(self) -> None:
        """The current stage is over."""
        seconds = time.monotonic() - self._entered
        log.debug("stage.finished", stage=self._stage, seconds=round(seconds, 3))
        self._entered = time.monotonic()

    def update(self, share: float, stage: Stage | None = None) -> None:
        """``share``: how much of the current stage is done, 0 to 1; or of a later one, on which
        work has begun meanwhile."""
        self._done[stage or self._stage] = min(1.0, share)
        percent = sum(SHARE[stage] * done for stage, done in self._done.items())
        self._report(self._stage, percent, self._seconds_left(percent))

    def update_bytes(self, done: int, total: int) -> None:
        self.update(done / total if total else 1.0)

    def _seconds_left(self, percent: float) -> float | None:
        if percent < 5:
            return None  # too early to tell
        return (time.monotonic() - self._started) * (100 - percent) / percent
