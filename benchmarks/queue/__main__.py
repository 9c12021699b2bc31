"""Measure everything, print the tables, and the figures with their ratios."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.queue.age import measure_age
from benchmarks.queue.arena import Arena
from benchmarks.queue.burn import Rates, measure_burns
from benchmarks.queue.contestants import ALL
from benchmarks.queue.latency import Idle, Samples, measure_backlog, measure_idle, percentile
from benchmarks.queue.standing import Standing, measure_standing
from benchmarks.report import print_figures, print_load

PEERS = ("procrastinate", "pgqueuer")


def latency_figures(
    idle: dict[str, Idle], backlog: dict[str, dict[str, Samples]]
) -> dict[str, float]:
    """With a backlog the worse of both kinds counts."""
    figures: dict[str, float] = {}
    for name in idle:
        prefix = "" if name == "ours" else f"{name}_"
        figures |= {
            f"{prefix}latency_p50_ms": percentile(idle[name].samples, 0.5),
            f"{prefix}latency_p99_ms": percentile(idle[name].samples, 0.99),
            f"{prefix}backlog_latency_p50_ms": max(
                percentile(samples[name], 0.5) for samples in backlog.values()
            ),
            f"{prefix}over_50_ms": sum(
                sample > 50
                for samples in (idle[name].samples, *(kind[name] for kind in backlog.values()))
                for sample in samples
            ),
            f"{prefix}wal_bytes_per_job": idle[name].wal,
        }
    for peer in PEERS:
        figures[f"latency_vs_{peer}"] = (
            figures["latency_p50_ms"] / figures[f"{peer}_latency_p50_ms"]
        )
    figures["backlog_vs_idle"] = figures["backlog_latency_p50_ms"] / figures["latency_p50_ms"]
    return figures


def burn_figures(rates: Rates) -> dict[str, float]:
    names = {
        "1 process, 1 slot": "claims_per_s_1_slot",
        "1 process, 10 slots": "claims_per_s",
        "4 processes, 4 slots": "claims_per_s_4_processes",
    }
    figures = {
        ("" if contestant == "ours" else f"{contestant}_") + names[setting]: rate
        for (setting, contestant), rate in rates.items()
    }
    for peer in PEERS:
        figures[f"claims_vs_{peer}"] = figures["claims_per_s"] / figures[f"{peer}_claims_per_s"]
    return figures


def standing_figures(standing: dict[str, Standing]) -> dict[str, float]:
    ours = standing["ours"]
    return {
        "idle_statements_per_min": ours.statements,
        "connections_per_worker": ours.connections,
        "recovery_s": max(ours.recoveries),
    }


def main() -> None:
    print_load()
    with tempfile.TemporaryDirectory() as folder, Arena(Path(folder), ALL) as arena:
        figures = latency_figures(measure_idle(arena), measure_backlog(arena))
        figures |= burn_figures(measure_burns(arena))
        figures |= standing_figures(measure_standing(arena))
        age = measure_age(arena)
    figures |= {f"claim_ms_{state}": milliseconds for state, milliseconds in age.items()}
    print_figures(figures)


if __name__ == "__main__":
    main()
