"""How far ffmpeg is locked in: the levels, what it may reach at each, and the proof by trying.

The strongest level that holds is found once, at the start (see ``Ffmpeg.find``), and every run then
gets exactly that: ``confine`` runs nothing with less. Whatever the level, ffmpeg has limits of its
own, its own process group, no secret in its environment, and dies with the worker.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

Mode = Literal["require", "auto", "off"]
Level = Literal["full", "files", "network", "limits"]
LAYERS: dict[Level, tuple[str, ...]] = {
    "full": ("files", "calls"),
    "files": ("files",),
    "network": ("calls",),
    "limits": (),
}
"""From the strongest down. ``full``: its folder only, and no network; ``files``: its folder only
(a kernel without seccomp); ``network``: no network, no new processes (a kernel without Landlock,
before 5.13, or gVisor); ``limits``: rlimits alone (not Linux, or switched off)."""

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
DEVICES = ("/dev/null", "/dev/urandom")

Attempt = Callable[[Sequence[str]], Awaitable[bytes]]
"""Runs ffmpeg with these arguments and returns its standard output."""


def access(program: Path, fonts: Sequence[Path]) -> list[str]:
    """What ffmpeg may reach besides its folder, in the form that ``confine`` takes."""
    program = program.resolve()
    own_libraries = program.parent.parent / "lib"
    executed = [program, own_libraries, *map(Path, LIBRARIES)]
    read = [*fonts, *map(Path, DEVICES)]
    return [
        f"{right}:{path.resolve()}"
        for right, paths in (("x", executed), ("r", read))
        for path in paths
        if path.exists()
    ]


def found(patterns: Sequence[str]) -> list[str]:
    """What there is of files that a run may reach, in the form that ``confine`` takes: a right
    ("r" to read, "d" for a device) with a path, in which ``*`` may stand for any name."""
    root = Path("/")
    return [
        f"{pattern[:2]}{path}"
        for pattern in patterns
        for path in sorted(root.glob(pattern[2:].lstrip("/")))
    ]


async def find_holes(attempt: Attempt, folder: Path, level: Level) -> list[str]:
    """What ffmpeg, working in ``folder``, could do although ``level`` promises that it can't."""
    holes = []
    if "files" in LAYERS[level]:
        holes += await _files_reached(attempt, folder.parent)
    if "calls" in LAYERS[level]:
        holes += await _sockets_reached(attempt)
    return holes


async def _files_reached(attempt: Attempt, outside: Path) -> list[str]:
    secret, written = outside / "secret.raw", outside / "written.raw"
    secret.write_bytes(b"secret")
    holes = []
    if await attempt(["-f", "s8", "-i", f"file:{secret}", "-f", "s8", "pipe:1"]):
        holes.append("read a file outside its folder")
    await attempt([*SILENCE, f"file:{written}"])
    if written.exists():
        holes.append("wrote a file outside its folder")
    return holes


async def _sockets_reached(attempt: Attempt) -> list[str]:
    holes = []
    with ExitStack() as stack:
        # Not below the work folder: a Unix socket's path has room for about 100 characters.
        path = Path(stack.enter_context(TemporaryDirectory()), "socket")
        tcp, udp, unix = (
            stack.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
            )
        )
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(path))
        for listening in (tcp, unix):
            listening.listen()
        for name, listening, address in (
            ("TCP", tcp, f"tcp://127.0.0.1:{tcp.getsockname()[1]}"),
            ("UDP", udp, f"udp://127.0.0.1:{udp.getsockname()[1]}"),
            ("a Unix socket", unix, f"unix:{path}"),
        ):
            await attempt([*SILENCE, address])
            if _was_reached(listening):
                holes.append(f"reached {name}")
    return holes


SILENCE = ("-f", "lavfi", "-i", "anullsrc=d=0.01", "-f", "s8")


def _was_reached(listening: socket.socket) -> bool:
    listening.setblocking(False)
    try:
        if listening.type == socket.SOCK_DGRAM:
            listening.recv(1)
        else:
            listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True
