"""A real worker behind a slow or broken link: it renders while the video comes in, and whatever
happens to the link, the result is that of the complete file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Project, User
from tests.clips import Clip
from tests.proxy import Fault, Proxy, proxy

RATE = 2_000_000
"""Bytes per second."""


@pytest.fixture
def link(project: Project) -> Iterator[Proxy]:
    """A link to the project, in a thread of its own."""
    opened: list[Proxy] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with proxy(project.stack.url) as started:
            opened.append(started)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    ready.wait(10)
    yield opened[0]
    done.set()
    thread.join()


def grainy(seconds: float) -> Clip:
    """2 Mbit/s."""
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "2M", "-pix_fmt", "yuv420p")
    return Clip(seconds, size="640x480", filters="noise=alls=20:allf=t", video=codec)


@pytest.fixture(scope="session")
def large_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several MB, with its index in front."""
    path = tmp_path_factory.mktemp("large") / "clip.mp4"
    return grainy(20).make(path, "-movflags", "+faststart")


def test_on_a_slow_link_the_render_is_done_when_the_video_is_there(
    project: Project, user: User, large_clip: Path, link: Proxy
) -> None:
    link.rate = RATE
    worker = project.start_worker(SUPABASE_URL=link.address, LOG_LEVEL="debug")
    row = user.wait(user.send(large_clip))
    assert row["status"] == "completed", row
    assert row["output_info"]["frames"] == 500
    assert worker.logged("overlap.rendered")
    shown = [event["stage"] for event in user.history(row["id"])]
    assert "probe" not in shown


def test_a_broken_connection_does_not_disturb_a_render_under_way(
    project: Project, user: User, large_clip: Path, link: Proxy
) -> None:
    worker = project.start_worker(SUPABASE_URL=link.address, LOG_LEVEL="debug")
    size = large_clip.stat().st_size
    # Only what is larger than a question and its answer is cut: the download, three times.
    link.faults = [Fault(received=size // 3) for _ in range(20)]
    row = user.wait(user.send(large_clip))
    assert row["status"] == "completed", row
    assert (row["attempt"], row["output_info"]["frames"]) == (1, 500)
    assert worker.logged("overlap.rendered")


def test_with_its_index_at_the_end_a_video_is_rendered_when_it_is_complete(
    project: Project, user: User, link: Proxy
) -> None:
    link.rate = RATE
    path = grainy(8).make(project.folder / "clip.mp4")
    worker = project.start_worker(SUPABASE_URL=link.address, LOG_LEVEL="debug")
    row = user.wait(user.send(path))
    assert row["status"] == "completed", row
    assert row["output_info"]["frames"] == 200
    assert not worker.logged("overlap.rendered")


def test_a_truncated_video_fails_with_its_own_error(
    project: Project, user: User, large_clip: Path, link: Proxy
) -> None:
    link.rate = RATE
    worker = project.start_worker(SUPABASE_URL=link.address, LOG_LEVEL="debug")
    data = large_clip.read_bytes()
    row = user.wait(user.send(data[: len(data) // 2]))
    assert (row["status"], row["error_code"]) == ("failed", "video_truncated")
    assert worker.logged("overlap.abandoned")
