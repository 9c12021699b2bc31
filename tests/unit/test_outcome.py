"""How an attempt ends, decided without a database."""

from __future__ import annotations

import string

import pytest

from worker.errors import CATALOGUE, JobError, size, span
from worker.progress import SHARE, Progress
from worker.queue.jobs import Stage
from worker.queue.outcome import Failed, failure, retry_delay


def test_a_permanent_error_fails_at_once() -> None:
    outcome = failure(JobError("no_video_stream"), attempt=1)
    assert outcome == Failed("no_video_stream", CATALOGUE["no_video_stream"].message)


def test_a_passing_error_is_tried_again() -> None:
    outcome = failure(JobError("storage_unavailable", "503"), attempt=1)
    assert outcome.retry_in is not None
    assert 10 <= outcome.retry_in <= 12.5


def test_the_other_side_may_ask_for_more_patience() -> None:
    outcome = failure(JobError("storage_unavailable", retry_after=300), attempt=1)
    assert outcome.retry_in == 300


def test_an_unforeseen_error_tells_the_user_nothing_of_ours() -> None:
    outcome = failure(ZeroDivisionError("secret detail"), attempt=1)
    assert outcome.code == "internal_error"
    assert "secret" not in outcome.message
    assert outcome.retry_in is not None


def test_pauses_grow_and_end_at_ten_minutes() -> None:
    delays = [retry_delay(attempt) for attempt in range(1, 21)]
    assert delays[0] < delays[1] < delays[2] < delays[3]
    assert max(delays) <= 750


def test_details_stay_out_of_the_message() -> None:
    error = JobError("render_failed", "/tmp/x: stderr of ffmpeg")
    assert "/tmp" not in error.message
    assert "/tmp" in str(error)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_sentence_can_be_filled_in_and_reads_as_one(code: str) -> None:
    fields = {name for _, name, _, _ in string.Formatter().parse(CATALOGUE[code].message) if name}
    message = JobError(code, **dict.fromkeys(fields, "x")).message  # type: ignore[arg-type]
    assert message[0].isupper()
    assert message.endswith(".")


def test_spans_and_sizes_are_words() -> None:
    assert [span(1.14), span(245), span(7200)] == ["1.1 s", "4:05 min", "2:00:00 h"]
    assert [size(12), size(3_250_000), size(5 * 1024**3)] == ["12 bytes", "3.2 MB", "5.4 GB"]


def test_stages_add_up_to_one_percentage_that_never_goes_back() -> None:
    reported: list[float] = []
    progress = Progress(lambda stage, percent, eta: reported.append(percent))
    stages: list[Stage] = list(SHARE)
    for stage in stages:
        progress.enter(stage)
        for done in range(11):
            progress.update_bytes(done, 10)
    assert reported == sorted(reported)
    assert (reported[0], reported[-1]) == (0, 100)
