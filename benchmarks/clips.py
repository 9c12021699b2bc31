"""What is burned: a minute of 1080p made of real footage, and dialogue that covers a part of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from benchmarks.footage import fetch_footage
from benchmarks.measure import CACHE

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
RATE = 24
LOOP = 20
"""Seconds of different pictures; a clip repeats them."""
PARTS = (("street", 0, 10), ("animation", 0, 5), ("globe", 4, 5))
"""Footage, first second, seconds."""
WORDS = "Somebody says something here,\nand goes on."


def film(seconds: int) -> Path:
    """H.264 at 1080p24 with a keyframe every 2 s, 3 to 4 Mbit/s, AAC sound, index in front."""
    path = CACHE / f"film-{seconds}.mp4"
    if not path.exists():
        loop = CACHE / "loop.mp4"
        if not loop.exists():
            _make_loop(loop)
        _ffmpeg(
            *("-stream_loop", seconds // LOOP - 1, "-i", loop, "-t", seconds, "-c", "copy"),
            *("-movflags", "+faststart", path),
        )
    return path


def dialogue(seconds: int, coverage: float) -> str:
    """SRT: in every 20 seconds one conversation of 2-second lines that takes a share of them."""
    lines = []
    for block in range(0, seconds, LOOP):
        begin, end = block + 3.0, block + 3.0 + coverage * LOOP
        while begin < min(end, seconds):
            until = min(begin + 2.0, end)
            lines.append(f"{_time(begin)} --> {_time(until)}\n{WORDS}")
            begin = until
    return "\n\n".join(lines) + "\n"


def _make_loop(path: Path) -> None:
    footage = fetch_footage(CACHE / "footage")
    inputs: list[object] = []
    chains = []
    for number, (kind, start, seconds) in enumerate(PARTS):
        inputs += ["-ss", start, "-i", footage[kind]]
        chains.append(
            f"[{number}:v]scale=1920:1080,setsar=1,fps={RATE},trim=0:{seconds}[part{number}]"
        )
    parts = "".join(f"[part{number}]" for number in range(len(PARTS)))
    joined = f"{parts}concat=n={len(PARTS)},noise=alls=3:allf=t,format=yuv420p[v]"
    partial = path.with_suffix(".part.mp4")
    _ffmpeg(
        *(*inputs, "-f", "lavfi", "-i", f"sine=d={LOOP}", "-filter_complex"),
        ";".join([*chains, joined]),
        *("-map", "[v]", "-map", f"{len(PARTS)}:a", "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", 21, "-g", 2 * RATE, "-keyint_min", 2 * RATE, "-sc_threshold", 0),
        *("-c:a", "aac", "-t", LOOP, partial),
    )
    partial.rename(path)


def _ffmpeg(*arguments: object) -> None:
    subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True)


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"00:{int(minutes):02}:{rest:06.3f}".replace(".", ",")
