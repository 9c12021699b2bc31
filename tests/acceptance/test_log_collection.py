"""deploy/logs as it is, in real rsyslogds: from a worker to the collector's files."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Project, User, free_port
from tests.conftest import absent, eventually

CONFIG = Path(__file__).parents[2] / "deploy/logs"
FROM_SOCKET = 'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{}")\n'


@contextmanager
def rsyslogd(folder: Path, config: str, **environment: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    file = folder / "rsyslog.conf"
    file.write_text(f'global(workDirectory="{folder}")\n{config}')
    process = subprocess.Popen(
        ["/usr/sbin/rsyslogd", "-n", "-f", file, "-i", folder / "pid"],
        env={"PATH": os.environ["PATH"]} | environment,
    )
    try:
        eventually((folder / "pid").exists)
        yield
    finally:
        process.terminate()
        process.wait(30)
        (folder / "pid").unlink(missing_ok=True)


def events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(autouse=True)
def _rsyslog() -> None:
    if not Path("/usr/sbin/rsyslogd").exists() or not shutil.which("logger"):
        absent("there is no rsyslog")


def test_every_event_arrives_also_over_an_outage_of_the_collector(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    worker = project.start_worker(LOG_LEVEL="debug")
    user.wait(user.send(clip))
    user.wait(user.send(b"no video"))
    worker.terminate()
    worker.wait()
    before, after = worker.events[:5], worker.events[5:]
    assert len(after) > 5

    port, collected = str(free_port()), tmp_path / "collected"
    relp_port = str(free_port())
    collector = (CONFIG / "collector.conf").read_text()
    paths = {
        "VIDEO_WORKER_LOG_PORT": port,
        "VIDEO_WORKER_RELP_PORT": relp_port,
        "VIDEO_WORKER_LOG_DIR": str(collected),
    }
    source = tmp_path / "log.sock"
    host = FROM_SOCKET.format(source) + (CONFIG / "host.conf").read_text()
    target = {"VIDEO_WORKER_LOG_HOST": "127.0.0.1", "VIDEO_WORKER_RELP_PORT": relp_port}

    def write(lines: list[str]) -> None:
        subprocess.run(
            ["logger", "--socket", source, "--tag", "video-worker", "--size", "8000"],
            input="\n".join(lines),
            text=True,
            check=True,
        )

    def arrived() -> list[dict[str, Any]]:
        return [event for file in collected.glob("20*.jsonl") for event in events(file)]

    with rsyslogd(tmp_path / "host", host, **target):
        eventually(source.exists)
        with rsyslogd(tmp_path / "collector", collector, **paths):
            write([json.dumps(event) for event in before])
            eventually(lambda: len(arrived()) >= len(before))
        write([*(json.dumps(event) for event in after), "Segmentation fault"])
        with rsyslogd(tmp_path / "collector", collector, **paths):
            eventually(lambda: len({str(e) for e in arrived()}) >= len(worker.events) + 1, 60)

    got = arrived()
    assert {event.pop("host") for event in got} == {socket.gethostname()}
    text = next(event for event in got if event["event"] == "not json")
    assert text["text"].strip() == "Segmentation fault"
    # RELP sends again what nobody has acknowledged: an event may come twice, none stays away.
    arrived_events = {str(event) for event in got if event["event"] != "not json"}
    assert arrived_events == {str(event) for event in worker.events}
    attention = {event["event"] for event in events(collected / "attention.jsonl")}
    assert attention == {"job.failed", "not json"}
