"""OpenTelemetry traces, from the log's events: a span per attempt, one for the wait before it, and
one per stage. A job that carries a ``traceparent`` joins the trace of the request that made it, so
that one trace spans from the click to the result.

Needs the extra ``otel``; without an endpoint nothing of it is imported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


class Traces:
    """Sends spans to ``endpoint`` by OTLP over HTTP, from a thread of its own. The other
    ``OTEL_…`` variables (headers, sampler, resource attributes) are honoured."""

    def __init__(self, endpoint: str, version: str, name: str) -> None:
        resource = Resource.create(
            {
                "service.name": "video-worker",
                "service.version": version,
                "service.instance.id": name,
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces"))
        )
        self._tracer = self._provider.get_tracer("video-worker", version)
        self._attempts: dict[str, Span] = {}

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def observe(self, event: Mapping[str, Any]) -> None:
        """Begin, continue or end the span that an event of the log belongs to."""
        match event:
            case {"event": "job.claimed", "job_id": job_id, "waited": waited}:
                self._begin(job_id, event)
                self._child(job_id, "wait", waited)
            case {"event": "stage.finished", "job_id": job_id, "stage": stage, "seconds": seconds}:
                self._child(job_id, stage, seconds)
            case {"event": "job.failed", "job_id": job_id, "code": code, "stage": stage}:
                if span := self._attempts.get(job_id):
                    span.set_status(StatusCode.ERROR, code)
                    span.set_attribute("video_job.stage", stage)
            case {"event": "job.finished", "job_id": job_id, "outcome": outcome}:
                if span := self._attempts.pop(job_id, None):
                    span.set_attribute("video_job.outcome", outcome)
                    span.end()

    def _begin(self, job_id: str, event: Mapping[str, Any]) -> None:
        carrier = {"traceparent": event.get("traceparent") or ""}
        self._attempts[job_id] = self._tracer.start_span(
            "video job",
            TraceContextTextMapPropagator().extract(carrier, Context()),
            SpanKind.CONSUMER,
            {
                "video_job.id": job_id,
                "video_job.attempt": event["attempt"],
                "video_job.user_id": event["user_id"],
            },
        )

    def _child(self, job_id: str, name: str, seconds: float) -> None:
        """A span that ends now."""
        if span := self._attempts.get(job_id):
            end = time.time_ns()
            start = end - round(max(0.0, seconds) * 1e9)
            self._tracer.start_span(name, set_span_in_context(span), start_time=start).end(end)
