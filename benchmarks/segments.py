"""Whether a video in segments divides among workers, and what a model makes of many.

    make bench-segments       about five minutes on two free cores

Machines of one core: each worker, with what it starts, is bound to a core of its own, so its
encoder has one thread. One of them and two take turns on one clip. The model takes what splitting,
the segments and joining cost besides encoding from the log of one, and adds a link. The last line
is one JSON object.
"""

from __future__ import annotations

import json
import logging
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import structlog

from benchmarks.clips import dialogue, film
from benchmarks.project import Project
from benchmarks.report import print_figures, print_load, print_table

SECONDS, SEGMENT = 64, 8
"""Length of the clip and of its segments."""
LONG = 600
"""Seconds of a clip with a tiny picture, for what depends on the number of frames alone."""
ROUNDS = 2
CROWDS = (1, 2, 8, 32)
MOVIE, PIECE = 7200, 225
"""What the model is about: two hours, in 32 segments."""
LINK = 50e6
"""Bytes per second of every machine of the model."""
BYTES_PER_SECOND = 5e6 / 8
"""Of its video, before and after."""


@dataclass(frozen=True)
class Costs:
    """Seconds of one core: splitting, encoding and joining for each second of video, and what every
    segment takes besides encoding."""

    split: float
    encode: float
    join: float
    segment: float

    def wall(self, workers: int) -> float:
        """Seconds until the model's video is there, with so many machines of one core."""
        count = ceil(MOVIE / PIECE)
        size = MOVIE * BYTES_PER_SECOND
        begin = self.split * MOVIE + size / LINK
        each = self.encode * PIECE + self.segment + 2 * size / count / LINK
        end = self.join * MOVIE + 2 * size / LINK
        return begin + ceil(count / workers) * each + end


def measure(project: Project) -> tuple[dict[int, float], Costs]:
    """Median seconds from claim to completion by the number of workers, and costs."""
    clip, tiny = project.upload(film(SECONDS)), project.upload(film(LONG, size="128x72"))
    texts = dialogue(SECONDS, 0.6)
    found: dict[int, list[float]] = {1: [], 2: []}
    events: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        for workers, seconds in found.items():
            with ExitStack() as stack:
                logs = [
                    stack.enter_context(
                        project.worker(
                            core=core, WORKER_SEGMENT_SECONDS=str(SEGMENT), LOG_LEVEL="debug"
                        )
                    )
                    for core in range(workers)
                ]
                seconds.append(project.seconds(clip, texts))
                if workers == 1:
                    events += map(json.loads, logs[0].read_text().splitlines())
    with project.worker(core=0, WORKER_SEGMENT_SECONDS=str(LONG // 2), LOG_LEVEL="debug") as log:
        project.seconds(tiny, dialogue(LONG, 0.6))
        long_events = list(map(json.loads, log.read_text().splitlines()))
    return {count: statistics.median(s) for count, s in found.items()}, _costs(events, long_events)


def _costs(events: Sequence[dict[str, Any]], long_events: Sequence[dict[str, Any]]) -> Costs:
    """From the logs of one worker, with the clip and with the long one."""

    def spent(event: dict[str, Any], stage: str | None = None) -> bool:
        wanted = "stage.finished" if stage else "job.finished"
        return event["event"] == wanted and event.get("stage") == stage

    def seconds(found: Sequence[dict[str, Any]]) -> list[float]:
        return [event["seconds"] for event in found]

    parts = [event for event in events if isinstance(event.get("segment"), int)]
    renders = seconds([event for event in parts if spent(event, "render")])
    wholes = seconds([event for event in parts if spent(event)])
    (split,) = [e["seconds"] for e in long_events if spent(e) and e["outcome"] == "split"]
    (join,) = [e["seconds"] for e in long_events if spent(e) and e.get("segment") == "join"]
    return Costs(
        split / LONG,
        statistics.mean(renders) / SEGMENT,
        join / LONG,
        statistics.mean(wholes) - statistics.mean(renders),
    )


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print_load()
    with tempfile.TemporaryDirectory() as folder, Project(Path(folder)) as project:
        walls, costs = measure(project)
    gain = walls[1] / walls[2]
    print_table(
        f"{SECONDS} s of 1080p in segments of {SEGMENT} s, by workers of one core each",
        ("workers", "seconds", "times as fast"),
        [(n, f"{wall:.1f}", f"{walls[1] / wall:.2f}") for n, wall in walls.items()],
    )
    print_table(
        "measured: seconds of a core",
        ("split, per hour", "encode, per hour", "join, per hour", "per segment besides"),
        [(f"{costs.split * 3600:.1f}", f"{costs.encode * 3600:.0f}", f"{costs.join * 3600:.1f}",
          f"{costs.segment:.2f}")],
    )  # fmt: skip
    print_table(
        f"modelled: {MOVIE // 3600} h in {ceil(MOVIE / PIECE)} segments, links of "
        f"{LINK / 1e6:.0f} MB/s",
        ("workers", "minutes", "times as fast"),
        [(n, f"{costs.wall(n) / 60:.1f}", f"{costs.wall(1) / costs.wall(n):.1f}") for n in CROWDS],
    )
    print_figures(
        {"segments_2_workers": gain}
        | {f"modelled_{n}_workers": costs.wall(1) / costs.wall(n) for n in CROWDS[1:]}
    )


if __name__ == "__main__":
    main()
