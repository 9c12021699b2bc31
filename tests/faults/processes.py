"""Faults 1 to 16: what happens to processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress

from tests.faults.catalogue import POINTS, fault
from tests.faults.world import Run


@fault(1, *POINTS, step=1, quick=("render", "finish"))
def worker_killed(run: Run, point: str) -> None:
    """Another takes the job over; the attempt stays spent."""
    clip = run.lane.clips.long if point == "render" else run.lane.clips.large
    job = run.send(clip)
    run.hold(point)
    victim = run.start()
    run.reached(point)
    run.start()
    run.kill(victim)
    run.let_go(point)
    run.expect(job, attempts=2, code="worker_lost")


@fault(5, "finished", name="worker killed")
def worker_killed_when_all_is_written(run: Run, point: str) -> None:
    job = run.send()
    run.hold(point)
    victim = run.start()
    run.reached(point)
    run.kill(victim)
    run.let_go(point)
    run.expect(job)


@fault(6, *POINTS, step=1, quick=("claim",))
def worker_told_to_end(run: Run, point: str) -> None:
    """It finishes the job or gives it back; no attempt is spent."""
    job = run.send(run.lane.clips.large)
    run.hold(point)
    victim = run.start(WORKER_GRACE_SECONDS=run.dice.choice(["0", "60"]))
    run.reached(point)
    victim.terminate()
    run.until(lambda: victim.logged("worker.draining"), "the worker drains")
    run.let_go(point)
    run.start()
    run.expect(job)


@fault(11, "render", quick=True)
@fault(12, "upload")
def worker_paused_past_its_lease(run: Run, point: str) -> None:
    """It wakes up when another has done its job, and must not touch the result."""
    job = run.send()
    run.hold(point)
    paused = run.start()
    run.reached(point)
    paused.process.send_signal(signal.SIGSTOP)
    run.start()
    run.let_go(point)
    run.wait_for(job)
    paused.process.send_signal(signal.SIGCONT)
    run.until(lambda: paused.logged("job.finished"), "the paused worker is done")
    assert paused.logged("job.finished")[-1]["outcome"] == "lost"
    run.expect(job, attempts=2, code="worker_lost")


@fault(13, "render")
def ffmpeg_killed(run: Run, point: str) -> None:
    fail_by_signals(run, signal.SIGKILL, run.ffmpegs, "render_killed")


@fault(14, "render")
def ffmpeg_stopped(run: Run, point: str) -> None:
    """The watchdog ends what makes no progress."""
    fail_by_signals(run, signal.SIGSTOP, run.renders, "render_stalled")


def fail_by_signals(
    run: Run, number: signal.Signals, targets: Callable[[], Iterable[int]], code: str
) -> None:
    """Every target gets the signal until the attempt has failed with ``code``; the next one
    completes."""
    job = run.send(run.lane.clips.long)
    run.start()

    def failed() -> bool:
        for process in targets():
            with suppress(ProcessLookupError):
                os.kill(process, number)
        row = run.job(job)
        return bool(row["status"] != "processing" and row["attempt"] == 1)

    run.until(failed, "the attempt has failed")
    run.make_due(job)
    run.expect(job, attempts=2, code=code)


@fault(15, "render")
def second_signal(run: Run, point: str) -> None:
    """It means now: the job is given back, and nothing goes on running."""
    job = run.send(run.lane.clips.long)
    worker = run.start(WORKER_GRACE_SECONDS="600")
    run.until(run.ffmpegs, "ffmpeg runs")
    signals = run.dice.choice([(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)])
    worker.process.send_signal(signals[0])
    run.until(lambda: worker.logged("worker.draining"), "the worker drains")
    worker.process.send_signal(signals[1])
    assert worker.wait() == 0
    assert run.ffmpegs() == []
    run.start()
    run.expect(job)


@fault(16)
def many_claim_at_once(run: Run, point: str) -> None:
    """Each of five jobs is done once, by three workers that were all waiting."""
    workers = [run.start(WORKER_CONCURRENCY="2") for _ in range(3)]
    run.until(lambda: all(w.logged("listener.live") for w in workers), "notifications arrive")
    for _ in range(5):
        run.send()
