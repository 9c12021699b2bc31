"""The subtitles beside the burned ones: as a track that players can switch on, and as files."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ffmpeg as graph
from langcodes import Language

from worker.errors import JobError
from worker.media.cues import Cue
from worker.media.ffmpeg import Ffmpeg, Limits, reading
from worker.media.packets import Packets, read_packets
from worker.media.render import OUTPUT
from worker.media.subtitles.webvtt import write_vtt

TRACK = "track.vtt"
WITH_TRACK = "with-track.mp4"
PACKETS = "with-track.txt"
UNKNOWN = "und"
TRACK_ENABLED = 1
"""Flag in a track's header (ISO/IEC 14496-12, 8.3.2)."""
FULL_WIDTH = str.maketrans("{}\\", "｛｝＼")
"""ffmpeg takes subtitles through ASS, and would leave its escapes for these in the text."""


def as_shown(cues: Sequence[Cue]) -> list[Cue]:
    """The cues that are ever seen, in the order in which they are."""
    seen = (cue for cue in cues if cue.text and cue.end > cue.start)
    return sorted(seen, key=lambda cue: (cue.start, cue.end))


async def add_soft_track(
    ffmpeg: Ffmpeg, folder: Path, cues: Sequence[Cue], language: str | None, duration: float
) -> None:
    """Add the cues to ``folder / OUTPUT`` as a track of MP4 (mov_text) with a language.

    What comes after ``duration`` seconds is cut off, since it would make the video longer. Raises
    ``render_incorrect`` if anything of picture or sound has changed.
    """
    end = int(duration * 1000)
    within = [
        replace(cue, end=min(cue.end, end), text=cue.text.translate(FULL_WIDTH))
        for cue in as_shown(cues)
        if cue.start < end
    ]
    (folder / TRACK).write_text(write_vtt(within), encoding="utf-8")
    video, track = graph.input(f"file:{OUTPUT}"), graph.input(f"file:{TRACK}", f="webvtt")
    before = await _packets(ffmpeg, folder, OUTPUT)
    output = graph.output(
        video["v:0"],
        video["a:0?"],
        track["s:0"],
        f"file:{WITH_TRACK}",
        f="mp4",
        movflags="+faststart",
        map_metadata=-1,
        c="copy",
        **{"c:s": "mov_text", "metadata:s:s:0": f"language={iso_639_2(language)}"},
    )
    size = (folder / OUTPUT).stat().st_size
    limits = Limits(file_size=2 * size + (64 << 20), seconds=2 * reading(folder / OUTPUT).seconds)
    run = await ffmpeg.run(["-v", "error", *output.get_args()], folder, limits)
    if run.returncode:
        raise JobError("render_incorrect", f"no soft track: {run.log}")
    after = await _packets(ffmpeg, folder, WITH_TRACK)
    if any(_content(before[number]) != _content(after[number]) for number in before):
        raise JobError("render_incorrect", "the soft track changed the picture or the sound")
    await asyncio.to_thread(disable_last_track, folder / WITH_TRACK)
    (folder / WITH_TRACK).replace(folder / OUTPUT)


def disable_last_track(path: Path) -> None:
    """Switch the last track of an MP4 off until someone switches it on: its text is in the picture
    already. ffmpeg enables the first track of every kind, whatever it is told."""
    with path.open("r+b") as file:
        while header := file.read(8):
            length, kind = struct.unpack(">I4s", header)
            if kind == b"moov":
                break
            file.seek(length - len(header), os.SEEK_CUR)
        start = file.tell()
        flags = start + file.read(length - len(header)).rindex(b"tkhd") + len(b"tkhd") + 3
        file.seek(flags)
        enabled = file.read(1)[0]
        file.seek(flags)
        file.write(bytes([enabled & ~TRACK_ENABLED]))


def iso_639_2(language: str | None) -> str:
    """The three letters by which MP4 names a language (BCP 47)."""
    try:
        return Language.get(language or UNKNOWN).to_alpha3()
    except LookupError:
        return UNKNOWN


async def _packets(ffmpeg: Ffmpeg, folder: Path, name: str) -> dict[str, Packets]:
    source = graph.input(f"file:{name}")
    output = graph.output(source["v:0"], source["a:0?"], f"file:{PACKETS}", f="framecrc", c="copy")
    run = await ffmpeg.run(["-v", "error", *output.get_args()], folder, reading(folder / name))
    if run.returncode:
        raise JobError("render_incorrect", run.log)
    return await asyncio.to_thread(read_packets, folder / PACKETS)


def _content(packets: Packets) -> tuple[list[object], list[int]]:
    """When each packet is shown, and what is in it."""
    return [time * packets.time_base for time in packets.pts], list(packets.checksums)
