"""Runs scenarios one after the other in several lanes, and counts."""

from __future__ import annotations

import logging
import queue
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from tests.faults import database, machine, people, processes, storage
from tests.faults.catalogue import Scenario
from tests.faults.invariants import Verdict, check
from tests.faults.world import Clips, Lane, Run, StuckError

__all__ = ["database", "machine", "people", "processes", "storage"]


@dataclass
class Result:
    scenario: Scenario
    seed: int
    verdict: Verdict
    seconds: float
    skipped: str = ""


def run_once(lane: Lane, scenario: Scenario, seed: int) -> Result:
    """One fault, once, and what is wrong afterwards. If anything is, the workers' logs are kept."""
    started = time.monotonic()
    run = Run(lane, f"{scenario.name} {scenario.point}", seed)
    verdict = Verdict()
    skipped = ""
    try:
        try:
            scenario.act(run, scenario.point)
        except StuckError as error:
            verdict.add("stuck", f"it did not happen that {error}")
        except pytest.skip.Exception as error:
            skipped = str(error)
        except Exception:
            verdict.add("", traceback.format_exc(limit=-2))
        for point in run.points.iterdir():
            point.unlink()
        if not skipped:
            check(run, verdict)
    except Exception:
        verdict.add("", traceback.format_exc(limit=-3))
    finally:
        if verdict.violations:
            _keep_logs(run, scenario, seed)
        run.close()
        shutil.rmtree(run.folder, ignore_errors=True)
    return Result(scenario, seed, verdict, time.monotonic() - started, skipped)


def _keep_logs(run: Run, scenario: Scenario, seed: int) -> None:
    folder = Path(tempfile.gettempdir()) / "video-worker-faults"
    folder.mkdir(exist_ok=True)
    with (folder / f"{scenario} seed {seed}.log".replace("/", "_")).open("w") as file:
        for number, worker in enumerate(run.workers):
            for event in worker.events:
                print(number, event, file=file)


def run_all(
    scenarios: Sequence[tuple[Scenario, int]], lanes: int, folder: Path, bin_dir: Path | None
) -> list[Result]:
    """Every scenario with its seed, in so many lanes at a time; prints a line for each."""
    quiet()
    todo: queue.SimpleQueue[tuple[Scenario, int]] = queue.SimpleQueue()
    for item in scenarios:
        todo.put(item)
    results: list[Result] = []
    clips = Clips.make(folder)

    def work(number: int) -> None:
        lane_folder = folder / str(number)
        lane_folder.mkdir()
        lane = Lane.open(lane_folder, clips, bin_dir)
        try:
            while True:
                try:
                    scenario, seed = todo.get_nowait()
                except queue.Empty:
                    return
                result = run_once(lane, scenario, seed)
                results.append(result)
                mark = "skip" if result.skipped else "FAIL" if result.verdict.violations else "ok"
                line = f"{len(results):4d}/{len(scenarios)} {result.seconds:6.1f} s  {mark:4s} "
                print(f"{line} {scenario}, seed {seed}", flush=True)
                for violation in result.verdict.violations:
                    print(f"          {violation}", flush=True)
        finally:
            lane.close()

    threads = [threading.Thread(target=work, args=[n]) for n in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def quiet() -> None:
    """The stacks in this process break connections on purpose."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    for name in ("uvicorn.error", "asyncio", "psycopg.pool", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
