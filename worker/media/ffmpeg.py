"""Runs ffmpeg: found, checked, confined, watched, and gone when the work stops."""

from __future__ import annotations

import asyncio
import copy
import os
import re
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import structlog

from worker.barrier import reach
from worker.errors import ConfigurationError, JobError, span
from worker.media import confine
from worker.media.fonts import font_folders, write_fontconfig
from worker.media.sandbox import LAYERS, Level, Mode, access, find_holes, found

log = structlog.get_logger()

PACKAGE = Path(__file__).parents[1]
START = Path(__file__).with_name("start.py")
KEPT_LINES = 1000
"""Of a log, at its beginning and at its end."""
LONGEST_LINE = 400
STALL_SECONDS = 120.0
"""Without any progress for this long, ffmpeg hangs."""
SLOWEST_DISK = 10_000_000
"""Bytes per second at which a file is at least read or moved on."""
NO_SPACE = "No space left on device"
"""What ffmpeg says, and Python."""
CORRUPT_FRAME = "] corrupt decoded frame"
MISSING_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")

Progress = Callable[["Position"], None]
Pieces = Callable[[], AsyncIterator[bytes]]
"""Gives a file from its beginning, every time it is called."""


@dataclass(frozen=True)
class Limits:
    """What one run may use: memory and largest file in bytes, wall time in seconds, and what it may
    reach besides its folder, program and fonts, as patterns for ``sandbox.found``."""

    memory: int = 4 << 30
    file_size: int = 1 << 30
    seconds: float = 120.0
    reach: tuple[str, ...] = ()

    def as_argument(self) -> str:
        cpu = int(self.seconds * (os.cpu_count() or 1)) + 1
        return f"AS={self.memory},FSIZE={self.file_size},CPU={cpu},NOFILE=256,CORE=0"


def reading(file: Path) -> Limits:
    """To go through a file once, however long it is."""
    return Limits(seconds=Limits.seconds + file.stat().st_size / SLOWEST_DISK)


@dataclass
class Position:
    """How far ffmpeg has come: frames written, seconds and bytes of output."""

    frame: int = 0
    seconds: float = 0.0
    size: int = 0


@dataclass
class Run:
    """A finished run: exit code (negative: killed by that signal), what it wrote to stdout, the
    first and the last lines of its log, how far it came, the code points that no font could draw,
    and how many frames the decoder could only guess in part."""

    returncode: int = 0
    stdout: bytes = b""
    first_lines: list[str] = field(default_factory=list)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    position: Position = field(default_factory=Position)
    missing_glyphs: set[int] = field(default_factory=set)
    corrupt_frames: int = 0

    @property
    def log(self) -> str:
        return "\n".join([*self.first_lines, *self.last_lines])

    def note(self, line: str) -> None:
        """Keep a line of the log, cut short."""
        beginning = len(self.first_lines) < KEPT_LINES
        (self.first_lines if beginning else self.last_lines).append(line[:LONGEST_LINE])


