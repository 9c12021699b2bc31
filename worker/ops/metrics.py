"""Metrics for Prometheus, from two sources.

What happens is counted from the log's events (``observe`` is one of its observers), so nothing else
in the worker knows that there are metrics. What *is* (free slots, the listener's state, the depth
of the queue) is read when Prometheus asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from worker.errors import CATALOGUE

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUEUE_FIGURES = ("queued", "scheduled", "held", "processing", "oldest_seconds", "workers")
STAGES = ("download", "probe", "subtitles", "render", "upload")
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
SPEEDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 32, 64)


@dataclass(frozen=True)
class State:
    """What is true of this worker now. ``disk_free_bytes`` is that of its work folder."""

    slots: int
    slots_busy: int
    draining: bool
    listener_live: bool
    database_up: bool
    disk_free_bytes: int


MEANING = {
    "slots": "Jobs that this worker runs at the same time at most.",
    "slots_busy": "Jobs that this worker runs now.",
    "draining": "1 while the worker claims nothing more and waits for what runs.",
    "listener_live": "1 while notifications arrive; 0 means that the worker polls.",
    "database_up": "1 while the database answers.",
    "disk_free_bytes": "Free space where jobs keep their files.",
    "queue_jobs": "Jobs of the whole queue by state; scheduled ones wait for their time, held ones "
    "for another job of their user.",
    "queue_oldest_seconds": "For how long the oldest waiting job of the queue could have run.",
    "queue_workers": "Workers that the database has heard of within a minute.",
    "info": "Version and name of this worker.",
}


class Metrics:
    """All metrics of one worker process."""

    def __init__(self, version: str, name: str) -> None:
        self.registry = registry = CollectorRegistry()
        self._jobs = Counter(
            "video_worker_jobs",
            "Attempts that ended, by outcome (completed, failed, cancelled, retried, released, "
            "lost; of long videos split, encoded: a segment, unsplit) and error code.",
            ["outcome", "code"],
            registry=registry,
        )
        self._wait = Histogram(
            "video_worker_wait_seconds",
            "From when a job could have run until it was claimed.",
            buckets=SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "video_worker_stage_seconds",
            "Time per stage of a job.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._speed = Histogram(
            "video_worker_encode_speed_ratio",
            "Seconds of video rendered per second, once all of it is there: 2 is twice as fast as "
            "it plays.",
            buckets=SPEEDS,
            registry=registry,
        )
        self._received = Counter(
            "video_worker_received_bytes", "Bytes read from Storage.", registry=registry
        )
        self._sent = Counter(
            "video_worker_sent_bytes", "Bytes written to Storage.", registry=registry
        )
        self._storage_retries = Counter(
            "video_worker_storage_retries",
            "Requests to Storage that were tried again, by error code.",
            ["code"],
            registry=registry,
        )
        self._rescued = Counter(
            "video_worker_rescued_jobs",
            "Jobs that this worker took from dead ones.",
            registry=registry,
        )
        self._reconnects = Counter(
            "video_worker_database_reconnects",
            "How often the database came back after it had not answered.",
            registry=registry,
        )
        self._crashes = Counter(
            "video_worker_crashes",
            "Faults that nobody expected, in a background part or in a job.",
            registry=registry,
        )
        self._start_all_at_zero()
        self._now = _Now(version, name)
        registry.register(self._now)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

    def observe(self, event: Mapping[str, Any]) -> None:
        """Count an event of the log. Those that mean nothing here are passed over."""
        match event:
            case {"event": "job.claimed", "waited": waited}:
                self._wait.observe(max(0.0, waited))
            case {"event": "job.finished", "outcome": outcome, "code": code}:
                self._jobs.labels(outcome, code or "").inc()
            case {"event": "stage.finished", "stage": stage, "seconds": seconds}:
                self._stages.labels(stage).observe(seconds)
            case {"event": "job.rendered", "speed": float(speed)}:
                self._speed.observe(speed)
            case {"event": "storage.downloaded", "bytes": count}:
                self._received.inc(count)
            case {"event": "storage.uploaded", "bytes": count}:
                self._sent.inc(count)
            case {"event": "storage.retry", "code": code}:
                self._storage_retries.labels(code).inc()
            case {"event": "queue.rescued", "jobs": count}:
                self._rescued.inc(count)
            case {"event": "database.back"}:
                self._reconnects.inc()
            case {"event": "background.crashed" | "job.crashed"}:
                self._crashes.inc()

    def render(self, state: State, queue: Mapping[str, float] | None) -> bytes:
        """What /metrics answers. ``queue``: the ``QUEUE_FIGURES``, None if they could not be read;
        then those series are absent, not stale."""
        self._now.state = state
        self._now.queue = queue
        return generate_latest(self.registry)

    def _start_all_at_zero(self) -> None:
        """A series that begins at 1 has no increase: Prometheus would miss each first failure."""
        for outcome in (
            *("completed", "cancelled", "released", "lost"),
            *("split", "encoded", "unsplit"),
        ):
            self._jobs.labels(outcome, "")
        for code in CATALOGUE:
            self._jobs.labels("failed", code)
            if CATALOGUE[code].retry:
                self._jobs.labels("retried", code)
        for stage in STAGES:
            self._stages.labels(stage)
        self._storage_retries.labels("storage_unavailable")


class _Now(Collector):
    """What is read at the moment when Prometheus asks."""

    def __init__(self, version: str, name: str) -> None:
        self._identity = {"version": version, "name": name}
        self.state: State | None = None
        self.queue: Mapping[str, float] | None = None

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("video_worker", MEANING["info"], self._identity)
        if self.state is not None:
            for name, value in asdict(self.state).items():
                yield GaugeMetricFamily(f"video_worker_{name}", MEANING[name], float(value))
        if self.queue is not None:
            jobs = GaugeMetricFamily(
                "video_worker_queue_jobs", MEANING["queue_jobs"], labels=["state"]
            )
            for state in ("queued", "scheduled", "held", "processing"):
                jobs.add_metric([state], self.queue[state])
            yield jobs
            for name in ("oldest_seconds", "workers"):
                yield GaugeMetricFamily(
                    f"video_worker_queue_{name}", MEANING[f"queue_{name}"], self.queue[name]
                )
