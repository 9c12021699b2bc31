"""The file that tells ffmpeg where the fonts are."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.media.fonts import write_fontconfig


def test_the_fonts_are_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = write_fontconfig(Path("work"))
    assert file == tmp_path / "work" / "fonts.conf"
    assert f"<cachedir>{tmp_path}/work/cache</cachedir>" in file.read_text()
