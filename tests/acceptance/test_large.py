"""More than a gigabyte in and out. Left out of a plain run: `make test ARGS="-m large"`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import SRT, Project, User
from tests.clips import ffmpeg

GIGABYTE = 1_000_000_000
MEMORY_MB = 200


def noise(path: Path, seconds: int) -> Path:
    """Video that no encoder can make small."""
    picture = f"color=gray:s=1280x720:r=25:d={seconds},noise=alls=100:allf=t+u"
    tone = f"sine=d={seconds}"
    ffmpeg(
        "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-c:v", "mjpeg", "-q:v", "2",
        "-c:a", "aac", path,
    )  # fmt: skip
    return path


def peak_memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    return int(peak.group(1)) / 1024


@pytest.mark.large
@pytest.mark.timeout(900)
def test_a_gigabyte_in_and_out_passes_with_the_workers_memory_flat(
    project: Project, user: User, tmp_path: Path
) -> None:
    video = noise(tmp_path / "noise.mov", 90)
    assert video.stat().st_size > GIGABYTE
    worker = project.start_worker()
    row = user.wait(user.send(video, SRT), seconds=800)
    assert row["status"] == "completed", row
    assert row["output_info"]["size_bytes"] > GIGABYTE
    peak = peak_memory_mb(worker.process.pid)
    print(f"worker's peak memory: {peak:.0f} MB")
    assert peak < MEMORY_MB
