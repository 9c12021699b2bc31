"""What is logged is what docs/logs.md says, and everything that is logged can be observed."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import structlog

from worker.ops.logs import configure_logging

ROOT = Path(__file__).parents[2]
LEVELS = ("debug", "info", "warning", "error", "exception")


@dataclass(frozen=True)
class Event:
    """One call of the log: fields that come by ``**`` can't be read from the code."""

    name: str
    level: str
    fields: frozenset[str]
    open: bool


def events_in_the_code() -> Iterator[Event]:
    for file in sorted((ROOT / "worker").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log"), attr=level),
                    args=[ast.Constant(value=str(name))],
                    keywords=keywords,
                ) if level in LEVELS:
                    fields = {keyword.arg for keyword in keywords if keyword.arg}
                    if level == "exception":
                        level, fields = "error", fields | {"exc_info"}
                    open_ = any(keyword.arg is None for keyword in keywords)
                    yield Event(name, level, frozenset(fields), open_)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level)):
                    pytest.fail(f"{file.name}:{node.lineno}: an event's name is a plain string")


def events_in_the_docs() -> dict[str, tuple[str, frozenset[str], frozenset[str]]]:
    """Name: level, fields that are always there, and those that may be."""
    text = (ROOT / "docs/logs.md").read_text()
    documented = {}
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([\w ]+) \| ([^|]*)\|", text, re.MULTILINE)
    for name, level, fields in rows:
        named = {field.strip() for field in fields.split(",") if field.strip()}
        maybe = {field[:-1] for field in named if field.endswith("?")}
        always = {field for field in named if not field.endswith("?")}
        documented[name] = (level, frozenset(always), frozenset(maybe))
    return documented


def test_every_event_is_documented_with_its_level_and_fields() -> None:
    documented = events_in_the_docs()
    logged = list(events_in_the_code())
    assert {event.name for event in logged} == set(documented), "see docs/logs.md"
    for event in logged:
        level, always, maybe = documented[event.name]
        assert event.level in level.split(" or "), event
        assert event.fields == always or (event.open and event.fields | maybe >= always), event


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_observers_see_what_is_below_the_level_and_the_log_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[dict[str, object]] = []
    configure_logging("warning", "json", [lambda event: seen.append(dict(event))])
    log = structlog.get_logger()
    with structlog.contextvars.bound_contextvars(job_id="j"):
        log.debug("stage.finished", stage="render", seconds=1.5)
        log.warning("job.failed", code="disk_full")
    assert [event["event"] for event in seen] == ["stage.finished", "job.failed"]
    assert seen[0]["job_id"] == "j"
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["code"] == "disk_full"


@pytest.mark.parametrize("output", ["json", "console"])
def test_a_traceback_shows_no_local_variables(
    capsys: pytest.CaptureFixture[str], output: Literal["json", "console"]
) -> None:
    """Keys and signed URLs are local variables somewhere."""
    configure_logging("info", output)

    def connect(key: str) -> None:
        raise RuntimeError("it broke")

    try:
        connect("hunter2")
    except RuntimeError:
        structlog.get_logger().exception("background.crashed", part="Claimer")
        logging.getLogger("library").exception("it broke")
    written = capsys.readouterr().err
    assert written.count("in connect") + written.count('"connect"') == 2
    assert "hunter2" not in written.replace('connect("hunter2")', "")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("GET /object/sign/v/a.mp4?token=eyJh.x-y_z&x=1", "GET /object/sign/v/a.mp4?token=…&x=1"),
        ("key eyJhbGciOi.J9.dB-j_x is wrong", "key eyJ… is wrong"),
        ("sb_secret_N7UND0", "sb_secret_…"),
        (
            "to postgresql://video_worker:p%40ss@db:5432/x",
            "to postgresql://video_worker:…@db:5432/x",
        ),
        ("to http://localhost:54321/storage/v1", "to http://localhost:54321/storage/v1"),
    ],
)
def test_a_secret_in_the_text_of_a_library_is_not_written(
    capsys: pytest.CaptureFixture[str], text: str, written: str
) -> None:
    configure_logging("info", "json")
    structlog.get_logger().warning("storage.retry", reason=text)
    logging.getLogger("library").warning(text)
    own, foreign = map(json.loads, capsys.readouterr().err.splitlines())
    assert (own["reason"], foreign["event"]) == (written, written)
