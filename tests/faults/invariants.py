"""What must be true after every fault."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.clips import ffmpeg
from tests.faults.world import FINAL, PATIENCE, Expectation, Row, Run, StuckError
from worker.workspace import Workspace

NEVER_LOGGED = ("job.crashed", "background.crashed", "not json")
CANCEL_SECONDS = 5.0


@dataclass
class Verdict:
    """What was found wrong, by kind."""

    lost: int = 0
    double_finish: int = 0
    stuck: int = 0
    orphans: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, kind: str, text: str) -> None:
        if kind:
            setattr(self, kind, getattr(self, kind) + 1)
        self.violations.append(text)


def check(run: Run, verdict: Verdict) -> None:
    """Wait for the end of every job, end the workers in order, and look at everything."""
    jobs = {job for job in run.expected if job not in run.gone}
    try:
        run.until(
            lambda: all(run.job(job)["status"] in FINAL for job in jobs), "every job is final"
        )
    except StuckError:
        for job in jobs:
            if (row := run.job(job))["status"] not in FINAL:
                verdict.add("stuck", f"stuck: {row['status']} {row['stage']}")
    for job in jobs:
        for kind, text in _judge_job(run, run.job(job), run.expected[job]):
            verdict.add(kind, text)
    _end_workers(run, verdict)
    _sweep(run, verdict)
    _look_for_leftovers(run, verdict)


def _judge_job(run: Run, row: Row, expected: Expectation) -> Iterator[tuple[str, str]]:
    if row["status"] == "deleted":
        yield "lost", "the row is gone"
        return
    if row["status"] not in expected.statuses:
        yield "", f"{row['status']} ({row['error_code']}) instead of {expected.statuses}"
    if row["attempt"] not in expected.attempts:
        yield "", f"attempt {row['attempt']} instead of {expected.attempts}"
    events = run.sql(
        "select status, error_code from video_worker.job_events where job_id = %s", row["id"]
    )
    finals = [event["status"] for event in events if event["status"] in FINAL]
    if len(finals) > 1:
        yield "double_finish", f"ended {len(finals)} times: {finals}"
    if expected.code and expected.code not in {event["error_code"] for event in events}:
        yield "", f"no attempt ended with {expected.code}"
    if row["status"] == "cancelled" and row["started_at"]:
        took = (row["finished_at"] - row["cancel_requested_at"]).total_seconds()
        if took > CANCEL_SECONDS:
            yield "", f"stopped {took:.1f} s after the cancel"
    if row["status"] == "completed":
        yield from _judge_output(run, row)


def _judge_output(run: Run, row: Row) -> Iterator[tuple[str, str]]:
    """The result exists, is whole, and can be played to its end."""
    answer = run.http.get(f"/object/renders/{row['output_path']}")
    if answer.status_code != 200:
        yield "lost", f"the output is gone: {answer.text}"
        return
    info = row["output_info"]
    if len(answer.content) != info["size_bytes"]:
        yield "", f"the output has {len(answer.content)} bytes, not {info['size_bytes']}"
    file = run.folder / "output.mp4"
    file.write_bytes(answer.content)
    frames = ffmpeg("-xerror", "-i", file, "-map", "0:v:0", "-f", "framecrc", "pipe:1")
    count = sum(not line.startswith(b"#") for line in frames.splitlines())
    if count != info["frames"]:
        yield "", f"{count} frames instead of {info['frames']}"
    if run.http.get(f"/object/info/renders/{row['poster_path']}").status_code != 200:
        yield "lost", "the poster is gone"
    used = run.sql(
        "select count(*) n from public.video_jobs where output_path = %s", row["output_path"]
    )
    if used[0]["n"] != 1:
        yield "double_finish", f"{used[0]['n']} rows point at one output"


def _end_workers(run: Run, verdict: Verdict) -> None:
    """SIGTERM ends those that live, with 0, and leaves no process."""
    alive = [w for w in run.workers if w.process.poll() is None]
    for worker in alive:
        worker.process.send_signal(signal.SIGCONT)
    if not alive or any(worker.process.pid in run.killed for worker in alive):
        alive.append(run.start())  # somebody must sweep
    try:
        _clear_orphans(run)
    except StuckError:
        verdict.add("orphans", "the list of orphans is not worked off")
    for worker in alive:
        worker.terminate()
    for worker in alive:
        try:
            code = worker.wait(PATIENCE)
        except Exception:
            verdict.add("stuck", "a worker did not end on SIGTERM")
            worker.process.send_signal(signal.SIGABRT)
            continue
        if code and worker.process.pid not in run.killed:
            verdict.add("", f"a worker ended with {code}")
    for worker in run.workers:
        for event in worker.events:
            if event["event"] in NEVER_LOGGED and worker.process.pid not in run.killed:
                verdict.add("", f"logged: {str(event)[:1500]}")
        if len(worker.events) > 1000:
            verdict.add("", f"{len(worker.events)} lines logged")


def _clear_orphans(run: Run) -> None:
    run.sql("update video_worker.orphans set due_at = now()")
    left = "select count(*) n from video_worker.orphans"
    run.until(lambda: run.sql(left)[0]["n"] == 0, "the orphans are swept")


def _sweep(run: Run, verdict: Verdict) -> None:
    """No object that no row points at, no lease that nobody holds."""
    stray = run.sql(
        "select o.name from storage.objects o where o.bucket_id = 'renders' and not exists ("
        " select from public.video_jobs j where o.name in (j.output_path, j.poster_path))"
    )
    for row in stray:
        verdict.add("orphans", f"object {row['name']}")
    leases = run.sql("select job_id from video_worker.leases")
    if leases:
        verdict.add("stuck", f"{len(leases)} leases left")


def _look_for_leftovers(run: Run, verdict: Verdict) -> None:
    """No process, and after the sweep that every start begins with, no file."""
    deadline = time.monotonic() + 5
    while (processes := run.ffmpegs()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in processes:
        verdict.add("orphans", f"process {process}: {_command(process)}")
        os.kill(process, signal.SIGKILL)
    if run.work_dir.exists():
        Workspace(run.work_dir, "sweep").close()
        for path in run.work_dir.iterdir():
            verdict.add("orphans", f"file {path.name}")


def _command(process: int) -> str:
    try:
        text = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return ""
    return text.decode(errors="replace")[:200]
