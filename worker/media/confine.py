"""Runs before ffmpeg, in its process: sets limits, ties its life to the worker's, then becomes it.

    python -I -S confine.py <parent pid> <name=limit,…> <program> <argument …>

A file of its own that imports nothing but the standard library: it starts in about 15 ms, and
nothing of the worker's memory or environment comes along.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, limits, *command = sys.argv[1:]
    if sys.platform == "linux":
        # Elsewhere a kill -9 of the worker leaves ffmpeg running to its own end.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit("the worker has died")
    for limit in limits.split(","):
        name, value = limit.split("=")
        number = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(number)[1]
        bound = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        resource.setrlimit(number, (bound, bound))
    os.execv(command[0], command)  # noqa: S606 (no shell; that is the point)


if __name__ == "__main__":
    main()
