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

Report = Callable[[Stage, float, float | None], None]


class Progress:
    """Turns "half of this stage is done" into per cent and seconds left of the whole job."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._started = self._entered = time.monotonic()
        self._stage: Stage = "download"

    def enter(self, stage: Stage) -> None:
        self.leave()
        self._stage = stage
        self.update(0.0)

    def leave(self) -> None:
        """The current stage is over."""
        seconds = time.monotonic() - self._entered
        log.debug("stage.finished", stage=self._stage, seconds=round(seconds, 3))
        self._entered = time.monotonic()

    def update(self, share: float) -> None:
        """``share``: how much of the current stage is done, 0 to 1."""
        before = sum(SHARE[stage] for stage in list(SHARE)[: list(SHARE).index(self._stage)])
        percent = before + SHARE[self._stage] * min(1.0, share)
        self._report(self._stage, percent, self._seconds_left(percent))

    def update_bytes(self, done: int, total: int) -> None:
        self.update(done / total if total else 1.0)

    def _seconds_left(self, percent: float) -> float | None:
        if percent < 5:
            return None  # too early to tell
        return (time.monotonic() - self._started) * (100 - percent) / percent
