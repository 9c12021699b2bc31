"""The choice of the encoder by trying, and what happens when one fails. No device is needed: on a
machine without one ffmpeg's hardware encoders fail for real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clips import HEIGHT, WIDTH, Clip
from tests.rendering import MAX_PIXELS, SRT
from worker.errors import ConfigurationError, JobError, JobWarning
from worker.media.burn import burn
from worker.media.encoder import (
    HARDWARE,
    QUALITIES,
    X264,
    Encoder,
    Encoding,
    Quality,
    choose_encoder,
)
from worker.media.encoder import (
    test_encoder as encoder_works,
)
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.options import read_options
from worker.media.probe import INPUT, probe
from worker.media.render import OUTPUT, SCRIPT
from worker.media.script.ass import write_script
from worker.media.style import Style
from worker.media.subtitles import read_subtitles

BROKEN = Encoder("nvenc", "libx264", ("-init_hw_device", "cuda:no-such-device"))
"""Fails to open its device anywhere."""
SOFT = Encoder("vulkan", "libopenh264", upload=(("format", "yuv420p"),), rate={"b:v": "500k"})
"""Works anywhere, and is described like a hardware encoder."""


async def burn_with(program: Ffmpeg, folder: Path, encoder: Encoder) -> list[JobWarning]:
    info = await probe(program, folder, MAX_PIXELS)
    script = write_script(read_subtitles(SRT.encode()).cues, Style(), WIDTH, HEIGHT)
    (folder / SCRIPT).write_text(script)
    rendered = await burn(
        program,
        folder,
        info,
        Encoding(encoder, QUALITIES["draft"], threads=2),
        "full",
        max_duration=60,
        max_seconds=60,
        on_progress=lambda share: None,
    )
    assert rendered.frames == 100
    return rendered.warnings


async def test_x264_passes_the_test_of_encoders(program: Ffmpeg, tmp_path: Path) -> None:
    assert await encoder_works(program, tmp_path, X264) is None
    assert await encoder_works(program, tmp_path, SOFT) is None
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


async def test_an_encoder_without_its_device_fails_the_test_with_the_reason(
    program: Ffmpeg, tmp_path: Path
) -> None:
    reason = await encoder_works(program, tmp_path, BROKEN)
    assert reason
    assert "\n" not in reason


async def test_auto_takes_the_first_that_works(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.media.encoder.HARDWARE", (BROKEN, SOFT))
    assert await choose_encoder(program, tmp_path, "auto") is SOFT
    monkeypatch.setattr("worker.media.encoder.HARDWARE", (BROKEN,))
    assert await choose_encoder(program, tmp_path, "auto") is X264


async def test_one_that_is_asked_for_by_name_must_work(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.media.encoder.HARDWARE", (BROKEN, SOFT))
    assert await choose_encoder(program, tmp_path, "vulkan") is SOFT
    assert await choose_encoder(program, tmp_path, "x264") is X264
    with pytest.raises(ConfigurationError, match="WORKER_ENCODER=nvenc does not work here"):
        await choose_encoder(program, tmp_path, "nvenc")


async def test_when_one_fails_in_a_job_x264_does_the_work(program: Ffmpeg, tmp_path: Path) -> None:
    Clip().make(tmp_path / "clip.mp4").rename(tmp_path / INPUT)
    assert await burn_with(program, tmp_path, SOFT) == []
    (tmp_path / OUTPUT).unlink()
    warnings = await burn_with(program, tmp_path, BROKEN)
    assert warnings == [JobWarning.of("encoder_failed", encoder="nvenc")]


def with_device(device: Path) -> Encoder:
    """One that works only while it can read ``device``, which lies where no ffmpeg may look."""
    device.write_text("LUT_3D_SIZE 2\n" + "".join(
        f"{r} {g} {b}\n" for b in (0, 1) for g in (0, 1) for r in (0, 1)
    ))  # fmt: skip
    upload = (("format", "rgb24"), ("lut3d", str(device)), *SOFT.upload)
    return replace(SOFT, upload=upload, reach=(f"d:{device.parent}/dev*",))


async def test_the_device_of_an_encoder_can_be_reached_by_it_alone(
    program: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.level in ("full", "files"), "else there is nothing to prove"
    device, folder = tmp_path / "device.cube", tmp_path / "job"
    folder.mkdir()
    encoder = with_device(device)
    locked_out = replace(encoder, reach=())
    monkeypatch.setattr("worker.media.encoder.HARDWARE", (locked_out, encoder))
    assert await encoder_works(program, folder, locked_out)
    assert await choose_encoder(program, folder, "auto") is encoder
    Clip().make(folder / "clip.mp4").rename(folder / INPUT)
    assert await burn_with(program, folder, encoder) == []
    reading = ["-v", "error", "-f", "s8", "-i", f"file:{device}", "-f", "s8", "pipe:1"]
    assert (await program.run(reading, folder, Limits())).stdout == b""
    (folder / OUTPUT).unlink()
    device.unlink()
    warnings = await burn_with(program, folder, encoder)
    assert warnings == [JobWarning.of("encoder_failed", encoder="vulkan")], "it was pulled out"


async def test_what_is_the_inputs_fault_is_not_tried_again(program: Ffmpeg, tmp_path: Path) -> None:
    source = Clip(seconds=10).make(tmp_path / "clip.mp4", "-movflags", "+faststart")
    data = source.read_bytes()
    (tmp_path / INPUT).write_bytes(data[: len(data) // 2])
    with pytest.raises(JobError) as raised:
        await burn_with(program, tmp_path, SOFT)
    assert raised.value.code == "video_truncated"


@pytest.mark.parametrize("encoder", HARDWARE, ids=lambda encoder: encoder.name)
def test_a_quality_reaches_hardware_as_a_number_and_a_step(encoder: Encoder) -> None:
    options = encoder.options(Quality("superfast", 23), threads=2)
    assert 23 in options.values()
    assert options["c:v"] == encoder.codec
    assert "pix_fmt" not in options, "its pictures are on the device already"
    slow = encoder.options(Quality("slow", 23), threads=2)
    assert (slow == options) == (encoder.steps is None)


def test_raw_values_win_over_the_named_quality() -> None:
    assert read_options({}).encoding == QUALITIES["standard"]
    assert read_options({"quality": "high", "crf": 25}).encoding == Quality("faster", 25)
    assert read_options({"preset": "slow"}).encoding == Quality("slow", 20)
    with pytest.raises(JobError, match="crf"):
        read_options({"crf": 51})
