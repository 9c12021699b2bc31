"""How fast the worker burns: against plain ffmpeg, against moviepy, and smart against full.

    make bench-render         a few minutes on two free cores

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
from benchmarks.report import print_figures, print_load
from benchmarks.transfer import measure_transfers

SECONDS = 60
SHORT = 20
"""Seconds of what moviepy gets: it takes long."""
COVERAGES = (10, 30, 60, 80, 95)
"""Per cent of the time in which a subtitle is shown."""
ROUNDS = 3


def compare_with_others(burner: Burner) -> dict[str, float]:
    long, short = film(SECONDS), film(SHORT)
    texts, few = dialogue(SECONDS, 0.6), dialogue(SHORT, 0.6)
    costs = take_turns(
        ROUNDS,
        ffmpeg=partial(burner.plain, long, texts),
        full=partial(burner.worker, long, texts),
    )
    costs |= take_turns(
        2,
        moviepy=partial(burner.moviepy, short, few),
        full_short=partial(burner.worker, short, few),
    )
    print(f"{SECONDS} s of 1080p (moviepy: {SHORT} s), the same encoder settings:\n")
    print("| | seconds | CPU seconds | memory, MB |\n|---|---|---|---|")
    for name, cost in costs.items():
        print(f"| {name} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak >> 20} |")
    ffmpeg, full = costs["ffmpeg"], costs["full"]
    moviepy, full_short = costs["moviepy"], costs["full_short"]
    return {
        "full_vs_ffmpeg": full.wall / ffmpeg.wall,
        "full_vs_ffmpeg_cpu": full.cpu / ffmpeg.cpu,
        "memory_vs_ffmpeg": full.peak / ffmpeg.peak,
        "moviepy_vs_full": moviepy.wall / full_short.wall,
        "moviepy_vs_full_cpu": moviepy.cpu / full_short.cpu,
    }


def compare_smart(burner: Burner) -> dict[str, float]:
    clip = film(SECONDS)
    costs = take_turns(
        ROUNDS,
        full=partial(burner.worker, clip, dialogue(SECONDS, 0.6)),
        **{
            f"{percent}": partial(burner.worker, clip, dialogue(SECONDS, percent / 100), "auto")
            for percent in COVERAGES
        },
    )
    full = costs.pop("full")
    print("\nrender: auto against full, by the share of time with subtitles:\n")
    print("| subtitles | seconds | times as fast | by CPU time |\n|---|---|---|---|")
    print(f"| full | {full.wall:.1f} | 1.00 | 1.00 |")
    for percent, cost in costs.items():
        print(f"| {percent} % | {cost.wall:.1f} | {speed(full, cost)} |")
    return {
        **{f"smart_{percent}": full.wall / costs[str(percent)].wall for percent in (10, 30, 60)},
        **{f"smart_{percent}_cpu": full.cpu / costs[str(percent)].cpu for percent in (10, 30, 60)},
        "auto_worst": min(full.wall / cost.wall for cost in costs.values()),
        "auto_worst_cpu": min(full.cpu / cost.cpu for cost in costs.values()),
    }


def speed(base: Cost, cost: Cost) -> str:
    return f"{base.wall / cost.wall:.2f} | {base.cpu / cost.cpu:.2f}"


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print_load()
    with tempfile.TemporaryDirectory() as folder:
        burner = Burner(Path(folder))
        figures = compare_with_others(burner) | compare_smart(burner)
        figures |= measure_transfers(Path(folder))
    print_figures(figures)


if __name__ == "__main__":
    main()
