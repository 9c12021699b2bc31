"""The edge function process-video: what it makes of a request, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from devstack.postgres import SUPERUSER, Postgres
from devstack.stack import Stack, bootstrap
from tests.conftest import FAST, Connection
from worker.queue.migrations import migrate

from .conftest import PROJECT, SRT, User, new_user

CUES = [
    {"start": 1, "end": 2.5, "text": "Hello"},
    {
        "start": 3,
        "end": 4,
        "text": "there, you",
        "words": [{"start": 3, "end": 3.4, "text": "there,"}],
        "position": "top-center",
    },
]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def problem(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"code", "message", "details"}, body
    assert "{" not in body["message"]
    return response.status_code, body["code"]


def job_of(response: httpx.Response, status: int = 202) -> dict[str, Any]:
    assert response.status_code == status, response.text
    job: dict[str, Any] = response.json()["job"]
    return job


# A request that is accepted


@pytest.mark.parametrize(
    ("field", "content", "ending"), [("subtitle_text", SRT, "txt"), ("cues", CUES, "json")]
)
def test_subtitles_become_a_file_named_by_its_content(
    ada: User, field: str, content: Any, ending: str
) -> None:
    job = job_of(ada.process(**{"subtitle_text": None, field: content}))
    name, _, suffix = job["subtitle_path"].removeprefix(f"{ada.id}/").partition(".")
    saved = ada.download(job["subtitle_path"])
    assert (name, suffix) == (sha256(saved).hexdigest(), ending)
    if field == "cues":
        assert json.loads(saved) == content
    else:
        assert saved.decode() == content


def test_the_job_is_a_row_of_the_users(ada: User, bob: User) -> None:
    options = {"style": {"color": "#FF0000", "box_color": None}, "sidecars": ["vtt"]}
    job = job_of(ada.process(options=options, idempotency_key="mine"))
    assert (job["status"], job["user_id"]) == ("queued", ada.id)
    assert (job["input_path"], job["options"]) == (ada.video, options)
    assert job["idempotency_key"] == "mine"
    assert [row["id"] for row in ada.jobs()] == [job["id"]]
    assert bob.jobs() == []


def test_an_uploaded_file_is_taken_as_it_is(ada: User) -> None:
    path = ada.upload("subtitles", SRT.encode("utf-16"))
    job = job_of(ada.process(subtitle_text=None, subtitle_path=path))
    assert (job["subtitle_path"], job["options"]) == (path, {})


def test_the_job_carries_the_trace_of_the_request(ada: User) -> None:
    assert job_of(ada.process(headers={"traceparent": TRACE}))["traceparent"] == TRACE
    assert job_of(ada.process(headers={"traceparent": "00-nonsense"}))["traceparent"] is None


def test_a_page_of_any_origin_may_call(stack: Stack, ada: User) -> None:
    preflight = httpx.options(
        f"{stack.url}/functions/v1/process-video",
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,apikey,content-type,traceparent",
        },
    )
    assert preflight.is_success
    allowed = preflight.headers["access-control-allow-headers"]
    assert {"authorization", "apikey", "content-type", "traceparent"} <= set(allowed.split(", "))
    assert preflight.headers["access-control-max-age"] == "7200"
    for response in (ada.process(), ada.process(video_path=None)):
        assert response.headers.get_list("access-control-allow-origin") == ["*"]


# The same request again


def test_the_same_request_is_the_same_job(ada: User) -> None:
    fields: dict[str, Any] = {
        "options": {"style": {"size": 9.0, "bold": True}},
        "idempotency_key": str(uuid4()),
    }
    first = job_of(ada.process(**fields))
    fields["options"] = {"style": {"bold": True, "size": 9}}
    again = job_of(ada.process(**fields), 200)
    assert again == first


def test_the_same_request_many_times_at_once_is_one_job(ada: User, database: Connection) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ada.process(idempotency_key=key), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.json()["job"]["id"] for answer in answers}) == 1
    assert len(ada.jobs()) == 1


def test_a_job_that_fills_the_quota_is_found_again(ada: User, one_open_job: None) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ada.process(idempotency_key=key), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 202]


def test_a_key_may_be_used_by_two_users(ada: User, bob: User) -> None:
    jobs = [job_of(user.process(idempotency_key="k")) for user in (ada, bob)]
    assert jobs[0]["id"] != jobs[1]["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"soft_track": True}},
        {"subtitle_text": SRT.replace("Hello", "Goodbye")},
        {"subtitle_text": None, "cues": CUES},
        {"video_path": "another"},
    ],
)
def test_a_key_used_with_other_content_is_refused(ada: User, change: dict[str, Any]) -> None:
    job = job_of(ada.process(idempotency_key="k"))
    if "video_path" in change:
        change = {"video_path": ada.upload("videos")}
    refused = ada.process(idempotency_key="k", **change)
    assert problem(refused) == (409, "idempotency_key_reused")
    assert refused.json()["details"] == {"job_id": job["id"]}
    assert len(ada.jobs()) == 1


# A request that is refused


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"video_path": None}, "invalid_request", "body"),
        ({"video_path": 7}, "invalid_request", "video_path"),
        ({"video_path": "{id}/../other/v.mp4"}, "invalid_request", "video_path"),
        ({"video_path": "{id}//v.mp4"}, "invalid_request", "video_path"),
        ({"video_path": "{id}"}, "invalid_request", "video_path"),
        ({"video_path": "{id}/a\\b"}, "invalid_request", "video_path"),
        ({"video_path": "{id}/" + "x" * 1024}, "invalid_request", "video_path"),
        ({"subtitle_path": "{id}/./s.srt"}, "invalid_request", "subtitle_path"),
        ({"subtitle_text": None}, "invalid_request", "cues"),
        ({"cues": CUES}, "invalid_request", "cues"),
        ({"colour": "red"}, "invalid_request", "colour"),
        ({"idempotency_key": ""}, "invalid_request", "idempotency_key"),
        ({"idempotency_key": "x" * 201}, "invalid_request", "idempotency_key"),
        (
            {"cues": [*CUES, {"start": -1, "end": 2, "text": ""}]},
            "invalid_request",
            "cues[2].start",
        ),
        ({"cues": [{"start": 1, "end": 2}]}, "invalid_request", "cues[0]"),
        (
            {"cues": [{**CUES[1], "words": [{"start": "3", "end": 4, "text": "x"}]}]},
            "invalid_request",
            "cues[0].words[0].start",
        ),
        ({"options": []}, "invalid_options", "options"),
        ({"options": {"colour": 1}}, "invalid_options", "options.colour"),
        ({"options": {"style": {"size": 26}}}, "invalid_options", "options.style.size"),
        ({"options": {"style": {"color": "red"}}}, "invalid_options", "options.style.color"),
        ({"options": {"style": {"box_color": "x"}}}, "invalid_options", "options.style.box_color"),
        ({"options": {"sidecars": ["txt"]}}, "invalid_options", "options.sidecars[0]"),
    ],
)
def test_what_is_wrong_is_named(ada: User, change: dict[str, Any], code: str, field: str) -> None:
    change = {
        name: value.replace("{id}", ada.id) if isinstance(value, str) else value
        for name, value in change.items()
    }
    if change.get("cues") is not None and field != "cues":
        change["subtitle_text"] = None
    refused = ada.process(**change)
    assert problem(refused) == (400, code), refused.text
    assert refused.json()["details"]["field"] == field, refused.text
    assert refused.json()["details"]["reason"] in refused.json()["message"]
    assert ada.jobs() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff"])
def test_a_body_is_a_json_object(ada: User, body: bytes) -> None:
    refused = ada.http.post("/functions/v1/process-video", content=body)
    assert problem(refused) == (400, "invalid_request")
    assert refused.json()["details"]["field"] == "body"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"subtitle_text": " \n"}, "subtitles_empty"),
        ({"subtitle_text": None, "cues": []}, "subtitles_empty"),
        (
            {"subtitle_text": None, "cues": [{"start": 0, "end": 1, "text": " "}]},
            "subtitles_empty",
        ),
        ({"subtitle_text": "Hello"}, "subtitles_unreadable"),
    ],
)
def test_subtitles_that_can_not_be_any_are_refused(
    ada: User, fields: dict[str, Any], code: str
) -> None:
    assert problem(ada.process(**fields)) == (400, code)


def test_only_a_signed_in_user_may_ask(stack: Stack, ada: User) -> None:
    forged = ada.http.headers["authorization"][:-6] + "AAAAAA"
    for token in (None, f"Bearer {stack.publishable_key}", f"Bearer {stack.anon_key}", forged):
        response = httpx.post(
            f"{stack.url}/functions/v1/process-video",
            json={},
            headers={"apikey": stack.publishable_key} | ({"authorization": token} if token else {}),
        )
        assert problem(response) == (401, "not_signed_in")
        assert response.headers["access-control-allow-origin"] == "*"


def test_files_of_other_users_are_out_of_reach(ada: User, bob: User) -> None:
    assert problem(ada.process(video_path=bob.video)) == (403, "path_not_yours")
    theirs = bob.upload("subtitles")
    refused = ada.process(subtitle_text=None, subtitle_path=theirs)
    assert problem(refused) == (403, "path_not_yours")
    assert refused.json()["details"] == {"field": "subtitle_path"}


def test_files_that_are_not_there_are_missed(ada: User) -> None:
    absent = f"{ada.id}/absent"
    assert problem(ada.process(video_path=absent)) == (404, "input_missing")
    refused = ada.process(subtitle_text=None, subtitle_path=absent)
    assert problem(refused) == (404, "subtitles_missing")


def test_a_page_may_wake_the_function(ada: User, stack: Stack) -> None:
    assert ada.http.get("/functions/v1/process-video").status_code == 204
    assert httpx.get(f"{stack.url}/functions/v1/process-video").status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_only_post_is_known(ada: User, method: str) -> None:
    refused = ada.http.request(method, "/functions/v1/process-video")
    assert problem(refused) == (405, "method_not_allowed")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_above_ten_mebibytes_is_not_read(ada: User, announced: bool) -> None:
    body = b" " * (10 * 1024 * 1024 + 1)
    content: Any = (
        body if announced else (body[at : at + 65536] for at in range(0, len(body), 65536))
    )
    refused = ada.http.post("/functions/v1/process-video", content=content)
    assert problem(refused) == (413, "request_too_large")


def test_subtitles_above_the_limit_of_the_bucket_are_refused(ada: User) -> None:
    refused = ada.process(subtitle_text=SRT + "x" * 5 * 1024 * 1024)
    assert problem(refused) == (413, "subtitles_too_large")


@pytest.fixture
def one_open_job(database: Connection) -> Iterator[None]:
    database.execute("update video_worker.config set max_open_jobs_per_user = 1")
    yield
    database.execute("update video_worker.config set max_open_jobs_per_user = default")


@pytest.fixture
def one_job_an_hour(database: Connection) -> Iterator[None]:
    database.execute("update video_worker.config set max_jobs_per_hour_per_user = 1")
    yield
    database.execute("update video_worker.config set max_jobs_per_hour_per_user = default")


def test_an_open_job_too_many_is_refused(ada: User, one_open_job: None) -> None:
    job_of(ada.process())
    refused = ada.process()
    assert problem(refused) == (429, "quota_open_jobs")
    assert "at most 1 are allowed" in refused.json()["message"]
    assert int(refused.headers["retry-after"]) > 0
    assert "retry-after" in refused.headers["access-control-expose-headers"]


def test_a_job_too_many_in_an_hour_says_when_there_is_room(
    ada: User, one_job_an_hour: None
) -> None:
    job_of(ada.process())
    refused = ada.process()
    assert problem(refused) == (429, "quota_jobs_per_hour")
    assert 3500 < int(refused.headers["retry-after"]) <= 3600


def test_a_schema_that_is_not_there_is_our_fault(ada: User, database: Connection) -> None:
    database.execute("alter table public.video_jobs rename to video_jobs_away")
    try:
        refused = ada.process()
    finally:
        database.execute("alter table public.video_jobs_away rename to video_jobs")
    assert problem(refused) == (500, "internal_error")
    assert refused.json()["details"] == {}


def test_an_outage_is_something_to_try_again(tmp_path: Path, deno: str) -> None:
    postgres = Postgres.start(tmp_path / "postgres", options=FAST)
    bootstrap(postgres.dsn(user=SUPERUSER))
    migrate(postgres.dsn(), lambda migration: None)
    with (
        Stack.start(directory=tmp_path, database_url=postgres.dsn(), project_dir=PROJECT) as stack,
        new_user(stack) as user,
    ):
        postgres.stop()
        refused = user.process()
        assert problem(refused) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) > 0


# The limits of an edge function: 256 MB, 2 s of CPU time


@pytest.mark.parametrize("words", [0, 8])
def test_ten_thousand_cues_stay_within_the_limits(ada: User, words: int) -> None:
    job_of(ada.process())  # what it takes to start is no part of a request
    (deno,) = [
        process
        for process in psutil.Process().children(recursive=True)
        if process.name() == "deno" and any("process-video" in each for each in process.cmdline())
    ]
    before = sum(deno.cpu_times()[:2])
    cues = [_long_cue(number, words) for number in range(10_000)]
    job = job_of(ada.process(subtitle_text=None, cues=cues))
    used = sum(deno.cpu_times()[:2]) - before
    memory = deno.memory_info().rss
    size = len(json.dumps(cues)) / 1e6
    print(f"{words} words each, {size:.1f} MB: {used:.2f} s CPU, {memory / 1e6:.0f} MB resident")
    assert len(json.loads(ada.download(job["subtitle_path"]))) == 10_000
    assert used < 2
    assert memory < 256e6


def _long_cue(number: int, words: int) -> dict[str, Any]:
    start = 2 * number
    cue: dict[str, Any] = {"start": start, "end": start + 1.9, "text": "a few words " * 3}
    if words:
        times = [round(start + 0.2 * index, 1) for index in range(words)]
        cue["words"] = [{"start": at, "end": round(at + 0.2, 1), "text": "word"} for at in times]
    return cue
