"""What ffmpeg can't do in the sandbox, tried by real processes, and what happens without one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.clips import FFMPEG
from worker.errors import ConfigurationError, JobError
from worker.media import confine
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.sandbox import LIBRARIES, Level, access, find_holes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is made of Linux")

EVERYTHING = [
    "read a file outside its folder",
    "wrote a file outside its folder",
    "reached TCP",
    "reached UDP",
    "reached a Unix socket",
]
NO_LANDLOCK = ("= 444, 445, 446", "= 9444, 9445, 9446")
NO_SECCOMP = ("if machine not in MACHINES or", "if machine in MACHINES or")


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


async def holes(program: Ffmpeg, inside: Path, level: Level) -> list[str]:
    """What the promises of ``level`` are worth when ``program`` runs."""

    async def attempt(arguments: Sequence[str]) -> bytes:
        return (await program.run(arguments, inside, Limits())).stdout

    return await find_holes(attempt, inside, level)


async def test_the_whole_sandbox_is_live_here(tmp_path: Path) -> None:
    program = await Ffmpeg.find(None, tmp_path, sandbox="require")
    assert program.level == "full"


async def test_ffmpeg_in_the_sandbox_reaches_nothing(tmp_path: Path, inside: Path) -> None:
    program = await Ffmpeg.find(None, tmp_path)
    assert await holes(program, inside, "full") == []


async def test_without_it_every_attempt_succeeds(tmp_path: Path, inside: Path) -> None:
    with capture_logs() as logs:
        program = await Ffmpeg.find(None, tmp_path, sandbox="off")
    assert program.level == "limits"
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["sandbox.off"]
    assert await holes(program, inside, "full") == EVERYTHING


ATTEMPTS = """
import ctypes, os, resource, signal, socket, sys, threading
outside, parent = sys.argv[1], os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
def syscall(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
attempts = {
    "read": lambda: open(outside),
    "list": lambda: os.listdir("/"),
    "append": lambda: open(outside, "a"),
    "truncate": lambda: os.truncate(outside, 0),
    "mode": lambda: os.chmod(outside, 0o777),
    "owner": lambda: os.chown(outside, 1, 1),
    "times": lambda: os.utime(outside),
    "remove": lambda: os.remove(outside),
    "move away": lambda: os.rename(outside, "here"),
    "link": lambda: os.link(outside, "here"),
    "symlink": lambda: os.symlink(outside, "here"),
    "folder": lambda: os.mkdir("here"),
    "fifo": lambda: os.mkfifo("here"),
    "fork": lambda: os.fork() or os._exit(0),
    "signal": lambda: os.kill(parent, 0),
    "limits of the parent": lambda: resource.prlimit(parent, resource.RLIMIT_CORE),
    "inet": lambda: socket.socket(),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "pair": lambda: socket.socketpair(),
    "io_uring": lambda: syscall(425, 1, ctypes.create_string_buffer(120)),
    "pidfd": lambda: os.pidfd_open(parent),
    "trace": lambda: syscall(101 if os.uname().machine == "x86_64" else 117, 0x4206, parent, 0, 0),
    "namespace": lambda: syscall(272 if os.uname().machine == "x86_64" else 97, 0x10000000),
    "execute": lambda: os.execv(outside + ".sh", ["sh", "-c", "echo execute"]),
}
for name, attempt in attempts.items():
    try:
        attempt()
        print(name, flush=True)
    except OSError:
        pass
allowed = threading.Thread(target=lambda: open("made", "w").write("x"))
allowed.start()
allowed.join()
resource.getrlimit(resource.RLIMIT_CORE)
assert open("made").read() == "x"
os.rename("made", "moved")
os.remove("moved")
print("done")
"""


def run_confined(
    layers: str, inside: Path, *command: str, more: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    python = {sys.prefix, sys.base_prefix, *(path for path in LIBRARIES if Path(path).exists())}
    return subprocess.run(
        [
            *(sys.executable, "-I", "-S", confine.__file__, str(os.getpid()), "CORE=0", layers),
            *(f"w:{inside}", "r:/dev/null", *(f"x:{path}" for path in sorted(python))),
            *(*more, "--", *command),
        ],
        cwd=inside,
        capture_output=True,
        text=True,
    )


def test_a_program_in_the_sandbox_can_do_nothing_to_the_world(inside: Path) -> None:
    outside = inside.parent / "outside"
    outside.write_text("untouched")
    shutil.copy("/bin/sh", f"{outside}.sh")
    python = str(Path(sys.executable).resolve())
    done = run_confined("files,calls", inside, python, "-I", "-S", "-c", ATTEMPTS, str(outside))
    assert done.stdout.split("\n") == ["done", ""], done.stderr
    assert outside.read_text() == "untouched"
    assert list(inside.iterdir()) == []


def test_the_same_program_can_without_it(inside: Path) -> None:
    """Else the test above would prove nothing."""
    outside = inside.parent / "outside"
    outside.write_text("touched")
    shutil.copy("/bin/sh", f"{outside}.sh")
    done = run_confined("", inside, sys.executable, "-I", "-S", "-c", ATTEMPTS, str(outside))
    could = {"read", "append", "mode", "signal", "inet", "pair", "fork", "symlink", "execute"}
    assert could <= set(done.stdout.split("\n")), done.stderr


@pytest.mark.parametrize("machine", confine.MACHINES)
def test_the_filter_answers_every_call_of_every_machine(machine: str) -> None:
    """Walks the filter as the kernel would."""
    audit, clone, prlimit, refused = confine.MACHINES[machine]
    code = confine.seccomp_filter(machine)
    assert answer(code, audit, 0) == "allow"
    assert answer(code, audit ^ 1, 0) == "kill"
    assert answer(code, audit, 435) == "absent"
    assert answer(code, audit, confine.X32 | 1) == "refuse"
    assert answer(code, audit, clone, 0x10000) == "allow"
    assert answer(code, audit, clone, 17) == "refuse"
    assert answer(code, audit, prlimit, 0) == "allow"
    assert answer(code, audit, prlimit, 1) == "refuse"
    assert {answer(code, audit, n) for n in (*refused, *confine.REFUSED_EVERYWHERE)} == {"refuse"}


def answer(code: bytes, audit: int, call: int, first_argument: int = 0) -> str:
    seen = {confine.MACHINE: audit, confine.CALL: call, confine.FIRST_ARGUMENT: first_argument}
    at = value = 0
    while True:
        operation, operand = int.from_bytes(code[at : at + 2], sys.byteorder), code[at + 4 : at + 8]
        number = int.from_bytes(operand, sys.byteorder)
        if operation == confine.RETURN:
            return next(name for name, n in confine.ANSWERS.items() if n == number)
        if operation == confine.LOAD:
            value, jump = seen[number], 0
        else:
            holds = {
                confine.EQUAL: value == number,
                confine.AT_LEAST: value >= number,
                confine.ANY_BIT: bool(value & number),
            }[operation]
            jump = code[at + 2] if holds else code[at + 3]
        at += 8 * (1 + jump)


CONTROL = """
import fcntl, os, struct, sys
terminal = os.open(sys.argv[1], os.O_RDWR)
try:
    print(struct.unpack("i", fcntl.ioctl(terminal, 0x80045430, bytes(4)))[0] >= 0)
except PermissionError:
    print("refused")
"""


@pytest.mark.parametrize(("right", "result"), [("d", "True"), ("w", "refused")])
def test_a_device_may_be_read_written_and_controlled(inside: Path, right: str, result: str) -> None:
    """A terminal stands in for a graphics card, and asking for its number for control."""
    if right == "w" and confine._syscall(confine.CREATE_RULESET, None, 0, 1) < 5:
        pytest.skip("this kernel lets everybody control what is open")
    python = str(Path(sys.executable).resolve())
    command = [python, "-I", "-S", "-c", CONTROL, "/dev/ptmx"]
    done = run_confined("files", inside, *command, more=[f"{right}:/dev/ptmx", f"{right}:/dev/pts"])
    assert done.stdout.strip() == result, done.stderr


class Weaken:
    """Makes this machine look like one whose kernel lacks something."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch

    def __call__(self, *replacements: tuple[str, str]) -> None:
        source = Path(confine.__file__).read_text()
        for old, new in replacements:
            assert old in source
            source = source.replace(old, new)
        copy = self._folder / "confine.py"
        copy.write_text(source)
        self._monkeypatch.setattr(confine, "__file__", str(copy))


@pytest.fixture
def weakened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weaken:
    return Weaken(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("missing", "level"),
    [((NO_SECCOMP,), "files"), ((NO_LANDLOCK,), "network"), ((NO_LANDLOCK, NO_SECCOMP), "limits")],
    ids=["no seccomp", "no Landlock", "neither"],
)
async def test_an_older_kernel_gives_a_lower_level_and_a_warning(
    tmp_path: Path, inside: Path, weakened: Weaken, missing: tuple[tuple[str, str]], level: Level
) -> None:
    weakened(*missing)
    with capture_logs() as logs:
        program = await Ffmpeg.find(None, tmp_path)
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert (warning["event"], warning["sandbox"]) == ("sandbox.degraded", level)
    assert "confine: " in warning["failures"]["full"]
    assert program.level == level
    assert await holes(program, inside, level) == []
    with pytest.raises(ConfigurationError, match="WORKER_SANDBOX=require"):
        await Ffmpeg.find(None, tmp_path, sandbox="require")


async def test_a_sandbox_that_lets_something_through_counts_as_none(
    tmp_path: Path, weakened: Weaken
) -> None:
    weakened(("_syscall(RESTRICT_SELF, ruleset, 0)", "pass"))
    with pytest.raises(ConfigurationError, match="read a file outside its folder"):
        await Ffmpeg.find(None, tmp_path, sandbox="require")


async def test_nothing_runs_with_less_than_was_found_at_the_start(
    tmp_path: Path, inside: Path, weakened: Weaken
) -> None:
    program = await Ffmpeg.find(None, tmp_path)
    weakened(NO_LANDLOCK)
    with pytest.raises(JobError) as raised:
        await program.run(["-version"], inside, Limits())
    assert (raised.value.code, raised.value.retry) == ("internal_error", True)


async def test_a_program_that_lives_elsewhere_may_read_its_libraries(tmp_path: Path) -> None:
    """Such as /opt/ffmpeg/bin/ffmpeg beside /opt/ffmpeg/lib."""
    program = tmp_path / "bin" / "ffmpeg"
    for folder in ("bin", "lib"):
        (tmp_path / folder).mkdir()
    shutil.copy(FFMPEG, program)
    found = await Ffmpeg.find(program, tmp_path, sandbox="require")
    assert found.path == program
    assert f"x:{tmp_path / 'lib'}" in access(program, [])
