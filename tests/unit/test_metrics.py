"""What the log's events become."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.test_logs import events_in_the_docs
from worker.ops.metrics import MEANING, Metrics, State

STATE = State(
    slots=2, slots_busy=1, draining=False, listener_live=True, database_up=True, disk_free_bytes=9
)
QUEUE = {
    "queued": 3,
    "scheduled": 1,
    "held": 0,
    "processing": 2,
    "oldest_seconds": 4.5,
    "workers": 2,
}


def samples(metrics: Metrics, queue: dict[str, float] | None = None) -> dict[str, float]:
    text = metrics.render(STATE, queue).decode()
    return {
        sample.name + "".join(f" {key}={sample.labels[key]}" for key in sorted(sample.labels)): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("event", "series", "value"),
    [
        ({"event": "job.claimed", "waited": 2.0}, "wait_seconds_sum", 2),
        (
            {"event": "job.finished", "outcome": "completed", "code": None},
            "jobs_total code= outcome=completed",
            1,
        ),
        (
            {"event": "job.finished", "outcome": "failed", "code": "disk_full"},
            "jobs_total code=disk_full outcome=failed",
            1,
        ),
        (
            {"event": "stage.finished", "stage": "render", "seconds": 3.5},
            "stage_seconds_sum stage=render",
            3.5,
        ),
        ({"event": "job.rendered", "speed": 4.0}, "encode_speed_ratio_sum", 4),
        ({"event": "job.rendered", "speed": None}, "encode_speed_ratio_count", 0),
        ({"event": "storage.downloaded", "bytes": 7}, "received_bytes_total", 7),
        ({"event": "storage.uploaded", "bytes": 8}, "sent_bytes_total", 8),
        (
            {"event": "storage.retry", "code": "storage_unavailable"},
            "storage_retries_total code=storage_unavailable",
            1,
        ),
        ({"event": "queue.rescued", "jobs": 3}, "rescued_jobs_total", 3),
        ({"event": "database.back"}, "database_reconnects_total", 1),
        ({"event": "background.crashed"}, "crashes_total", 1),
        ({"event": "job.crashed"}, "crashes_total", 1),
    ],
)
def test_an_event_counts_and_its_series_was_there_before(
    event: dict[str, Any], series: str, value: float
) -> None:
    metrics = Metrics("1", "w")
    name = f"video_worker_{series}"
    assert samples(metrics)[name] == 0, "from nothing to 1 is no increase for Prometheus"
    metrics.observe(event)
    metrics.observe({"event": "worker.ready"})
    assert samples(metrics)[name] == value
    _, always, maybe = events_in_the_docs()[event["event"]]
    assert set(event) - {"event"} <= always | maybe


def test_what_is_true_now_is_read_and_an_unknown_queue_is_absent_not_stale() -> None:
    metrics = Metrics("1", "w")
    known = samples(metrics, QUEUE)
    assert known["video_worker_slots_busy"] == 1
    assert known["video_worker_listener_live"] == 1
    assert known["video_worker_queue_jobs state=scheduled"] == 1
    assert known["video_worker_queue_oldest_seconds"] == 4.5
    assert known["video_worker_info name=w version=1"] == 1
    assert not [series for series in samples(metrics) if "queue" in series]


def test_everything_has_a_meaning() -> None:
    metrics = Metrics("1", "w")
    metrics.render(STATE, QUEUE)
    assert all(family.documentation for family in metrics.registry.collect())
    assert set(MEANING) == {
        *STATE.__dataclass_fields__,
        "queue_jobs",
        "queue_oldest_seconds",
        "queue_workers",
        "info",
    }
