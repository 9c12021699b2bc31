"""Keeps a server from outliving its owner: `python supervisor.py command...` with stdin a pipe.

A database that survives a `kill -9` of the test run holds its port, its memory and its lock file
for ever. PR_SET_PDEATHSIG would end it, but only on Linux, it is reset when credentials change, and
it fires when the *thread* that forked ends. A pipe does the same everywhere: the kernel closes the
owner's end however the owner dies, and here that reads as end of file.

Standard library only and no import of the package: `python -I -S` starts it in milliseconds.
"""

import os
import signal
import subprocess
import sys
import threading

# What the owner writes on stdin, and the signal that means it to Postgres. End of file is "fast".
SHUTDOWN_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def main(command: list[str]) -> int:
    # What a script starts in the background is born ignoring SIGINT, and would hand that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def shut_down_when_told() -> None:
        for line in sys.stdin:
            server.send_signal(SHUTDOWN_SIGNALS[line.strip()])
        server.send_signal(SHUTDOWN_SIGNALS["fast"])

    threading.Thread(target=shut_down_when_told, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    # Not sys.exit(): the interpreter's own end would abort on the thread that reads stdin.
    os._exit(main(sys.argv[1:]))
