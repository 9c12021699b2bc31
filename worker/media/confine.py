"""Runs before ffmpeg, in its process: gives up rights, sets limits, then becomes it.

    python -I -S confine.py <parent pid> <limit=value,…> <layer,…> <access:path …> -- <program …>

Always: rlimits, no new privileges, and on Linux death with the worker. Layers, Linux only:

- ``files`` (Landlock): only the paths named are reachable; access is ``r`` (read), ``x`` (read and
  execute) or ``w`` (read, write, make and remove plain files).
- ``calls`` (seccomp): no sockets, no new processes, no signals to others, no mounts, namespaces,
  tracing, kernel interfaces, owners or modes.

A layer that was asked for and can't be had ends the process with code 126: nothing runs with less
than was said.
A file of its own that imports nothing but the standard library, so that it starts fast and nothing
of the worker's memory or environment comes along. Sources: landlock(7), seccomp(2).
"""

import ctypes
import errno
import os
import resource
import signal
import struct
import sys

FAILED = 126

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1

# Rights of Landlock, by bit: execute, write, read, list, rmdir, rm, mkchar, mkdir, mkreg, mksock,
# mkfifo, mkblock, mksym, refer (from ABI 2), truncate (3), ioctl on devices (5).
EXECUTE, WRITE, READ, LIST, REMOVE, MAKE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8
TRUNCATE, IOCTL = 1 << 14, 1 << 15
OF_A_FILE = EXECUTE | WRITE | READ | TRUNCATE | IOCTL
ACCESS = {
    "r": READ | LIST,
    "x": READ | LIST | EXECUTE,
    "w": READ | LIST | WRITE | REMOVE | MAKE | TRUNCATE,
    "d": READ | LIST | WRITE | IOCTL,
}
NET_TCP = 0b11  # bind, connect (from ABI 4)
SCOPES = 0b11  # abstract sockets, signals to processes outside (from ABI 6)

# By machine: the kernel's audit number; clone's and prlimit64's number; the calls that are refused.
# What Linux has got since 5.1 has one number everywhere.
REFUSED_EVERYWHERE = (
    424, 434, 438,  # pidfd_send_signal, pidfd_open, pidfd_getfd
    425, 426, 427,  # io_uring_*: it would do the refused calls in our name
    428, 429, 430, 431, 432, 433, 442,  # open_tree, move_mount, fs*, mount_setattr
    440, 448, 452,  # process_madvise, process_mrelease, fchmodat2
)  # fmt: skip
MACHINES: dict[str, tuple[int, int, int, tuple[int, ...]]] = {
    "x86_64": (0xC000003E, 56, 302, (
        41, 42, 43, 49, 50, 53, 288,  # socket, connect, accept, bind, listen, socketpair, accept4
        57, 58, 62, 200, 129, 297,  # fork, vfork, kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo
        101, 310, 311, 312,  # ptrace, process_vm_readv, process_vm_writev, kcmp
        155, 161, 165, 166, 272, 308,  # pivot_root, chroot, mount, umount2, unshare, setns
        90, 91, 92, 93, 94, 260, 268, 133, 259,  # chmod…, chown…, mknod…
        188, 189, 190, 197, 198, 199,  # setxattr…, removexattr…
        76, 132, 235, 261, 280,  # truncate, utime…
        246, 320, 175, 313, 176, 169, 167, 168, 163, 179,  # kexec, modules, reboot, swap, …
        164, 227, 159, 305, 170, 171,  # the clock, the host's name
        298, 321, 323, 248, 249, 250, 103, 303, 304,  # perf, bpf, userfaultfd, keys, syslog, …
    )),
    "aarch64": (0xC00000B7, 220, 261, (
        198, 203, 202, 200, 201, 199, 242,
        129, 130, 138, 240,
        117, 270, 271, 272,
        41, 51, 40, 39, 97, 268,
        52, 53, 54, 55, 33,
        5, 6, 7, 14, 15, 16,
        45, 88,
        104, 294, 105, 273, 106, 142, 224, 225, 89, 60,
        170, 112, 171, 266, 161, 162,
        241, 280, 282, 217, 218, 219, 116, 264, 265,
    )),
}  # fmt: skip
CLONE3, CLONE_THREAD = 435, 0x10000
X32 = 0x40000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
MACHINE, CALL, FIRST_ARGUMENT = 4, 0, 16  # offsets in what a filter sees: struct seccomp_data
ANSWERS = {
    "allow": 0x7FFF0000,
    "refuse": 0x00050000 | errno.EPERM,
    "absent": 0x00050000 | errno.ENOSYS,
    "kill": 0x80000000,
}


