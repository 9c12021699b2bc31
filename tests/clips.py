"""Test media, made with ffmpeg, and how to look at the frames of a result."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
WIDTH, HEIGHT, RATE = 320, 240, 25

Frames = npt.NDArray[np.uint8]


def ffmpeg(*arguments: str | Path, cwd: Path | None = None) -> bytes:
    """Run ffmpeg and return its standard output; fails the test when it fails."""
    done = subprocess.run(
        [FFMPEG, "-nostdin", "-v", "error", "-y", *map(str, arguments)],
        capture_output=True,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class Clip:
    """What to make: a dark picture in which a box moves, and a tone. Bright pixels are text."""

    seconds: float = 4.0
    size: str = f"{WIDTH}x{HEIGHT}"
    rate: int = RATE
    audio: str | None = "aac"
    video: tuple[str, ...] = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    filters: str = "null"

    def make(self, path: Path, *more: str) -> Path:
        picture = (
            f"color=c=0x202020:s={self.size}:r={self.rate}:d={self.seconds}[back];"
            f"color=c=0x505050:s=16x16:r={self.rate}:d={self.seconds}[box];"
            "[back][box]overlay=format=yuv420:x='mod(n*4,W)':y=4,format=yuv420p"
        )
        tone = f"sine=frequency=440:duration={self.seconds}:sample_rate=44100"
        sound = ["-f", "lavfi", "-i", tone] if self.audio else []
        codec = ["-c:a", self.audio] if self.audio else []
        ffmpeg(
            "-f", "lavfi", "-i", picture, *sound, "-vf", self.filters,
            *self.video, *codec, *more, path,
        )  # fmt: skip
        return path


def gray_frames(path: Path, width: int, height: int) -> Frames:
    """Every frame as brightness, shape (frames, height, width)."""
    raw = ffmpeg(
        "-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width)


def frame_times(path: Path, stream: str = "0:v:0") -> list[float]:
    """The presentation time of every packet of a stream, in seconds, in order."""
    text = ffmpeg(
        "-copyts", "-i", path, "-map", stream, "-c", "copy", "-f", "framecrc", "pipe:1"
    ).decode()
    base = next(line for line in text.splitlines() if line.startswith("#tb 0:")).split()[-1]
    numerator, denominator = map(int, base.split("/"))
    return sorted(
        int(line.split(",")[2]) * numerator / denominator
        for line in text.splitlines()
        if not line.startswith("#")
    )


def packets_digest(path: Path, stream: str) -> str:
    """A digest over the packets of a stream: equal if and only if it was copied bit for bit."""
    return ffmpeg("-i", path, "-map", stream, "-c", "copy", "-f", "md5", "pipe:1").decode()


def shows_text(frames: Frames) -> npt.NDArray[np.bool_]:
    """For every frame, whether there is text on it (pixels brighter than anything in a clip)."""
    return np.asarray(frames.reshape(len(frames), -1).max(axis=1) > 180)
