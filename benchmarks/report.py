"""What every benchmark prints: tables in Markdown, and as the last line one JSON object."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence


def print_load() -> None:
    """How busy the machine was before, for whoever reads the figures."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")


def print_figures(figures: Mapping[str, float]) -> None:
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
