"""The machine: room on disk, and the port of the health server."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from urllib.request import urlopen

from worker.doctor.finding import Finding, error, ok, warning
from worker.errors import size
from worker.settings import Settings
from worker.workspace import RESERVE_BYTES

ROOM_PER_INPUT = 2.5
ANSWER_SECONDS = 5.0


def check_disk(settings: Settings, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    wanted = round(settings.max_input_bytes * ROOM_PER_INPUT) * settings.concurrency
    if free < RESERVE_BYTES:
        return error(
            "host.disk",
            f"{size(free)} free in {settings.work_dir}",
            f"Every job fails with disk_full while less than {size(RESERVE_BYTES)} are free.",
            "Make room, or set WORKER_WORK_DIR to a larger disk",
        )
    if free < wanted:
        return warning(
            "host.disk",
            f"{size(free)} free in {settings.work_dir}; {settings.concurrency} of the largest"
            f" videos allowed need {size(wanted)}",
            "A job that finds no room waits and tries again (disk_full).",
            "A larger disk for WORKER_WORK_DIR, a smaller WORKER_MAX_INPUT_BYTES, or fewer slots",
        )
    return ok("host.disk", f"{size(free)} free in {settings.work_dir}")


def check_port(port: int) -> Finding:
    """Whether a worker could listen on ``port``, or one does already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            return ok("host.port", f"{port} is free for /livez, /readyz and /metrics")
        except OSError as fault:
            reason = fault
    if _worker_answers(port):
        return ok("host.port", f"a worker answers on {port}")
    return error(
        "host.port",
        f"port {port} (WORKER_HEALTH_PORT or PORT) can't be had: {reason}",
        "The worker does not start.",
        "Another port, above 1023, in WORKER_HEALTH_PORT",
    )


def _worker_answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/livez", timeout=ANSWER_SECONDS) as answer:
            return b'"alive"' in answer.read(1000)
    except (OSError, ValueError):
        return False