def main() -> None:
    separator = sys.argv.index("--")
    parent, limits, layers, *paths = sys.argv[1:separator]
    command = sys.argv[separator + 1 :]
    if sys.platform == "linux":
        # Elsewhere a kill -9 of the worker leaves ffmpeg running to its own end.
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            raise ProcessLookupError("the worker has died")
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
    for limit in limits.split(","):
        name, value = limit.split("=")
        number = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(number)[1]
        bound = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        resource.setrlimit(number, (bound, bound))
    if "files" in layers:
        restrict_files([(ACCESS[path[0]], path[2:]) for path in paths])
    if "calls" in layers:
        refuse_calls()
    os.execv(command[0], command)  # noqa: S606 (no shell; that is the point)


def restrict_files(paths: list[tuple[int, str]]) -> None:
    """From here on nothing but ``paths`` can be opened, made or removed, and no TCP connected."""
    abi = _syscall(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION)
    handled = (1 << (13 + (abi >= 2) + (abi >= 3))) - 1 | (IOCTL if abi >= 5 else 0)
    attributes = struct.pack(
        "=QQQ", handled, NET_TCP if abi >= 4 else 0, SCOPES if abi >= 6 else 0
    )  # an older kernel takes a longer structure whose rest is zero
    ruleset = _syscall(CREATE_RULESET, attributes, len(attributes), 0)
    for access, path in paths:
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        granted = access & handled & (-1 if os.path.isdir(path) else OF_A_FILE)  # noqa: PTH112
        _syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", granted, file), 0)
        os.close(file)
    _syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def refuse_calls() -> None:
    """From here on the refused system calls fail with EPERM."""
    filters = seccomp_filter(os.uname().machine)
    buffer = ctypes.create_string_buffer(filters)
    program = struct.pack("@HP", len(filters) // 8, ctypes.addressof(buffer))
    _prctl(PR_SET_SECCOMP, 2, program)  # 2: filter mode


def seccomp_filter(machine: str) -> bytes:
    """The filter in the kernel's BPF. Raises ``OSError`` for a machine that we have no table for.

    ``clone`` may make threads only; ``clone3``, whose flags a filter can't see, is said not to
    exist, whereupon libc uses ``clone``. ``prlimit64`` may concern the process itself only.
    """
    if machine not in MACHINES or sys.maxsize < 1 << 32:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    audit, clone, prlimit, refused = MACHINES[machine]
    # Operation, value, and where to go on if it holds and if not: "" is the next line.
    lines = [
        (LOAD, MACHINE, "", ""),
        (EQUAL, audit, "", "kill"),
        (LOAD, CALL, "", ""),
        (AT_LEAST, X32, "refuse", ""),
        (EQUAL, CLONE3, "absent", ""),
        *((EQUAL, number, "refuse", "") for number in (*refused, *REFUSED_EVERYWHERE)),
        (EQUAL, clone, "clone", ""),
        (EQUAL, prlimit, "", "allow"),
        (LOAD, FIRST_ARGUMENT, "", ""),
        (EQUAL, 0, "allow", "refuse"),
        (LOAD, FIRST_ARGUMENT, "", ""),
        (ANY_BIT, CLONE_THREAD, "allow", "refuse"),
        *((RETURN, answer, "", "") for answer in ANSWERS.values()),
    ]
    places = {name: len(lines) - len(ANSWERS) + i for i, name in enumerate(ANSWERS)}
    places["clone"] = places["allow"] - 2
    code = bytearray()
    for at, (operation, value, if_so, if_not) in enumerate(lines, 1):
        jumps = (places.get(if_so, at) - at, places.get(if_not, at) - at)
        code += struct.pack("=HBBI", operation, *jumps, value)
    return bytes(code)


def _syscall(number: int, *arguments: "int | bytes | None") -> int:
    return _checked(_libc().syscall(ctypes.c_long(number), *map(_argument, arguments)))


def _prctl(option: int, value: "int | bytes", *more: "int | bytes") -> None:
    rest = [*more, 0, 0, 0][:3]
    _checked(_libc().prctl(option, _argument(value), *map(_argument, rest)))


def _argument(value: "int | bytes | None") -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print(f"confine: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(FAILED)
