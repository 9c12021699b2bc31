"""The list of faults: what each is called, by number, and at which points it is injected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.world import Run

POINTS = ("claim", "download", "render", "upload", "finish")

Act = Callable[[Run, str], None]


@dataclass(frozen=True)
class Scenario:
    """One fault at one point. ``quick`` ones run in ``make test``."""

    number: int
    name: str
    act: Act
    point: str
    quick: bool

    def __str__(self) -> str:
        return f"{self.number:02d} {self.name}" + (f" at {self.point}" if self.point else "")


SCENARIOS: list[Scenario] = []


def fault(
    number: int,
    *points: str,
    name: str | None = None,
    quick: tuple[str, ...] | bool = False,
    step: int = 0,
) -> Callable[[Act], Act]:
    """Register ``act(run, point)``; ``step`` is from one point's number to the next one's."""

    def register(act: Act) -> Act:
        for offset, point in enumerate(points or ("",)):
            is_quick = point in quick if isinstance(quick, tuple) else quick
            words = name or act.__name__.replace("_", " ")
            SCENARIOS.append(Scenario(number + offset * step, words, act, point, is_quick))
        return act

    return register


def chosen(only: str) -> Iterator[Scenario]:
    """Those whose number is ``only`` or whose name contains it; all if it is empty."""
    for scenario in sorted(SCENARIOS, key=lambda s: s.number):
        if not only or only == str(scenario.number) or only in str(scenario):
            yield scenario
