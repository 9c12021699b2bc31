"""Clips with marks: a white flash, a beep and a cue at the same moment; and where they end up."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.clips import FFMPEG, ffmpeg, frame_times, gray_frames

AT = 1.0
"""Seconds at which the picture flashes, the sound beeps and the cue begins."""
CUE_END = 1.5
SECONDS = 2.0
RATE = 25
SRT = "00:00:01,000 --> 00:00:01,500\nWord\n"


def picture(size: str = "160x120", rate: str = str(RATE), seconds: float = SECONDS) -> list[str]:
    """A dark picture, white for two frames at ``AT``."""
    flash = f"color=c=0x202020:s={size}:r={rate}:d={seconds},drawbox=c=white:t=fill"
    return ["-f", "lavfi", "-i", f"{flash}:enable='gte(t,{AT}-0.001)*lt(t,{AT}+2/{RATE}-0.001)'"]


def sound(seconds: float = SECONDS, layout: str = "mono", rate: int = 48000) -> list[str]:
    """Silence, and a beep of 80 ms at ``AT``."""
    beep = f"'0.8*sin(2*PI*1000*t)*gte(t,{AT})*lt(t,{AT}+0.08)'"
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    expressions = "|".join([beep] * channels)
    return ["-f", "lavfi", "-i", f"aevalsrc={expressions}:c={layout}:s={rate}:d={seconds}"]


X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


@dataclass(frozen=True)
class Marks:
    """Where the marks are in a result, in seconds (None: there is none), and its frames' times."""

    flash: float | None
    beep: float | None
    text: tuple[float, float] | None
    times: list[float]


def find_marks(path: Path, width: int, height: int) -> Marks:
    """Look for the marks in a rendered file."""
    times, frames = frame_times(path), gray_frames(path, width, height)
    assert len(times) == len(frames)
    white = np.median(frames, axis=(1, 2)) > 150
    # White on dark, or the outline on white.
    text = np.where(white, frames.min(axis=(1, 2)) < 100, frames.max(axis=(1, 2)) > 180)
    flashes, texts = (np.array(times)[which] for which in (white, text))
    return Marks(
        flash=flashes[0] if len(flashes) else None,
        beep=_beep(path),
        text=(texts[0], texts[-1]) if len(texts) else None,
        times=times,
    )


def _beep(path: Path) -> float | None:
    rate = 48000
    if "Audio: " not in listing(path):
        return None
    raw = ffmpeg(
        "-copyts", "-i", path, "-map", "0:a:0", "-af", f"aresample={rate}:async=1:first_pts=0",
        "-ac", "1", "-f", "f32le", "pipe:1",
    )  # fmt: skip
    samples = np.frombuffer(raw, np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    return float(loud[0] / rate) if len(loud) else None


def listing(path: Path) -> str:
    """What ffmpeg says a file is."""
    command = [FFMPEG, "-hide_banner", "-i", path]
    return subprocess.run(command, capture_output=True, text=True).stderr
