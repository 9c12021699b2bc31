"""Faults 30 to 41: what Storage does on a bad day."""

from __future__ import annotations

import time

from tests.faults.catalogue import fault
from tests.faults.world import LEASE, Run

READ, UPLOAD = r"/object/sign/videos", r"/object/renders/.*video\.mp4"
CREATE, CHUNK = r"/upload/resumable$", r"/upload/resumable/"


@fault(30, "read", "upload", "info", "sign", "chunk", quick=("chunk",))
def storage_answers_500(run: Run, point: str) -> None:
    method, path = {
        "read": ("GET", READ),
        "upload": ("POST", UPLOAD),
        "info": ("GET", "/object/info/"),
        "sign": ("POST", r"/object/sign/videos"),
        "chunk": ("PATCH", CHUNK),
    }[point]
    status = run.dice.choice([500, 502, 503, 504])
    times = run.dice.randint(1, 3)
    fault_ = run.storage_fault(method, path, status=status, times=times)
    run.send(run.lane.clips.large if point == "chunk" else run.lane.clips.short)
    run.start()
    run.wait_event(fault_.hit, "Storage was asked")


@fault(31)
def storage_says_when_to_come_back(run: Run, point: str) -> None:
    busy = run.storage_fault("GET", READ, status=429, headers={"retry-after": "3"})
    job = run.send()
    run.start()
    run.wait_event(busy.hit, "Storage was asked")
    refused_at = time.monotonic()
    again = run.storage_fault("GET", READ, bytes_per_second=1 << 30)
    run.wait_event(again.hit, "Storage is asked again")
    assert time.monotonic() - refused_at > 2.5, "it came back earlier than it was told"
    run.expect(job)


@fault(32, "401", "403")
def storage_refuses(run: Run, point: str) -> None:
    """Not tried hot: the next attempt is a minute away."""
    denied = run.storage_fault("GET", "/object/info/videos", status=int(point), times=2)
    job = run.send()
    run.start()
    run.begun(job, 1)
    run.wait_for(job, "queued")
    assert denied.times == 1, "asked once"
    wait = run.sql("select run_at > now() + interval '30 s' later from public.video_jobs")
    assert wait[0]["later"]
    denied.times = 0
    run.make_due(job)
    run.expect(job, attempts=2, code="storage_denied")


@fault(33)
def video_deleted(run: Run, point: str) -> None:
    job = run.send()
    run.http.delete(f"/object/videos/{run.job(job)['input_path']}").raise_for_status()
    run.start()
    run.expect(job, "failed", code="input_missing")


@fault(34)
def slow_body(run: Run, point: str) -> None:
    """The lease is renewed meanwhile."""
    slow = run.storage_fault("GET", READ, bytes_per_second=1000)
    job = run.send(run.lane.clips.large)
    run.start()
    run.start()
    run.wait_event(slow.hit, "the download has begun")
    time.sleep(LEASE * 1.5)
    assert run.job(job)["status"] == "processing"
    slow.go_on.set()
    run.expect(job)


@fault(35, quick=True)
def body_cut(run: Run, point: str) -> None:
    size = run.lane.clips.large.stat().st_size
    for _ in range(run.dice.randint(1, 4)):
        run.storage_fault("GET", READ, cut_after=run.dice.randint(0, size - 1))
    run.send(run.lane.clips.large)
    run.start()


@fault(36)
def body_shorter_than_the_object(run: Run, point: str) -> None:
    """The reply looks complete; the object's size says otherwise."""
    size = run.lane.clips.large.stat().st_size
    short = run.storage_fault("GET", READ, shorten_to=run.dice.randint(1, size - 1))
    run.send(run.lane.clips.large)
    run.start()
    run.wait_event(short.hit, "it was read")


@fault(37)
def bytes_flipped(run: Run, point: str) -> None:
    """Whatever becomes of it, it ends, and with a code if it fails."""
    spoilt = run.storage_fault("GET", READ, flip=run.dice.choice([1, 20, 1000]), times=10)
    job = run.send(run.lane.clips.large)
    run.start()
    run.wait_event(spoilt.hit, "it was read")

    def over() -> bool:
        run.make_due(job)
        return run.job(job)["status"] in ("completed", "failed")

    run.until(over, "it has ended")
    run.expect(job, "completed", "failed", attempts=(1, 2, 3))


@fault(38, "small", "large", quick=("large",))
def upload_reset(run: Run, point: str) -> None:
    """No half object is ever the result."""
    clip = run.lane.clips.large if point == "large" else run.lane.clips.short
    run.send(clip)
    run.hold("upload")
    run.start()
    run.reached("upload")
    run.storage_wire.reset_after = run.dice.randint(1, 1_000_000 if point == "large" else 5_000)
    run.let_go("upload")
    run.wait_event(run.storage_wire.struck, "the connection is reset")


@fault(39)
def upload_only_pretended(run: Run, point: str) -> None:
    job = run.send()
    pretended = run.storage_fault("POST", UPLOAD, pretend=True)
    run.start()
    run.wait_event(pretended.hit, "it was uploaded")
    run.retried_after(job, "upload_incomplete")
    run.expect(job, attempts=2, code="upload_incomplete")


@fault(40, "small", "create", "chunk", quick=("small",))
def reply_to_the_upload_lost(run: Run, point: str) -> None:
    method, path = {
        "small": ("POST", UPLOAD),
        "create": ("POST", CREATE),
        "chunk": ("PATCH", CHUNK),
    }[point]
    lost = run.storage_fault(method, path, lose_reply=True, times=run.dice.randint(1, 2))
    run.send(run.lane.clips.short if point == "small" else run.lane.clips.large)
    run.start()
    run.wait_event(lost.hit, "it was uploaded")


@fault(41)
def video_replaced_meanwhile(run: Run, point: str) -> None:
    """The result is of one video, never of a mixture."""
    size = run.lane.clips.large.stat().st_size
    job = run.send(run.lane.clips.large)
    run.hold("download")
    run.storage_fault("GET", READ, cut_after=run.dice.randint(1, size - 1))
    run.start()
    run.reached("download")
    path = run.job(job)["input_path"]
    run.store("videos", path, run.lane.clips.short.read_bytes(), "video/mp4")
    run.let_go("download")

    def over() -> bool:
        run.make_due(job)
        return run.job(job)["status"] in ("completed", "failed")

    run.until(over, "it has ended")
    run.expect(job, attempts=2, code="input_changed")