class Ffmpeg:
    """One ffmpeg program with its fonts, locked in as ``level`` says. Made by ``Ffmpeg.find``."""

    def __init__(
        self, path: Path, fontconfig: Path, level: Level = "limits", access: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.level = level
        self._fontconfig = fontconfig
        self._access = access
        self._arriving: tuple[str, Pieces] | None = None

    def fed_with(self, name: str, pieces: Pieces) -> Ffmpeg:
        """The same program, for a folder in which the file ``name`` is not complete yet: what a
        run reads as ``file:name`` it is given through a pipe, from the beginning, as it comes.
        Only formats that can be read in order work then."""
        fed = copy.copy(self)
        fed._arriving = (name, pieces)
        return fed

    @classmethod
    async def find(
        cls,
        path: Path | None,
        folder: Path,
        font_dirs: Sequence[Path] = (),
        sandbox: Mode = "auto",
    ) -> Ffmpeg:
        """The program at ``path``, else the one on PATH, else the one that came with us: the first
        that really burns a subtitle, at the strongest level of the sandbox at which it still does.
        ``folder`` is for the font cache and for trying.

        Raises ``ConfigurationError`` with what is wrong with each, or with the sandbox when it is
        required.
        """
        fontconfig = write_fontconfig(folder / "fontconfig", font_dirs)
        on_path = shutil.which("ffmpeg")
        candidates = [path] if path else [*([Path(on_path)] if on_path else []), _bundled()]
        reasons = []
        for candidate in candidates:
            reachable = access(candidate, [fontconfig.parent, *font_folders(font_dirs)])
            ffmpeg = cls(candidate, fontconfig, access=reachable)
            if not (reason := await ffmpeg.self_test(folder)):
                return await ffmpeg._locked_in(folder, sandbox)
            log.info("ffmpeg.unfit", path=str(candidate), reason=reason)
            reasons.append(f"{candidate}: {reason}")
        raise ConfigurationError(
            "No usable ffmpeg. It must be 6.1 or newer, with libass and libx264, and find a font "
            "(pip install 'supabase-video-worker[fonts]').\n" + "\n".join(reasons)
        )

    async def _locked_in(self, folder: Path, mode: Mode) -> Ffmpeg:
        """The same program at the strongest level that holds and at which it still works."""
        if mode == "off":
            log.warning("sandbox.off", sandbox=self.level)
            return self
        failures: dict[str, str] = {}
        for level in LAYERS:
            ffmpeg = Ffmpeg(self.path, self._fontconfig, level, self._access)
            reason = await ffmpeg.self_test(folder) or await ffmpeg._test_sandbox(folder)
            if not reason:
                break
            failures[level] = reason
        if not failures:
            return ffmpeg
        if mode == "require":
            raise ConfigurationError(
                f"WORKER_SANDBOX=require, but ffmpeg can't be locked in here: {failures['full']}. "
                "It takes Linux 5.13 or newer with Landlock and seccomp (docs/sandbox.md)."
            )
        log.warning("sandbox.degraded", sandbox=ffmpeg.level, failures=failures)
        return ffmpeg

    async def _test_sandbox(self, folder: Path) -> str | None:
        """Try to get out; returns what was possible."""

        async def attempt(arguments: Sequence[str]) -> bytes:
            return (await self.run(arguments, inside, Limits())).stdout

        with TemporaryDirectory(dir=folder) as outside:
            inside = Path(outside, "inside")
            inside.mkdir()
            return ", ".join(await find_holes(attempt, inside, self.level)) or None

    async def self_test(self, folder: Path) -> str | None:
        """Burn a word into black frames and look for bright pixels; returns what is wrong.

        It also fills the font cache, which must be done with the very program that will use it.
        """
        (folder / "self-test.ass").write_text(
            "[Script Info]\nPlayResX: 320\nPlayResY: 180\n[V4+ Styles]\n"
            "Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\n"
            "Style: Default,Noto Sans,60,&H00FFFFFF,5\n[Events]\n"
            "Format: Start, End, Style, Text\nDialogue: 0:00:00.00,0:00:09.00,Default,Word\n"
        )
        black = "color=black:s=320x180:d=0.1:r=10"
        source = ["-f", "lavfi", "-i", black, "-vf", "ass=self-test.ass"]
        encode = ["-c:v", "libx264", "-enc_time_base", "demux", "-f", "null", "-"]
        picture = ["-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
        if not self.path.is_file():
            return "there is no such file"
        try:
            drawn = await self.run([*source, *picture], folder, Limits())
            encoded = await self.run([*source, *encode], folder, Limits())
        except (JobError, OSError) as error:
            return str(error)
        for run in (drawn, encoded):
            if run.returncode:
                return run.log or f"exit code {run.returncode}"
        return None if max(drawn.stdout, default=0) > 128 else "it draws no text: no font was found"

    async def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        limits: Limits,
        *,
        on_progress: Progress | None = None,
    ) -> Run:
        """Run ffmpeg in ``folder`` with ``arguments``.

        With ``on_progress``, progress is reported about twice a second; without, stdout is kept, so
        it must be small. When this is cancelled or a limit is passed, the process group is killed.
        Raises ``JobError``: ``render_timeout``, ``render_stalled``, ``render_killed``,
        ``disk_full``, and ``internal_error`` when it could not be locked in as ``level`` says.
        """
        progress = ["-progress", "pipe:1", "-stats_period", "0.5"] if on_progress else []
        pieces = None
        if self._arriving and f"file:{self._arriving[0]}" in arguments:
            name, pieces = self._arriving
            arguments = list(arguments)
            arguments[arguments.index("-protocol_whitelist") + 1] = "pipe"
            arguments[arguments.index(f"file:{name}")] = "pipe:0"
        command = [str(self.path), "-nostdin", "-hide_banner", "-y", *progress, *arguments]
        return await self._run(command, self._access, folder, limits, on_progress, pieces)

    async def run_python(
        self,
        module: str,
        step: str,
        folder: Path,
        limits: Limits,
        pieces: Pieces | None = None,
    ) -> Run:
        """Run ``main`` of a module of ours on what users sent, locked in as ffmpeg is, with
        ``pieces`` as its standard input; it may read this package and needs the standard library
        only. Raises as ``run`` does, and what ``pieces`` raises."""
        python = Path(sys.executable).resolve()
        command = [str(python), "-I", "-S", str(START), module, step]
        reachable = access(python, [PACKAGE])
        return await self._run(command, reachable, folder, limits, None, pieces)

    async def _run(
        self,
        command: Sequence[str],
        reachable: Sequence[str],
        folder: Path,
        limits: Limits,
        on_progress: Progress | None,
        pieces: Pieces | None = None,
    ) -> Run:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", confine.__file__, str(os.getpid()), limits.as_argument(),
            ",".join(LAYERS[self.level]), f"w:{folder.resolve()}", *reachable,
            *found(limits.reach), "--", *command,
            cwd=folder,
            env=self._environment(folder),
            stdin=asyncio.subprocess.PIPE if pieces else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        assert process.stdout
        assert process.stderr
        run = Run()
        log_reader = asyncio.create_task(_read_log(process.stderr, run))
        feeder = asyncio.create_task(_feed(process, pieces))
        try:
            async with asyncio.timeout(limits.seconds):
                if on_progress:
                    await _read_progress(process.stdout, run, on_progress)
                else:
                    run.stdout = await process.stdout.read()
                await log_reader
                run.returncode = await process.wait()
        except TimeoutError as error:
            raise JobError("render_timeout", run.log, limit=span(limits.seconds)) from error
        finally:
            log_reader.cancel()
            feeder.cancel()
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            await asyncio.wait({feeder})
            if process.stdin:
                # Debian 12's Python logs a broken pipe that nobody asked for.
                with suppress(ConnectionError):
                    await process.stdin.wait_closed()
        if not feeder.cancelled() and (failure := feeder.exception()):
            raise failure
        if run.returncode == -signal.SIGKILL:
            raise JobError("render_killed", run.log)
        if run.returncode == confine.FAILED and run.log.startswith("confine: "):
            raise JobError("internal_error", run.log)
        if run.returncode and NO_SPACE in run.log:
            raise JobError("disk_full", run.log[-2000:])
        return run

    def _environment(self, folder: Path) -> dict[str, str]:
        """What ffmpeg may know: no secret is in its environment."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            "FONTCONFIG_FILE": str(self._fontconfig),
        }


def _bundled() -> Path:
    return Path(imageio_ffmpeg.get_ffmpeg_exe())


async def _feed(process: asyncio.subprocess.Process, pieces: Pieces | None) -> None:
    """Write all of the input into the process, or until it has read enough."""
    if pieces is None:
        return
    assert process.stdin
    try:
        async for piece in pieces():
            process.stdin.write(piece)
            await process.stdin.drain()
    except ConnectionError:
        return
    except Exception:
        # Without the rest it would take what there is for the whole.
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        process.stdin.close()


async def _read_log(stream: asyncio.StreamReader, run: Run) -> None:
    """Keep the first and the last lines, cut short; note glyphs that libass had no font for and
    frames that are damaged. The log must not be one that counts repeated lines (``-v repeat+…``).
    """
    rest = ""
    while data := await stream.read(65536):
        *lines, rest = (rest + data.decode("utf-8", "replace")).split("\n")
        rest = rest[-LONGEST_LINE:]
        for line in lines:
            if glyph := MISSING_GLYPH.search(line):
                run.missing_glyphs.add(int(glyph.group(1), 16))
            elif CORRUPT_FRAME in line:
                run.corrupt_frames += 1
            else:
                run.note(line)
    if rest:
        run.note(rest)


async def _read_progress(stream: asyncio.StreamReader, run: Run, on_progress: Progress) -> None:
    """Follow ``-progress`` until the end. Raises ``render_stalled`` when nothing moves, for as long
    as it takes to move the index of the file to its front."""
    moved_at = time.monotonic()
    position = Position()
    while True:
        patience = STALL_SECONDS + position.size / SLOWEST_DISK
        try:
            async with asyncio.timeout(patience):
                line = await stream.readline()
        except TimeoutError as error:
            raise JobError("render_stalled", run.log) from error
        if not line:
            return
        key, _, value = line.decode("ascii", "replace").strip().partition("=")
        if key == "frame":
            position.frame = int(value)
        elif key == "out_time_us" and value.lstrip("-").isdigit():
            position.seconds = int(value) / 1e6
        elif key == "total_size" and value.isdigit():
            position.size = int(value)
        elif key == "progress":
            if position != run.position:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > patience:
                raise JobError("render_stalled", run.log)
            run.position = replace(position)
            on_progress(run.position)
            await reach("render")
