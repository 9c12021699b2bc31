"""What is burned: 1080p made of real footage, and dialogue that covers a part of its time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from benchmarks.footage import fetch_footage
from benchmarks.measure import CACHE

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
RATE = 24
LOOP = 4
"""Seconds of the animated film that a clip repeats: every part of it takes the same work."""
BLOCK = 20
WORDS = "Somebody says something here,\nand goes on."


def film(seconds: int, megabits: int = 5, size: str = "1920x1080") -> Path:
    """H.264 at 24 frames a second with a keyframe every 2 s, AAC sound, index in front; of so many
    Mbit/s."""
    path = CACHE / f"film-{seconds}s-{megabits}M-{size}.mp4"
    if not path.exists():
        loop = CACHE / f"loop-{megabits}M-{size}.mp4"
        if not loop.exists():
            _make_loop(loop, megabits, size)
        _ffmpeg(
            *("-stream_loop", seconds // LOOP - 1, "-i", loop, "-f", "lavfi", "-i", "sine"),
            *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-t", seconds),
            *("-movflags", "+faststart", path),
        )
    return path


def dialogue(seconds: int, coverage: float) -> str:
    """SRT: in every 20 seconds one conversation of 2-second lines that takes a share of them."""
    lines = []
    for block in range(0, seconds, BLOCK):
        begin, end = block + 3.0, min(block + 3.0 + coverage * BLOCK, seconds)
        while begin < end:
            until = min(begin + 2.0, end)
            lines.append(f"{_time(begin)} --> {_time(until)}\n{WORDS}")
            begin = until
    return "\n\n".join(lines) + "\n"


def _make_loop(path: Path, megabits: int, size: str) -> None:
    source = fetch_footage(CACHE / "footage")["animation"]
    partial = path.with_suffix(".part.mp4")
    _ffmpeg(
        *("-i", source, "-t", LOOP, "-vf", f"fps={RATE},scale={size},noise=alls=3:allf=t"),
        *("-an", "-c:v", "libx264", "-preset", "veryfast", "-b:v", f"{megabits}M"),
        *("-pix_fmt", "yuv420p", "-g", 2 * RATE, "-keyint_min", 2 * RATE, "-sc_threshold", 0),
        partial,
    )
    partial.rename(path)


def _ffmpeg(*arguments: object) -> None:
    subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True)


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"00:{int(minutes):02}:{rest:06.3f}".replace(".", ",")
