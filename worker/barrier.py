"""Named points at which the fault tests hold a worker. In ordinary runs they do nothing.

With ``FAULT_POINTS`` set to a folder, a worker that comes to a point named like a file in there
says so (``<point>.reached``) and goes on when the file is gone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

POINTS = ("claim", "download", "render", "upload", "finish", "finished")
"""After the claim; when bytes have come; when ffmpeg has begun; with half of the objects stored;
before the outcome is written; after it."""


async def _pass(point: str) -> None:
    pass


def _held_by(folder: Path) -> Callable[[str], Awaitable[None]]:
    async def hold(point: str) -> None:
        gate = folder / point
        if gate.exists():
            (folder / f"{point}.reached").write_text(str(os.getpid()))
            while gate.exists():  # noqa: ASYNC110 (it is another process that removes it)
                await asyncio.sleep(0.01)

    return hold


reach = _held_by(Path(os.environ["FAULT_POINTS"])) if "FAULT_POINTS" in os.environ else _pass
