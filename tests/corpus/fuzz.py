"""make fuzz SECONDS=… [DIR=…] [SEED=…]: the whole media path on damaged videos and subtitles.

Every job must end in a result without silent loss or in a code, in time, and leave nothing behind:
no process, no file outside its folder. What does not goes to ``fuzz-out`` with the numbers that
make it anew. The last line is JSON; exit code 1 if anything was found.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.corpus.bench import SECONDS_PER_JOB, Bench, Result
from tests.corpus.losses import find_losses
from tests.corpus.mutate import mutate
from tests.corpus.seeds import make_seeds, read_seeds
from worker.ops.logs import configure_logging

OUT = Path("fuzz-out")
SLACK_SECONDS = 60
"""What a job may take besides its renders: probing, checking, the poster; on a busy machine."""
OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"render": "smart"}, {"render": "auto"}, {"audio_track": 1}, {"quality": "draft"},
)  # fmt: skip


@dataclass
class Found:
    """The last line."""

    seed: int
    runs: int = 0
    succeeded: int = 0
    failed_with_code: int = 0
    crashed: int = 0
    silent_loss: int = 0
    too_slow: int = 0
    orphans: int = 0
    files_outside: int = 0

    @property
    def anything(self) -> bool:
        return any(
            (self.crashed, self.silent_loss, self.too_slow, self.orphans, self.files_outside)
        )


class Fuzz:
    """Jobs on mutated files, one after the other."""

    def __init__(self, bench: Bench, root: Path, seed: int, corpus: Path | None) -> None:
        self._bench = bench
        self._root = root
        self._random = Random(seed)
        self._videos, self._subtitles = make_seeds(root)
        if corpus:
            videos, subtitles = read_seeds(corpus)
            self._videos += videos
            self._subtitles += subtitles
        self._input = root / "input"
        self._input.mkdir()
        self._checks = root / "checks"
        self._checks.mkdir()
        self._untouched = self._outside()
        self.found = Found(seed)

    async def run_once(self) -> None:
        """One job, and every check on what is left of it."""
        video, subtitles, options = self._next()
        started = time.monotonic()
        result = await self._bench.run(video, subtitles, **options)
        seconds = time.monotonic() - started
        self.found.runs += 1
        self.found.succeeded += result.output is not None
        self.found.failed_with_code += result.code is not None and not result.crashed
        problems = []
        if result.crashed:
            self.found.crashed += 1
            problems.append(f"{result.code}: {result.detail}")
        if seconds > SECONDS_PER_JOB + SLACK_SECONDS:
            self.found.too_slow += 1
            problems.append(f"took {seconds:.0f} s")
        if running := _processes_below(self._root):
            self.found.orphans += 1
            problems.append(f"left processes {running}")
        problems += await self._lost(video, subtitles, result)
        self._bench.forget()
        if self._outside() != self._untouched:
            self.found.files_outside += 1
            problems.append("touched files outside its folder")
            self._untouched = self._outside()
        if problems:
            self._keep(video, subtitles, options, problems)

    def _next(self) -> tuple[Path, Path, dict[str, Any]]:
        random = self._random
        video, other = random.choice(self._videos), random.choice(self._videos)
        text, other_text = random.choice(self._subtitles), random.choice(self._subtitles)
        which = random.choice(("video", "video", "subtitles", "both"))
        if which != "subtitles":
            video = mutate(random, video, other)
        if which != "video":
            text = mutate(random, text, other_text)
        files = (self._input / "video", self._input / "subtitles")
        for file, data in zip(files, (video, text), strict=True):
            file.write_bytes(data)
        self._untouched = self._outside()
        return *files, random.choice(OPTIONS)

    async def _lost(self, video: Path, subtitles: Path, result: Result) -> list[str]:
        if not result.output:
            return []
        losses = await find_losses(
            self._bench.ffmpeg, self._checks, video, subtitles, result, damaged=True
        )
        self.found.silent_loss += bool(losses)
        return [f"lost {loss}" for loss in losses]

    def _outside(self) -> dict[str, str]:
        """All files where jobs have no business, and what is in them."""
        own = (self._root / "renders", self._checks)
        return {
            str(file): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(self._root.rglob("*"))
            if file.is_file() and not any(file.is_relative_to(folder) for folder in own)
        }

    def _keep(
        self, video: Path, subtitles: Path, options: dict[str, Any], problems: list[str]
    ) -> None:
        OUT.mkdir(exist_ok=True)
        name = f"{self.found.seed}-{self.found.runs}"
        (OUT / f"{name}.video").write_bytes(video.read_bytes())
        (OUT / f"{name}.subtitles").write_bytes(subtitles.read_bytes())
        text = "\n".join([json.dumps(options), *problems])
        (OUT / f"{name}.txt").write_text(text + "\n")
        print(f"{name}: {text}", flush=True)


def _processes_below(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found


async def main(seconds: float, seed: int, corpus: Path | None) -> int:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        async with Bench.open(root) as bench:
            fuzz = Fuzz(bench, root, seed, corpus)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await fuzz.run_once()
    print(json.dumps(asdict(fuzz.found)))
    return int(fuzz.found.anything)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("make fuzz")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    configure_logging("error", "console")
    sys.exit(asyncio.run(main(arguments.seconds, arguments.seed, arguments.corpus)))
