"""Our own ASS script."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.vectors.__main__ import FOLDER, MARKUP, markup_read, script_of
from worker.media.subtitles.colours import COLOURS


@pytest.mark.parametrize("case", sorted(FOLDER.glob("*.json")), ids=lambda case: case.stem)
def test_a_script_is_the_same_to_the_byte(case: Path) -> None:
    assert script_of(case) == case.with_suffix(".ass").read_text(encoding="utf-8")


def test_the_vectors_of_markup_say_what_is_read() -> None:
    expected = MARKUP.read_text(encoding="utf-8")
    texts = [case["markup"] for case in json.loads(expected)]
    assert markup_read(texts) == expected, "run: make vectors"


def test_the_page_knows_the_same_colours() -> None:
    page = Path("frontend/src/subtitles/script/colours.ts").read_text(encoding="utf-8")
    assert dict(re.findall(r"(\w+): '(#\w{6})'", page)) == COLOURS
