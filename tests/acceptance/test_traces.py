"""One trace from the request that made a job to its result, by real OTLP."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.acceptance.conftest import SRT, Project, User

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Collector:
    """Takes what an OpenTelemetry collector would on port 4318."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.services.add(attributes["service.name"])
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.stop()


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_jobs_spans_join_the_trace_of_the_call_of_the_edge_function(
    project: Project, user: User, clip: Path, collector: Collector, deno: str
) -> None:
    worker = project.start_worker(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    video = user.upload("videos", "clip.mp4", clip, "video/mp4")
    options = {
        "body": {"video_path": video, "subtitle_text": SRT},
        "headers": {"traceparent": f"00-{TRACE}-{PARENT}-01"},
        "responseType": "json",
    }
    answer: Any = user.client.functions.invoke("process-video", options)
    done = answer["job"]["id"]
    failed = user.send(b"no video")
    user.wait(done)
    user.wait(failed)
    worker.terminate()
    assert worker.wait() == 0
    assert collector.services == {"video-worker"}

    roots = {attributes(s)["video_job.id"]: s for s in collector.spans if s.name == "video job"}
    assert set(roots) == {done, failed}
    root = roots[done]
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(root)["video_job.outcome"] == "completed"
    children = [span for span in collector.spans if span.parent_span_id == root.span_id]
    names = [span.name for span in sorted(children, key=lambda s: s.end_time_unix_nano)]
    # Stages that overlap have no span of their own.
    assert [name for name in names if name not in ("probe", "subtitles")] == [
        "wait", "download", "render", "upload",
    ]  # fmt: skip
    for span in children:
        assert span.trace_id == root.trace_id
        assert span.end_time_unix_nano <= root.end_time_unix_nano

    other = roots[failed]
    assert other.trace_id.hex() != TRACE
    assert other.status.code == Status.STATUS_CODE_ERROR
    assert other.status.message == "invalid_video"
    assert attributes(other)["video_job.stage"] == "probe"


def test_a_collector_that_is_away_harms_no_job(project: Project, user: User, clip: Path) -> None:
    worker = project.start_worker(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert user.wait(user.send(clip))["status"] == "completed"
    worker.terminate()
    assert worker.wait(60) == 0


def test_an_endpoint_without_the_extra_is_said_in_a_line(project: Project) -> None:
    hide = "import sys; sys.modules['opentelemetry'] = None; sys.argv = ['video-worker', 'run']\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{hide}from worker.cli.main import main; main()"],
        env=project.environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "pip install 'supabase-video-worker[otel]'" in done.stderr
    assert "Traceback" not in done.stderr
