"""One Deno process for one function, as it is now: a file that changes makes it start anew."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from devstack.functions.config import Function
from devstack.keys import Keys

_SERVE = Path(__file__).with_name("serve.ts")
_SUPERVISOR = Path(__file__).parents[1] / "supervisor.py"
_START_SECONDS = 60
_STOP_SECONDS = 5
# As hosted: 256 MB, no prompts, no files but the project's. And no code from strings, which not
# every place that runs Edge Functions allows.
_LIMITS = "--v8-flags=--max-old-space-size=256,--disallow-code-generation-from-strings"


def environment(url: str, database_url: str, keys: Keys) -> dict[str, str]:
    """What Supabase puts into the environment of every function."""
    return {
        "SUPABASE_URL": url,
        "SUPABASE_DB_URL": database_url,
        "SUPABASE_ANON_KEY": keys.anon,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
        "SUPABASE_PUBLISHABLE_KEYS": json.dumps({"default": keys.publishable}),
        "SUPABASE_SECRET_KEYS": json.dumps({"default": keys.secret}),
        "SUPABASE_JWKS": json.dumps(keys.jwks),
    }


class BootError(Exception):
    """The function does not start; the message says why."""


class DenoMissingError(BootError):
    """There is no Deno on this machine."""


class Runtime:
    def __init__(self, project: Path, environment: Mapping[str, str], log: Path) -> None:
        """`environment` is all that the function sees. What it prints goes to `log`."""
        self._project = project
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._function: Function | None = None
        self._files: Mapping[Path, float] = {}
        self._url = ""
        self._starting = asyncio.Lock()

    async def url(self, function: Function) -> str:
        """Where the function answers, which it does when this returns. Raises BootError."""
        async with self._starting:
            is_current = function == self._function and self._files == self._files_now()
            if not is_current or not self._is_alive():
                await self.stop()
                await self._start(function)
            return self._url

    async def stop(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()  # the supervisor ends Deno
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._process = None

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def _files_now(self) -> Mapping[Path, float]:
        files = (self._project / "functions").rglob("*")
        return {path: path.stat().st_mtime for path in files if path.is_file()}

    async def _start(self, function: Function) -> None:
        deno = _find_deno()
        cache = await _fetch_dependencies(deno, function)
        self._function, self._files = function, self._files_now()  # after the lock file was written
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        secrets = self._project / "functions" / ".env"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_SUPERVISOR)),
                *(deno, "run", "--cached-only", "--no-prompt", _LIMITS),
                *("--allow-env", "--allow-net", f"--allow-read={self._project.resolve()}"),
                *_config(function),
                *([f"--env-file={secrets}"] if secrets.is_file() else []),
                *(str(_SERVE), function.entrypoint.as_uri()),
                env={
                    **self._environment,
                    "SUPABASE_FUNCTION_SLUG": function.name,
                    "DENO_DIR": cache,
                    "DENO_SERVE_ADDRESS": f"tcp:{address}",
                    "NO_COLOR": "1",
                },
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not await self._answers(address):
            await self.stop()
            raise BootError(self._log.read_bytes()[log_start:].decode(errors="replace").strip())
        self._url = f"http://{address}"

    async def _answers(self, address: str) -> bool:
        host, port = address.split(":")
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                while self._is_alive():
                    with suppress(ConnectionRefusedError):
                        _, writer = await asyncio.open_connection(host, int(port))
                        writer.close()
                        return True
                    await asyncio.sleep(0.01)
        return False


async def _fetch_dependencies(deno: str, function: Function) -> str:
    """Fills Deno's cache with the machine's own settings (proxy, certificates), which the function
    does not get to see, and returns its folder."""
    await _run(deno, "cache", "--quiet", *_config(function), str(_SERVE), str(function.entrypoint))
    information = json.loads(await _run(deno, "info", "--json", "--no-config"))
    return str(information["denoDir"])


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise BootError(errors.decode(errors="replace").strip())
    return output


def _config(function: Function) -> list[str]:
    return ["--no-config"] if function.config is None else ["--config", str(function.config)]


def _find_deno() -> str:
    """That of this Python's environment (`pip install deno`), or any on the PATH."""
    deno = shutil.which("deno", path=sysconfig.get_path("scripts")) or shutil.which("deno")
    if deno is None:
        raise DenoMissingError("Edge Functions run on Deno, which is not here: pip install deno")
    return deno
