"""Faults 27 to 29: a machine that has too little of something."""

from __future__ import annotations

import resource
from contextlib import suppress

from tests.faults.catalogue import fault
from tests.faults.world import Run


@fault(27, "download")
def file_too_large(run: Run, point: str) -> None:
    """By a limit on the size of a file, which is the same to the worker, and needs no root."""
    clip = run.lane.clips.large
    job = run.send(clip)
    poor = run.start(limits={resource.RLIMIT_FSIZE: clip.stat().st_size // 2})
    run.retried_after(job, "disk_full")
    poor.terminate()
    poor.wait()
    run.start()
    run.make_due(job)
    run.expect(job, attempts=(2, 3), code="disk_full")


@fault(27, "render")
def disk_full(run: Run, point: str) -> None:
    """Somebody else fills the disk while ffmpeg writes."""
    run.use_small_disk(megabytes=220)
    job = run.send(run.lane.clips.long)
    run.hold(point)
    run.start()
    run.reached(point)
    filler = run.work_dir / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(1 << 20)):
            pass
    run.let_go(point)
    run.retried_after(job, "disk_full")
    filler.unlink()
    run.make_due(job)
    run.expect(job, attempts=(2, 3), code="disk_full")


@fault(28)
def out_of_memory(run: Run, point: str) -> None:
    """What needs more memory than there is fails with a code, at most so often."""
    job = run.send(run.lane.clips.huge)
    run.start(limits={resource.RLIMIT_AS: 700 << 20})

    def over() -> bool:
        run.make_due(job)
        return bool(run.job(job)["status"] == "failed")

    run.until(over, "it has failed")
    run.expect(job, "failed", attempts=3, code="render_failed")


@fault(29, quick=True)
def out_of_files(run: Run, point: str) -> None:
    job = run.send()
    worker = run.start(wait=False, limits={resource.RLIMIT_NOFILE: run.dice.choice([16, 24, 32])})

    def over() -> bool:
        run.make_due(job)
        return worker.process.poll() is not None or run.job(job)["status"] in (
            "failed",
            "completed",
        )

    run.until(over, "it has failed or ended")
    run.kill(worker)
    if run.job(job)["status"] == "failed":
        run.expect(job, "failed", attempts=3)
    else:
        run.start()
        run.expect(job, attempts=(1, 2, 3))
