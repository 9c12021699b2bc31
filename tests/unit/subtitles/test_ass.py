"""Our own ASS script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vectors.__main__ import FOLDER, script_of


@pytest.mark.parametrize("case", sorted(FOLDER.glob("*.json")), ids=lambda case: case.stem)
def test_a_script_is_the_same_to_the_byte(case: Path) -> None:
    assert script_of(case) == case.with_suffix(".ass").read_text(encoding="utf-8")
