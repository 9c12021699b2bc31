"""``make faults``: the whole campaign. The last line is one JSON object; the exit code says whether
anything was found."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.campaign import run_all
from tests.faults.catalogue import chosen


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="so many runs of each scenario")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a number, or a part of the name")
    parser.add_argument("--quick", action="store_true", help="only those that run in make test")
    parser.add_argument("--lanes", type=int, default=4, help="so many runs side by side")
    parser.add_argument("--postgres", type=Path, help="the folder with another Postgres's programs")
    options = parser.parse_args()
    scenarios = [s for s in chosen(options.only) if s.quick or not options.quick]
    if not scenarios:
        parser.error(f"no scenario is called {options.only!r}")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    todo = [(scenario, seed) for seed in seeds for scenario in scenarios]
    random.Random(options.first_seed).shuffle(todo)
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        results = run_all(todo, min(options.lanes, len(todo)), Path(folder), options.postgres)
    verdicts = [result.verdict for result in results]
    for name in sorted({f"{r.scenario}: {r.skipped}" for r in results if r.skipped}):
        print(f"skipped: {name}")
    slowest = sorted(results, key=lambda result: -result.seconds)[:3]
    print("slowest: " + "; ".join(f"{r.scenario} {r.seconds:.0f} s" for r in slowest))
    print(
        json.dumps(
            {
                "runs": len([result for result in results if not result.skipped]),
                "lost": sum(v.lost for v in verdicts),
                "double_finish": sum(v.double_finish for v in verdicts),
                "stuck": sum(v.stuck for v in verdicts),
                "orphans": sum(v.orphans for v in verdicts),
                "violations": [
                    f"{r.scenario}, seed {r.seed}: {text}"
                    for r in results
                    for text in r.verdict.violations
                ],
            }
        )
    )
    return 1 if any(v.violations for v in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
