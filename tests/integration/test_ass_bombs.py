"""Scripts that look dangerous, on the real ffmpeg: what is let through is drawn in bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.unit.subtitles.bombs import ALLOWED
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.options import Options
from worker.media.script.make import script_for
from worker.media.subtitles import read_subtitles


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Ffmpeg:
    return asyncio.run(Ffmpeg.find(None, tmp_path_factory.mktemp("ffmpeg")))


@pytest.mark.parametrize("name", ALLOWED)
async def test_what_is_let_through_is_drawn_within_bounds(
    program: Ffmpeg, tmp_path: Path, name: str
) -> None:
    script = script_for(read_subtitles(ALLOWED[name].encode()), Options(), 1280, 720)
    (tmp_path / "subtitles.ass").write_text(script)
    source = "color=black:s=1280x720:r=25:d=1"
    run = await program.run(
        ["-v", "error", "-f", "lavfi", "-i", source, "-vf", "ass=subtitles.ass", "-f", "null", "-"],
        tmp_path,
        Limits(memory=1 << 30, seconds=60),
    )
    assert run.returncode == 0, run.log
