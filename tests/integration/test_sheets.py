"""The contact sheets in docs/, which someone has looked at, are what is drawn today."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from docs.sheets import FOLDER, SHEETS, draw
from tests.clips import FFMPEG, Frames, ffmpeg
from worker.media.ffmpeg import Ffmpeg


def picture(path: Path, width: int) -> Frames:
    raw = ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
    return np.frombuffer(raw, np.uint8).reshape(-1, width)


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_looks_as_it_did(tmp_path: Path, sheet: str) -> None:
    """Tile by tile, so that one glyph that became a box shows. See `make sheets`."""

    async def drawn() -> set[int]:
        return await draw(await Ffmpeg.find(Path(FFMPEG), tmp_path), tmp_path, *SHEETS[sheet])

    assert asyncio.run(drawn()) == set(), "a glyph is missing"
    tiles, (width, _), height = SHEETS[sheet]
    columns = 1280 // width
    before = picture(FOLDER / sheet, columns * width).astype(int)
    after = picture(tmp_path / "sheet.png", columns * width).astype(int)
    for number, (title, *_) in enumerate(tiles):
        row, column = divmod(number, columns)
        tile = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
        different = (np.abs(before[tile] - after[tile]) > 40).sum()
        assert different <= 40, f"{title}: {different} pixels differ"
