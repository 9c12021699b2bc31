"""make corpus DIR=…: every video with plain subtitles, every subtitle file with a plain video.

One line per file; the last line is JSON. Exit code 1 if anything crashed, got lost without a word,
or ended other than the folder's MANIFEST.tsv says (columns ``file`` and ``expected``, whose text
holds ``succeed`` or ``error`` or both).
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.corpus.bench import Bench, Result
from tests.corpus.losses import OF_TRACES, find_losses, find_unseen
from worker.media.ffmpeg import Limits
from worker.media.listing import read_listing
from worker.media.probe import OPEN_INPUT
from worker.ops.logs import configure_logging

SUBTITLES = {
    ".srt", ".vtt", ".webvtt", ".ass", ".ssa", ".sbv", ".json",
    ".sub", ".idx", ".sup", ".smi", ".sami", ".ttml", ".dfxp", ".lrc", ".stl", ".scc", ".mcc",
}  # fmt: skip
SECONDS_PER_JOB = 1800
NEITHER = {".tsv", ".csv", ".md", ".txt", ".yaml", ".yml", ".toml", ".py", ".html"}
CUES = "".join(
    f"{n + 1}\n00:00:{n:02},000 --> 00:00:{n:02},500\nSubtitle {n + 1}\n\n" for n in range(10)
)
NO_CUE = "1\n09:59:00,000 --> 09:59:01,000\nnever\n"
OPTIONS = {"style": {"size": 15}}


@dataclass
class Count:
    """The last line."""

    files: int = 0
    succeeded: int = 0
    failed_with_code: int = 0
    crashed: int = 0
    silent_loss: int = 0


class Corpus:
    """Runs the files of a folder."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self._bench = bench
        self._folder = folder
        self._video = folder / "plain.mp4"
        self._cues = folder / "plain.srt"
        self._no_cue = folder / "none.srt"
        self.count = Count()

    async def prepare(self) -> None:
        """Make the plain video, a minute long, and the plain subtitles."""
        self._cues.write_text(CUES)
        self._no_cue.write_text(NO_CUE)
        picture = "testsrc2=s=480x270:r=5:d=60,eq=brightness=-0.2"
        made = await self._bench.ffmpeg.run(
            [
                *("-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=60"),
                *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
                *("-c:a", "aac", f"file:{self._video.name}"),
            ],
            self._folder,
            Limits(),
        )
        assert made.returncode == 0, made.log

    async def run(self, file: Path) -> str:
        """Do one file and return its line."""
        is_subtitles = file.suffix.lower() in SUBTITLES
        video, subtitles = (self._video, file) if is_subtitles else (file, self._cues)
        result = await self._bench.run(video, subtitles, **OPTIONS)
        losses = await self._losses(video, subtitles, result) if result.output else []
        self._bench.forget()
        self.count.files += 1
        self.count.succeeded += result.output is not None
        self.count.crashed += result.crashed
        self.count.failed_with_code += result.code is not None and not result.crashed
        self.count.silent_loss += bool(losses)
        return await self._line(file, video, result, losses)

    async def _losses(self, video: Path, subtitles: Path, result: Result) -> list[str]:
        assert result.output
        losses = await find_losses(self._bench.ffmpeg, self._folder, video, subtitles, result)
        bare = await self._bench.run(video, self._no_cue, **OPTIONS)
        if not bare.output:
            return [*losses, f"without cues it fails: {bare.code}"]
        if not result.warnings & OF_TRACES:
            losses += await find_unseen(self._bench.ffmpeg, self._folder, subtitles, result, bare)
        return losses

    async def _line(self, file: Path, video: Path, result: Result, losses: list[str]) -> str:
        outcome = "crashed" if result.crashed else "failed" if result.code else "succeeded"
        told = [result.code or "", *sorted(result.warnings)]
        cues = result.info.get("cues", "-")
        length = f"{_seconds(await self._declared(video))} -> {_seconds(result.duration)}"
        lost = "".join(f"\n    LOST: {loss}" for loss in losses)
        detail = f"\n    {result.detail}" if result.crashed else ""
        codes = " ".join(filter(None, told)) or "-"
        return f"{outcome:<9}  {cues:>4} cues  {length:>20}  {file.name}  [{codes}]{lost}{detail}"

    async def _declared(self, video: Path) -> float | None:
        target = self._folder / "looked-at"
        target.write_bytes(video.read_bytes())
        run = await self._bench.ffmpeg.run(
            [*OPEN_INPUT, "-i", "file:looked-at"], self._folder, Limits()
        )
        return read_listing(run.log).duration


def _seconds(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f} s"


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder that may be a video or subtitles."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and file.suffix.lower() not in NEITHER and not file.name.startswith(".")
    )


def expectations(folder: Path) -> dict[Path, str]:
    """What MANIFEST.tsv says, by file; empty without one."""
    manifest = folder / "MANIFEST.tsv"
    if not manifest.exists():
        return {}
    with manifest.open(encoding="utf-8", newline="") as file:
        return {
            folder / row["file"]: row["expected"]
            for row in csv.DictReader(file, dialect="excel-tab")
        }


def disappoints(expected: str, result_line: str) -> bool:
    """Whether a line says something other than what was expected."""
    outcome = result_line.split()[0]
    return not (
        ("succeed" in expected and outcome == "succeeded")
        or ("error" in expected and outcome == "failed")
    )


async def main(folder: Path) -> int:
    expected = expectations(folder)
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        async with Bench.open(work, SECONDS_PER_JOB) as bench:
            corpus = Corpus(bench, work)
            await corpus.prepare()
            for file in files_in(folder):
                line = await corpus.run(file)
                print(line, flush=True)
                if file in expected and disappoints(expected[file], line):
                    wrong += 1
                    print(f"    EXPECTED: {expected[file]}")
    print(json.dumps(asdict(corpus.count)))
    return int(bool(corpus.count.crashed or corpus.count.silent_loss or wrong))


if __name__ == "__main__":
    configure_logging("error", "console")
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
