"""From claim to first frame, and what it brings that the render overlaps the download.

A video with its index at the end can't be read in order. So the same video with its index at the
end shows what it takes to download first and render then.
"""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path

from benchmarks.burns import Burner
from benchmarks.clips import FFMPEG, dialogue, film
from benchmarks.project import Project

SLOW = 5_000_000
"""Bytes per second."""
SECONDS, MEGABITS = 20, 12
BRIEF = 8
"""Seconds of the clip of which the first frame is waited for."""
ROUNDS = 2
WAITS = 5


def measure_transfers(folder: Path, burner: Burner) -> dict[str, float]:
    front, end = film(SECONDS, MEGABITS), folder / "end.mp4"
    _index_at_the_end(front, end)
    texts = dialogue(SECONDS, 0.6)
    figures = {}
    print(f"\nWhole jobs, {SECONDS} s of 1080p, {front.stat().st_size / 1e6:.0f} MB:\n")
    print("| link | download, then render | overlapped | gain |\n|---|---|---|---|")
    with Project(folder) as project:
        paths = {name: project.upload(path) for name, path in (("end", end), ("front", front))}
        for name, rate in (("5MBps", SLOW), ("unthrottled", None)):
            with project.worker(rate):
                seconds: dict[str, list[float]] = {name: [] for name in paths}
                for _ in range(ROUNDS):
                    for kind, path in paths.items():
                        seconds[kind].append(project.seconds(path, texts))
            then, overlapped = (statistics.median(seconds[kind]) for kind in ("end", "front"))
            figures[f"overlap_gain_{name}"] = then / overlapped
            print(f"| {name} | {then:.1f} s | {overlapped:.1f} s | {then / overlapped:.2f} |")
        with project.worker() as log:
            path = project.upload(film(BRIEF, MEGABITS))
            waits = [project.first_frame(path, texts, log) for _ in range(WAITS)]
            alone = [burner.first_frame(film(BRIEF, MEGABITS), texts) for _ in waits]
    figures["claim_to_first_frame_s"] = statistics.median(waits)
    figures["ffmpeg_to_first_frame_s"] = statistics.median(alone)
    print(f"\nFrom claim to first frame: {statistics.median(waits):.2f} s;", end=" ")
    print(f"ffmpeg alone, from its start: {statistics.median(alone):.2f} s")
    return figures


def _index_at_the_end(source: Path, target: Path) -> None:
    command = [FFMPEG, "-v", "error", "-i", str(source), "-c", "copy", str(target)]
    subprocess.run(command, check=True)
