"""A few of the faults, by the command that runs them all; and that none of the list is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import campaign
from tests.faults.catalogue import SCENARIOS

ROOT = Path(__file__).parents[2]


def test_every_fault_of_the_list_is_injected() -> None:
    assert campaign.database, "importing the faults has registered them"
    assert {scenario.number for scenario in SCENARIOS} == set(range(1, 50))


def test_the_list_in_the_readme_is_that_of_the_code() -> None:
    text = (ROOT / "tests" / "faults" / "README.md").read_text()
    for scenario in SCENARIOS:
        assert f"| {scenario.number} | {scenario.name} |" in text, scenario


@pytest.mark.timeout(400)
def test_nothing_is_lost_by_the_quick_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--quick"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["runs"] == sum(scenario.quick for scenario in SCENARIOS)
    assert result["violations"] == []
