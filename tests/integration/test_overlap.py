"""Rendering a video that is still coming in: what a pipe can carry, and what it must not."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from tests.clips import Clip, packets_digest
from tests.integration.test_smart import CLIP, SRT, frame_digests
from tests.rendering import MAX_PIXELS, burn
from worker.arriving import ArrivingFile, InterruptedFileError
from worker.errors import JobError
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import INPUT, probe
from worker.media.render import OUTPUT, Rendered

FRONT = ("-movflags", "+faststart")


async def burn_arriving(
    program: Ffmpeg, folder: Path, arriving: ArrivingFile, under_way: asyncio.Event
) -> Rendered:
    """``under_way`` happens with the first frames."""
    fed = program.fed_with(INPUT, arriving.pieces)
    _, rendered = await burn(
        fed, folder, SRT, on_progress=lambda share: under_way.set() if share > 0 else None
    )
    return rendered


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.webm"])
async def test_frames_are_encoded_before_the_video_is_complete_and_are_the_same(
    program: Ffmpeg, tmp_path: Path, name: str
) -> None:
    clip = CLIP if name != "x.webm" else Clip(8, audio="libopus", video=("-c:v", "libvpx"))
    more = FRONT if name == "x.mp4" else ()
    data = clip.make(tmp_path / name, *more).read_bytes()
    arriving = ArrivingFile(tmp_path / INPUT, len(data))
    under_way = asyncio.Event()
    (tmp_path / INPUT).write_bytes(data[: len(data) * 3 // 4])
    arriving.reach(len(data) * 3 // 4)
    burning = asyncio.create_task(burn_arriving(program, tmp_path, arriving, under_way))
    async with asyncio.timeout(30):
        await under_way.wait()
    assert not burning.done()
    (tmp_path / INPUT).write_bytes(data)
    arriving.reach(len(data))
    early = await burning
    (tmp_path / OUTPUT).rename(tmp_path / "early.mp4")

    whole = await burn_arriving(program, tmp_path, arriving, asyncio.Event())
    assert early == whole
    assert frame_digests(tmp_path / "early.mp4") == frame_digests(tmp_path / OUTPUT)
    sound = [packets_digest(tmp_path / name, "0:a:0") for name in ("early.mp4", OUTPUT)]
    assert sound[0] == sound[1]


async def test_an_index_at_the_end_can_not_be_read_in_order(
    program: Ffmpeg, tmp_path: Path
) -> None:
    CLIP.make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    arriving = ArrivingFile(tmp_path / INPUT, (tmp_path / INPUT).stat().st_size)
    arriving.reach((tmp_path / INPUT).stat().st_size)
    with pytest.raises(JobError) as raised:
        await burn_arriving(program, tmp_path, arriving, asyncio.Event())
    assert raised.value.code == "invalid_video"


async def test_a_file_that_is_begun_anew_ends_the_render_without_a_result(
    program: Ffmpeg, tmp_path: Path
) -> None:
    data = CLIP.make(tmp_path / INPUT, "-f", "mp4", *FRONT).read_bytes()
    arriving = ArrivingFile(tmp_path / INPUT, len(data))
    arriving.reach(len(data) * 3 // 4)
    under_way = asyncio.Event()
    burning = asyncio.create_task(burn_arriving(program, tmp_path, arriving, under_way))
    async with asyncio.timeout(30):
        await under_way.wait()
    arriving.reach(10)
    with pytest.raises(InterruptedFileError):
        await burning


async def test_a_program_that_has_read_enough_of_it_is_not_a_failure(
    program: Ffmpeg, tmp_path: Path
) -> None:
    """A probe reads the beginning only; nothing complains about the rest, also not later."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    data = Clip(60, size="640x480").make(tmp_path / INPUT, "-f", "mp4", *FRONT).read_bytes()
    arriving = ArrivingFile(tmp_path / INPUT, len(data))
    arriving.reach(len(data) // 2)
    info = await probe(program.fed_with(INPUT, arriving.pieces), tmp_path, MAX_PIXELS)
    assert info.duration == pytest.approx(60, abs=0.1)
    gc.collect()
    assert complaints == []
