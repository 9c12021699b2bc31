"""One burn, from file to file, three ways: by the worker, by plain ffmpeg, by moviepy."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.clips import FFMPEG
from benchmarks.measure import Cost, run, wait_for_frames
from worker.media.burn import Way, burn
from worker.media.encoder import QUALITIES, X264, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.fonts import font_folders
from worker.media.probe import INPUT, probe
from worker.media.render import OUTPUT, SCRIPT
from worker.media.script.ass import write_script
from worker.media.style import Style
from worker.media.subtitles import read_subtitles

THREADS = os.cpu_count() or 1
QUALITY = QUALITIES["standard"]
PLAIN = (
    *(FFMPEG, "-v", "error", "-i", INPUT, "-vf", f"ass={SCRIPT}"),
    *("-c:v", "libx264", "-preset", QUALITY.preset, "-crf", str(QUALITY.crf)),
    *("-x264-params", QUALITY.params, "-pix_fmt", "yuv420p", "-c:a", "copy"),
    *("-threads", str(THREADS), "-movflags", "+faststart", OUTPUT),
)


class Burner:
    """Burns in ``folder``; ffmpeg has been found and fonts are cached, as in a running worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ffmpeg = asyncio.run(Ffmpeg.find(Path(FFMPEG), folder))
        self._fonts = {"FONTCONFIG_FILE": str(folder / "fontconfig" / "fonts.conf")}

    def worker(self, clip: Path, subtitles: str, way: Way = "full", threads: int = THREADS) -> Cost:
        """Probe, subtitles, render and checks, as ``pipeline`` does them.

        The poster is not in it: that is made beside the upload."""
        with self._job(clip) as job, _Watch() as watch:
            asyncio.run(self._burn(job, subtitles, way, threads))
        return watch.cost

    def plain(self, clip: Path, subtitles: str) -> Cost:
        """ffmpeg alone, with the worker's settings and the worker's ASS."""
        with self._job(clip) as job:
            self._script(job, subtitles)
            return run(PLAIN, job, self._fonts)

    def first_frame(self, clip: Path, subtitles: str) -> float:
        """Seconds until ffmpeg alone has encoded a frame."""
        with self._job(clip) as job:
            self._script(job, subtitles)
            started = time.perf_counter()
            process = subprocess.Popen(
                PLAIN, cwd=job, env=os.environ | self._fonts, stdin=subprocess.DEVNULL
            )
            wait_for_frames(lambda: [job / OUTPUT])
            seconds = time.perf_counter() - started
            process.kill()
            process.wait()
        return seconds

    def moviepy(self, clip: Path, subtitles: str) -> Cost:
        """A script as its documentation has it, with the same preset."""
        with self._job(clip) as job:
            (job / "subtitles.srt").write_text(subtitles)
            (job / "script.py").write_text(MOVIEPY)
            shutil.copy(clip, job / "in.mp4")
            return run([sys.executable, "script.py", _font(), QUALITY.preset, str(THREADS)], job)

    @contextmanager
    def _job(self, clip: Path) -> Iterator[Path]:
        job = self._folder / "job"
        job.mkdir()
        shutil.copy(clip, job / INPUT)
        yield job
        shutil.rmtree(job)

    def _script(self, job: Path, subtitles: str) -> None:
        script = write_script(read_subtitles(subtitles.encode()).cues, Style(), 1920, 1080)
        (job / SCRIPT).write_text(script)

    async def _burn(self, job: Path, subtitles: str, way: Way, threads: int) -> None:
        info = await probe(self._ffmpeg, job, 1 << 24)
        self._script(job, subtitles)
        await burn(
            self._ffmpeg,
            job,
            info,
            Encoding(X264, QUALITY, threads),
            way,
            max_duration=3600,
            max_seconds=3600,
            on_progress=lambda share: None,
        )


class _Watch:
    """Time, CPU and memory of a block of code with the processes that it starts: what this process
    grew by and what they hold, together, at the worst moment."""

    def __enter__(self) -> _Watch:
        self._done = threading.Event()
        self._idle = _resident(os.getpid())
        self._peak = 0
        self._cpu = _cpu_seconds()
        self._started = time.perf_counter()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        wall = time.perf_counter() - self._started
        self._done.set()
        self._thread.join()
        self.cost = Cost(wall, _cpu_seconds() - self._cpu, self._peak)

    def _look(self) -> None:
        while not self._done.wait(0.05):
            grown = max(0, _resident(os.getpid()) - self._idle)
            children = sum(map(_resident, _children(os.getpid())))
            self._peak = max(self._peak, grown + children)


def _cpu_seconds() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def _resident(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0  # it has just ended
    return pages * resource.getpagesize()


def _children(process: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        try:
            found += map(int, (thread / "children").read_text().split())
        except OSError:
            continue
    return found


def _font() -> str:
    return str(next(font for folder in font_folders() for font in folder.rglob("*.ttf")))


MOVIEPY = textwrap.dedent("""
    import re, sys
    from moviepy import CompositeVideoClip, TextClip, VideoFileClip
    font, preset, threads = sys.argv[1:]
    video = VideoFileClip("in.mp4")

    def seconds(time):
        parts = time.replace(",", ".").split(":")
        return sum(factor * float(part) for factor, part in zip((3600, 60, 1), parts))

    texts = []
    for block in open("subtitles.srt").read().strip().split("\\n\\n"):
        times, *lines = block.split("\\n")
        begin, end = map(seconds, times.split(" --> "))
        text = TextClip(font=font, text="\\n".join(lines), font_size=60, color="white",
                        stroke_color="black", stroke_width=3, text_align="center")
        text = text.with_start(begin).with_end(min(end, video.duration))
        texts.append(text.with_position(("center", 900)))
    CompositeVideoClip([video, *texts]).write_videofile(
        "out.mp4", codec="libx264", preset=preset, threads=int(threads), audio_codec="aac",
        ffmpeg_params=["-crf", "20"], logger=None)
""")
