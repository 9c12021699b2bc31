"""The commands that run folders of files: they count what is there, and no loss escapes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clips import ffmpeg
from tests.corpus.__main__ import CUES, NO_CUE, disappoints
from tests.corpus.bench import Bench, Result
from tests.corpus.losses import find_losses, find_unseen
from tests.integration.test_videos import KINDS


def command(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=110
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_folder_is_run_file_by_file(tmp_path: Path) -> None:
    KINDS[0].make(tmp_path)
    (tmp_path / "bad.mkv").write_text("no video")
    (tmp_path / "s.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")
    (tmp_path / "MANIFEST.tsv").write_text("file\texpected\nbad.mkv\tclear error\ns.vtt\tsucceed\n")
    code, lines = command("tests.corpus", str(tmp_path))
    assert [(line.split()[0], line.split("[")[1]) for line in lines[:-1]] == [
        ("failed", "invalid_video]"),
        ("succeeded", "-]"),
        ("succeeded", "cues_past_end]"),
    ]
    assert json.loads(lines[-1]) == {
        "files": 3,
        "succeeded": 2,
        "failed_with_code": 1,
        "crashed": 0,
        "silent_loss": 0,
    }
    assert code == 0


@pytest.mark.parametrize(
    ("expected", "outcome", "wrong"),
    [
        ("succeed; upright", "succeeded", False),
        ("succeed; upright", "failed", True),
        ("clear error (no video)", "failed", False),
        ("clear error (no video)", "succeeded", True),
        ("succeed with a damage warning, or clear error", "failed", False),
        ("clear error", "crashed", True),
    ],
)
def test_the_manifest_is_held_against_the_outcome(expected: str, outcome: str, wrong: bool) -> None:
    assert disappoints(expected, f"{outcome}  x") is wrong


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Bench.open(tmp_path / "bench") as bench:
        yield bench


async def test_a_result_that_lacks_something_is_found_out(bench: Bench, tmp_path: Path) -> None:
    source = KINDS[0].make(tmp_path)
    subtitles = tmp_path / "cues.srt"
    subtitles.write_text(CUES)
    whole = await bench.run(source, subtitles)
    assert whole.output

    async def losses(*change: str, **info: object) -> list[str]:
        output = tmp_path / "changed.mp4"
        ffmpeg("-i", whole.output or "", *change, "-c:v", "libx264", "-c:a", "copy", output)
        result = Result(output, {**whole.info, **info})
        return await find_losses(bench.ffmpeg, tmp_path, source, subtitles, result)

    assert await losses() == []
    assert await losses("-vf", "trim=end_frame=40", frames=40) == ["10 of 50 frames"]
    assert await losses(frames=49) == ["49 frames are said to be there, 50 are"]
    (sound,) = await losses("-an")
    assert sound.endswith("s of sound")
    assert await losses(cues=9) == ["1 of 10 cues"]
    assert await losses(cues=9, warnings=[{"code": "text_ignored", "message": ""}]) == []


async def test_a_cue_that_is_not_on_the_picture_is_found_out(bench: Bench, tmp_path: Path) -> None:
    source = KINDS[0].make(tmp_path)
    texts = {"all.srt": CUES, "one.srt": CUES.split("2\n")[0], "none.srt": NO_CUE}
    results = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        result = await bench.run(source, tmp_path / name, style={"size": 15})
        assert result.output
        results[name] = result

    async def unseen(shown: str) -> list[str]:
        both = results[shown], results["none.srt"]
        return await find_unseen(bench.ffmpeg, tmp_path, tmp_path / "all.srt", *both)

    assert await unseen("all.srt") == []
    assert await unseen("one.srt") == ["the cue at 1.000 s: 'Subtitle 2'"]


def test_a_short_fuzz_finds_nothing() -> None:
    corpus = ["--corpus", os.environ["CORPUS_DIR"]] if "CORPUS_DIR" in os.environ else []
    code, lines = command("tests.corpus.fuzz", "--seconds", "20", "--seed", "7", *corpus)
    found = json.loads(lines[-1])
    assert code == 0, lines
    assert found["runs"] > 0
    assert found["succeeded"] + found["failed_with_code"] == found["runs"]


@pytest.mark.skipif("CORPUS_DIR" not in os.environ, reason="CORPUS_DIR names no corpus")
@pytest.mark.timeout(600)
def test_every_file_of_the_corpus_ends_as_its_manifest_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.corpus", os.environ["CORPUS_DIR"]],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
