"""deploy/logs/vector*.yaml: the wiring, and what Vector's own language makes of a line."""

from __future__ import annotations

import base64
import json
import re
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from vrl_python import VRLRuntime

from tests.acceptance.conftest import Project, User

FOLDER = Path(__file__).parents[2] / "deploy/logs"
PIPELINE = yaml.safe_load((FOLDER / "vector.yaml").read_text())
SOURCES = {
    file.name.split(".")[1]: yaml.safe_load(file.read_text())
    for file in FOLDER.glob("vector.*.yaml")
}
READ_AT = "2026-11-24T10:00:00Z"
# What a source puts around a line, by Vector's reference.
AROUND: dict[str, dict[str, Any]] = {
    "docker": {
        "container_name": "app-worker-1",
        "host": "host-1",
        "image": "app-worker",
        "label": {"com.docker.compose.service": "worker"},
        "source_type": "docker_logs",
        "stream": "stderr",
    },
    "journald": {
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "video-worker",
        "_SYSTEMD_UNIT": "video-worker.service",
        "host": "host-1",
        "source_type": "journald",
    },
    "kubernetes": {
        "file": "/var/log/pods/video-worker.log",
        "kubernetes": {"pod_name": "video-worker-x", "pod_node_name": "host-1"},
        "source_type": "kubernetes_logs",
        "stream": "stderr",
    },
}
# Vector's strings are bytes and its times are times; from Python only text comes in.
AS_SOURCES_GIVE_IT = """
.message = decode_base64(.message) ?? .message
.timestamp = parse_timestamp(.timestamp, "%+") ?? .timestamp
"""


def written(line: bytes, around: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The event that the sinks write, and whether a person should look at it."""
    program = "\n".join(
        (
            AS_SOURCES_GIVE_IT,
            PIPELINE["transforms"]["events"]["source"],
            f"[encode_json(.), {PIPELINE['transforms']['attention']['condition']},",
            "is_timestamp(.timestamp)]",
        )
    )
    read = {"message": base64.b64encode(line).decode(), "timestamp": READ_AT} | around
    event, attention, timed = VRLRuntime.run(program, read, None).runtime_result
    assert timed
    return json.loads(event), attention


def test_a_workers_events_come_out_as_they_were_from_every_source(
    project: Project, user: User
) -> None:
    worker = project.start_worker(LOG_LEVEL="debug")
    user.wait(user.send(b"no video"))
    worker.terminate()
    worker.wait()
    assert {"worker.ready", "job.failed", "stage.finished"} <= {e["event"] for e in worker.events}
    for event, around in product(worker.events, AROUND.values()):
        attention = event["level"] in ("warning", "error")
        line = json.dumps(event).encode()
        assert written(line, around) == (event | {"host": "host-1"}, attention)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"Segmentation fault", "Segmentation fault"),
        (b"", ""),
        (b"[1]", "[1]"),
        (b"null", "null"),
        (b'{"event": "job.failed"} {', '{"event": "job.failed"} {'),
        (b'{"seconds": NaN}', '{"seconds": NaN}'),
        (b"[" * 1000, "[" * 1000),
        (b"a\0\xff\xfe", "a\0\ufffd\ufffd"),
        (b"x" * 1_000_000, "x" * 30_000 + "…"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_event_is_kept_as_an_error(line: bytes, text: str) -> None:
    error = {"event": "not json", "level": "error", "text": text}
    expected = error | {"timestamp": READ_AT, "host": "host-1"}
    assert written(line, AROUND["journald"]) == (expected, True)


@pytest.mark.parametrize(
    ("odd", "mended"),
    [
        ({"timestamp": "2026-11-24T12:00:00.5+02:00"}, {"timestamp": "2026-11-24T10:00:00.500Z"}),
        ({"timestamp": "2026-02-30T10:00:00Z"}, {"timestamp": READ_AT}),
        ({"timestamp": 1}, {"timestamp": READ_AT}),
        ({"level": "critical"}, {"level": "error"}),
        ({"level": ["x"]}, {"level": "error"}),
        ({"host": {"a": 1}}, {"host": "host-1"}),
        ({"detail": "x" * 1_000_000}, {}),
        ({"detail": "\0"}, {}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_odd_fields_cost_no_event(odd: dict[str, Any], mended: dict[str, Any]) -> None:
    event = {"event": "x", "level": "info", "timestamp": READ_AT, "host": "other"} | odd
    got, _ = written(json.dumps(event).encode(), AROUND["docker"])
    assert got == event | {"host": "host-1"} | mended


def test_a_message_that_is_no_text_and_a_host_that_nobody_knows() -> None:
    got, attention = written(b"", {"message": [27, 91]})
    assert (got["text"], got["host"], attention) == ("[27,91]", "unknown", True)


@pytest.mark.parametrize("source", AROUND)
def test_every_part_is_read_by_another_up_to_the_sinks(source: str) -> None:
    assert set(AROUND) == set(SOURCES)
    transforms, sinks = PIPELINE["transforms"], PIPELINE["sinks"]
    readable = [*SOURCES[source]["sources"], *transforms]
    assert len({*readable, *sinks}) == len([*readable, *sinks])
    readers = [*transforms.values(), *sinks.values()]
    assert set(chain(*(reader["inputs"] for reader in readers))) == set(readable)


def test_every_label_of_loki_is_on_every_event() -> None:
    got, _ = written(b"Segmentation fault", AROUND["docker"])
    labels = PIPELINE["sinks"]["loki"]["labels"].values()
    assert set(re.findall(r"{{ (\w+) }}", " ".join(labels))) == {"level", "host"} <= set(got)
