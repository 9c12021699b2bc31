"""Running the confined child, and reading lists of packets: what laying out and joining share."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.packets import Packets, read_packets
from worker.media.segments.child import PACKETS, REQUEST, VERDICT
from worker.media.segments.plan import Unfit

CHILD = "worker.media.segments.child"
ERRORS = ("[error]", "[fatal]", "[panic]")
"""How ffmpeg marks lines of its log (``-v level+…``) that are not mere warnings."""


async def run_child(
    ffmpeg: Ffmpeg, folder: Path, limits: Limits, step: str, request: dict[str, Any]
) -> dict[str, Any]:
    """A step of ``child``, and its verdict. Raises ``Unfit``."""
    (folder / REQUEST).write_text(json.dumps(request))
    run = await ffmpeg.run_python(CHILD, step, folder, limits)
    if run.returncode:
        raise Unfit("failed", run.log[-2000:])
    verdict: dict[str, Any] = json.loads((folder / VERDICT).read_text())
    if "reason" in verdict:
        raise Unfit(**verdict)
    return verdict


async def list_packets(ffmpeg: Ffmpeg, folder: Path, name: str) -> dict[str, Packets]:
    """The packets of a file of ours, at the times that it says. Raises ``Unfit``."""
    listing = ["-v", "error", "-copyts", "-i", f"file:{name}", "-map", "0", "-c", "copy"]
    run = await ffmpeg.run([*listing, "-f", "framecrc", f"file:{PACKETS}"], folder, Limits())
    if run.returncode or run.log:
        raise Unfit("failed", run.log[-2000:])
    return await asyncio.to_thread(read_packets, folder / PACKETS)


def digest(packets: Packets, begin: int = 0, end: int | None = None) -> str:
    """Over the times, sizes and checksums of some packets: SHA-256 in hex."""
    columns: Sequence[Sequence[int]] = (packets.pts, packets.sizes, packets.checksums)
    lines = zip(*(column[begin:end] for column in columns), strict=True)
    text = "\n".join(f"{time},{size},{checksum}" for time, size, checksum in lines)
    return hashlib.sha256(text.encode()).hexdigest()
