"""What of a source is not in its result: counted by decoding both, not by the worker's checks."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.corpus.bench import Result
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.packets import read_timeline
from worker.media.probe import OPEN_INPUT
from worker.media.subtitles import read_subtitles

LIMITS = Limits(file_size=64 << 30, seconds=3600)
SHORTER_SIDE = 90
"""What pictures are scaled down to before they are compared."""
AT_ONCE = 16_000_000
"""Their pixels in memory."""
CLEARLY = 40
"""A difference in brightness that no encoder makes and any subtitle does."""
SOUND_SLACK = 0.3
"""Seconds of sound that an encoder's delay and the rounding to its frames may cost."""

# The warnings that explain a loss.
OF_FRAMES = {"frames_damaged"}
OF_SOUND = {"audio_damaged", "audio_unreadable"}
OF_CUES = {"cues_without_text", "cues_repeated", "text_ignored"}
OF_TRACES = {"glyphs_missing", "cues_outside"}


@dataclass
class Decoded:
    """How many frames, and how many seconds of sound, a file decodes to."""

    frames: int
    sound: float


async def decode(ffmpeg: Ffmpeg, folder: Path, file: Path, video: int, sound: int) -> Decoded:
    """Decode the tracks with these numbers (from 1), by a command of our own."""
    shutil.copyfile(file, folder / "looked-at")
    (folder / "decoded.txt").write_text("")  # a file that can't be opened decodes to nothing
    await ffmpeg.run(
        [
            *("-v", "error", "-max_error_rate", "1", *OPEN_INPUT, "-i", "file:looked-at"),
            *("-map", f"0:V:{video - 1}", "-map", f"0:a:{sound - 1}?"),
            *("-fps_mode", "passthrough", "-f", "framecrc", "file:decoded.txt"),
        ],
        folder,
        LIMITS,
    )
    frames = read_timeline(folder / "decoded.txt").video.packets
    return Decoded(frames, _sound(folder / "decoded.txt"))


def _sound(path: Path) -> float:
    """Seconds of the second stream of a framecrc file: of its samples, since a damaged time makes
    the span from the first to the last as long as it likes."""
    text = path.read_text(encoding="ascii", errors="replace")
    base = re.search(r"^#tb 1: (\d+)/(\d+)", text, re.MULTILINE)
    lengths = re.findall(r"^1,[^,]*,[^,]*,\s*(\d+)", text, re.MULTILINE)
    return sum(map(int, lengths)) * int(base[1]) / int(base[2]) if base else 0.0


async def find_losses(
    ffmpeg: Ffmpeg,
    folder: Path,
    source: Path,
    subtitles: Path,
    result: Result,
    *,
    damaged: bool = False,
) -> list[str]:
    """What got lost and is not named in a warning of ``result``, in words.

    In ``damaged`` subtitles the plain count of cues counts rubbish too.
    """
    assert result.output
    losses = []
    tracks = numbers(result)
    before = await decode(ffmpeg, folder, source, *tracks)
    after = await decode(ffmpeg, folder, result.output, 1, 1)
    explained = result.warnings
    if after.frames < before.frames and not explained & OF_FRAMES:
        losses.append(f"{before.frames - after.frames} of {before.frames} frames")
    if after.frames != result.info["frames"]:
        losses.append(f"{result.info['frames']} frames are said to be there, {after.frames} are")
    if after.sound < before.sound * 0.97 - SOUND_SLACK and not explained & OF_SOUND:
        losses.append(f"{before.sound - after.sound:.2f} of {before.sound:.2f} s of sound")
    written = cues_written(subtitles.read_bytes())
    if result.info["cues"] < written and not explained & OF_CUES and not damaged:
        losses.append(f"{written - result.info['cues']} of {written} cues")
    return losses


def numbers(result: Result) -> tuple[int, int]:
    """Which video and sound track a result was made of, by its own word (default: the first)."""
    found = {"video_tracks": 1, "audio_tracks": 1}
    for warning in result.info["warnings"]:
        if warning["code"] in found:
            found[warning["code"]] = int(re.findall(r"\d+", warning["message"])[-1])
    return found["video_tracks"], found["audio_tracks"]


def cues_written(data: bytes) -> int:
    """A count of cues that knows nothing of the formats but their most plain sign."""
    text = data.replace(b"\0", b"")
    arrows = len(re.findall(rb"\d\s*-->\s*\d", text))
    return arrows or len(re.findall(rb"(?m)^\s*Dialogue:", text.replace(b"\r", b"\n")))


async def find_unseen(
    ffmpeg: Ffmpeg, folder: Path, subtitles: Path, shown: Result, bare: Result
) -> list[str]:
    """Cues that leave no trace on the picture. ``bare``: the same result without any."""
    assert shown.output
    with_cues = await _pictures(ffmpeg, folder, shown)
    without = await _pictures(ffmpeg, folder, bare)
    times = await _times(ffmpeg, folder, shown.output)
    if with_cues.shape != without.shape:
        return ["the same video gave two results of different length"]
    changed = _changed(with_cues, without)
    unseen = []
    for cue in read_subtitles(subtitles.read_bytes()).cues:
        during = (times >= cue.start / 1000) & (times < cue.end / 1000)
        if cue.text.strip() and during.any() and not changed[during].any():
            unseen.append(f"the cue at {cue.start / 1000:.3f} s: {cue.text!r}")
    return unseen


async def _pictures(ffmpeg: Ffmpeg, folder: Path, result: Result) -> npt.NDArray[np.uint8]:
    assert result.output
    shutil.copyfile(result.output, folder / "looked-at")
    size = (result.info["width"], result.info["height"])
    width, height = (max(2, side * SHORTER_SIDE // max(SHORTER_SIDE, min(size))) for side in size)
    scaled = f"scale={width}:{height}:flags=area,format=gray"
    raw = folder / f"{result.output.parent.name}.raw"
    await ffmpeg.run(
        [
            *("-v", "error", "-i", "file:looked-at", "-vf", scaled, "-fps_mode", "passthrough"),
            *("-f", "rawvideo", f"file:{raw.name}"),
        ],
        folder,
        LIMITS,
    )
    pictures = np.memmap(raw, np.uint8, "r").reshape(-1, height, width)
    raw.unlink()
    return pictures


def _changed(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which pictures clearly differ."""
    step = max(1, AT_ONCE // one[0].size)
    parts = [slice(at, at + step) for at in range(0, len(one), step)]
    most = [np.abs(one[part].astype(int) - other[part]).max(axis=(1, 2)) for part in parts]
    return np.concatenate(most) > CLEARLY


async def _times(ffmpeg: Ffmpeg, folder: Path, file: Path) -> npt.NDArray[np.float64]:
    shutil.copyfile(file, folder / "looked-at")
    listing = ["-v", "error", "-copyts", "-i", "file:looked-at", "-map", "0:v:0"]
    as_it_is = ["-fps_mode", "passthrough", "-enc_time_base", "demux"]
    run = await ffmpeg.run([*listing, *as_it_is, "-f", "framecrc", "pipe:1"], folder, LIMITS)
    base = re.search(rb"#tb 0: (\d+)/(\d+)", run.stdout)
    assert base
    stamps = [int(line.split(b",")[2]) for line in run.stdout.splitlines() if line[:2] == b"0,"]
    return np.array(stamps) * int(base[1]) / int(base[2])
