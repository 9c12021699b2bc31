"""A Chromium that plays files."""

from __future__ import annotations

import asyncio
import http.server
import re
import shutil
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.conftest import absent
from worker.media.ffmpeg import Ffmpeg

T = TypeVar("T")
WIDTH, HEIGHT = 96, 54
"""What player.html scales pictures to."""

PAGE = Path(__file__).with_name("player.html")


@dataclass
class Shown:
    """A frame on the screen: its own time in the file, and its pixels (height, width, RGB)."""

    time: float
    pixels: npt.NDArray[np.uint8]


class Player:
    """One <video> element."""

    def __init__(self, page: Page, folder: Path, address: str) -> None:
        self._page = page
        self._folder = folder
        self._numbers = count()
        page.goto(address)

    def load(self, path: Path) -> dict[str, float]:
        """Duration, width and height. Fails when it can't be played."""
        name = f"{next(self._numbers)}.mp4"  # a browser takes what has the same name for the same
        shutil.copy(path, self._folder / name)
        facts: dict[str, float] = self._page.evaluate("source => load(source)", f"/{name}")
        return facts

    def seek(self, frame_time: float) -> Shown:
        """Seek into the frame of that time, and see what is shown."""
        times = [frame_time + 0.01, frame_time]
        shown: dict[str, Any] = self._page.evaluate("times => seek(...times)", times)
        pixels = np.array(shown["pixels"], np.uint8).reshape(HEIGHT, WIDTH, 3)
        return Shown(shown["mediaTime"], pixels)

    def play(self) -> list[float]:
        """Play to the end, four times as fast; the times of the frames that were shown."""
        times: list[float] = self._page.evaluate("play()")
        return times


def aside(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread: in this one Playwright has its own loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Ffmpeg:
    return aside(Ffmpeg.find(None, tmp_path_factory.mktemp("ffmpeg")))


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        absent("there is no Chromium (apt install chromium)")
    return found


@pytest.fixture(scope="module")
def player(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    folder = tmp_path_factory.mktemp("played")
    with Files.serving(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
        )
        yield Player(browser.new_page(), folder, address)
        browser.close()


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with ranges, which seeking needs, and the page at /."""

    protocol_version = "HTTP/1.1"

    @classmethod
    def serving(cls, folder: Path) -> Serving:
        return Serving(folder)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/":
            return self._answer(200, "text/html", PAGE.read_bytes())
        file = Path(self.directory, self.path[1:])
        if not file.exists():
            return self._answer(404, "text/plain", b"")
        data = file.read_bytes()
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return self._answer(200, "video/mp4", data)
        first = int(asked[1])
        last = int(asked[2]) if asked[2] else len(data) - 1
        span = f"bytes {first}-{last}/{len(data)}"
        return self._answer(206, "video/mp4", data[first : last + 1], span)

    def _answer(self, status: int, kind: str, body: bytes, span: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the browser has what it wanted


class Serving:
    """The server while it runs."""

    def __init__(self, folder: Path) -> None:
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *a: Files(*a, directory=str(folder))
        )

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
