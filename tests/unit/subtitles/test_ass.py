"""Our own ASS script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.vectors.__main__ import FOLDER, MARKUP, markup_read, script_of


@pytest.mark.parametrize("case", sorted(FOLDER.glob("*.json")), ids=lambda case: case.stem)
def test_a_script_is_the_same_to_the_byte(case: Path) -> None:
    assert script_of(case) == case.with_suffix(".ass").read_text(encoding="utf-8")


def test_the_vectors_of_markup_say_what_is_read() -> None:
    expected = MARKUP.read_text(encoding="utf-8")
    texts = [case["markup"] for case in json.loads(expected)]
    assert markup_read(texts) == expected, "run: make vectors"
