"""How fast the worker burns: against plain ffmpeg, against moviepy, and smart against full.

    make bench-render         under ten minutes on two free cores

All contestants take turns on one clip (60 s of 1080p, a keyframe every 2 s); a ratio is that of
their median times. The last line is one JSON object.
"""

from __future__ import annotations

import logging
import tempfile
from functools import partial
from pathlib import Path

import structlog

from benchmarks.burns import Burner
from benchmarks.clips import dialogue, film
from benchmarks.measure import Cost, take_turns
from benchmarks.report import print_figures, print_load, print_table
from benchmarks.transfer import measure_transfers

SECONDS = 60
SHORT = 20
"""Seconds of what moviepy gets: it takes long."""
COVERAGES = (10, 30, 60, 80, 95)
"""Per cent of the time in which a subtitle is shown."""
ROUNDS = 3


def compare_with_ffmpeg(burner: Burner) -> dict[str, float]:
    clip, texts = film(SECONDS), dialogue(SECONDS, 0.6)
    costs = take_turns(
        ROUNDS,
        ffmpeg=partial(burner.plain, clip, texts),
        full=partial(burner.worker, clip, texts),
        **{
            f"{percent}": partial(burner.worker, clip, dialogue(SECONDS, percent / 100), "auto")
            for percent in COVERAGES
        },
    )
    ffmpeg, full = costs.pop("ffmpeg"), costs.pop("full")
    print_costs(f"{SECONDS} s of 1080p, the same encoder settings", ffmpeg=ffmpeg, full=full)
    print_table(
        "render: auto against full, by the share of time with subtitles",
        ("subtitles", "seconds", "times as fast", "by CPU time"),
        [
            (f"{percent} %", f"{cost.wall:.1f}", f"{full.wall / cost.wall:.2f}",
             f"{full.cpu / cost.cpu:.2f}")
            for percent, cost in costs.items()
        ],
    )  # fmt: skip
    return {
        "full_vs_ffmpeg": full.wall / ffmpeg.wall,
        "full_vs_ffmpeg_cpu": full.cpu / ffmpeg.cpu,
        "memory_vs_ffmpeg": full.peak / ffmpeg.peak,
        **{f"smart_{percent}": full.wall / costs[str(percent)].wall for percent in (10, 30, 60)},
        **{f"smart_{percent}_cpu": full.cpu / costs[str(percent)].cpu for percent in (10, 30, 60)},
        "auto_worst": min(full.wall / cost.wall for cost in costs.values()),
        "auto_worst_cpu": min(full.cpu / cost.cpu for cost in costs.values()),
        "cpu_seconds_per_minute": full.cpu * 60 / SECONDS,
        "cpu_seconds_per_minute_smart_10": costs["10"].cpu * 60 / SECONDS,
    }


def compare_with_moviepy(burner: Burner) -> dict[str, float]:
    clip, texts = film(SHORT), dialogue(SHORT, 0.6)
    costs = take_turns(
        2,
        moviepy=partial(burner.moviepy, clip, texts),
        full=partial(burner.worker, clip, texts),
    )
    print_costs(f"{SHORT} s of 1080p, the same preset", **costs)
    moviepy, full = costs["moviepy"], costs["full"]
    return {
        "moviepy_vs_full": moviepy.wall / full.wall,
        "moviepy_vs_full_cpu": moviepy.cpu / full.cpu,
    }


def print_costs(title: str, **costs: Cost) -> None:
    print_table(
        title,
        ("", "seconds", "CPU seconds", "memory, MB"),
        [(n, f"{c.wall:.1f}", f"{c.cpu:.1f}", c.peak >> 20) for n, c in costs.items()],
    )


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print_load()
    with tempfile.TemporaryDirectory() as folder:
        burner = Burner(Path(folder))
        figures = compare_with_ffmpeg(burner) | compare_with_moviepy(burner)
        figures |= measure_transfers(Path(folder), burner)
    print_figures(figures)


if __name__ == "__main__":
    main()
