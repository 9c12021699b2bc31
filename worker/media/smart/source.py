"""What ``source.mp4`` holds, read and found fit to be cut."""

from __future__ import annotations

import mmap
from array import array
from dataclasses import dataclass
from pathlib import Path

from worker.media.mp4.boxes import Box, parse, read_index
from worker.media.mp4.samples import Samples, read_samples
from worker.media.mp4.times import Irregular, shown_times
from worker.media.mp4.tracks import media_timescale, video_track
from worker.media.packets import read_packets
from worker.media.smart.h264 import (
    HARMLESS,
    IDR_SLICE,
    PPS,
    PROFILES,
    SLICE,
    SPS,
    AvcConfig,
    SequenceParameters,
    pps_ids,
)
from worker.media.smart.plan import NotSmart

AVC_ENTRY = 86
"""Bytes of a sample entry ``avc1`` in front of the boxes in it, its own header included."""
TURNS: dict[tuple[int, ...], int] = {
    (1, 0, 0, 1): 0,
    (0, 1, -1, 0): 90,
    (-1, 0, 0, -1): 180,
    (0, -1, 1, 0): 270,
}
"""Degrees clockwise, by the matrix of a track's header."""


@dataclass(frozen=True)
class Source:
    """``source.mp4``: its index, its one video track with samples, and what the encoder must match.

    ``times``: when each sample is shown, as ffmpeg tells it to a filter, in units of the track's
    timescale; ``samples.pts`` is later by a constant. ``free_id``: a parameter set id that the
    video does not use. ``turn``: degrees clockwise that a player turns the picture."""

    path: Path
    index: Box
    track: Box
    samples: Samples
    times: array[int]
    timescale: int
    config: AvcConfig
    parameters: SequenceParameters
    free_id: int
    idr: bytearray
    turn: int


def read_source(path: Path, packets: Path) -> Source:
    """Raises ``NotSmart``, or ``ValueError`` when the file is not what ffmpeg writes."""
    index = read_index(path)
    track = video_track(index)
    samples = read_samples(track)
    timescale = media_timescale(track)
    config = AvcConfig.parse(avc_box(track, b"avcC").content)
    parameters = _one_sps(config)
    idr = _find_idr(path, samples, config)
    try:
        times = shown_times(read_packets(packets)["0"], samples, timescale)
    except Irregular as error:
        raise NotSmart(error.reason, error.detail) from error
    return Source(
        path,
        index,
        track,
        samples,
        times,
        timescale,
        config,
        parameters,
        _free_id(config),
        idr,
        _turn(track),
    )


def avc_box(track: Box, kind: bytes) -> Box:
    """A box in the sample entry ``avc1``. Raises ``NotSmart`` for other codecs."""
    entry = sample_entry(track)
    return next(box for box in entry.children if box.kind == kind)


def sample_entry(track: Box) -> Box:
    """The one sample entry, with its fixed fields as ``content`` and its boxes as ``children``."""
    content = track.get(b"mdia", b"minf", b"stbl", b"stsd").content
    entries = parse(content[8:])
    if len(entries) != 1 or entries[0].kind != b"avc1":
        raise NotSmart("codec", "not one avc1 entry")
    fixed = AVC_ENTRY - 8
    return Box(b"avc1", entries[0].content[:fixed], parse(entries[0].content[fixed:]))


def _one_sps(config: AvcConfig) -> SequenceParameters:
    if config.length_size != 4 or len(config.sps) != 1:
        raise NotSmart("parameter_sets", f"{len(config.sps)} SPS, lengths of {config.length_size}")
    try:
        parameters = SequenceParameters.parse(config.sps[0])
    except ValueError as error:
        raise NotSmart("codec", str(error)) from error
    if parameters.profile not in PROFILES or parameters.chroma_format != 1:
        raise NotSmart("codec", f"profile {parameters.profile}")
    if parameters.bit_depth != 8:
        raise NotSmart("codec", f"{parameters.bit_depth} bits")
    if not parameters.progressive:
        raise NotSmart("interlaced")
    return parameters


def _free_id(config: AvcConfig) -> int:
    used = {SequenceParameters.parse(sps).id for sps in config.sps}
    used.update(number for pps in config.pps for number in pps_ids(pps))
    return next(number for number in range(32) if number not in used)


def _find_idr(path: Path, samples: Samples, config: AvcConfig) -> bytearray:
    """Which samples are IDR pictures; what is in no sample is anything that copying can't take."""
    known = {*config.sps, *config.pps}
    idr = bytearray(len(samples))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number, (offset, size) in enumerate(zip(samples.offsets, samples.sizes, strict=True)):
            at, end = offset, offset + size
            while at + 5 <= end:
                length = int.from_bytes(data[at : at + 4], "big")
                kind = data[at + 4] & 31
                if kind == IDR_SLICE:
                    idr[number] = 1
                elif kind in (SPS, PPS):
                    if data[at + 4 : at + 4 + length] not in known:
                        raise NotSmart("parameter_sets", f"another one in frame {number}")
                elif kind != SLICE and kind not in HARMLESS:
                    raise NotSmart("codec", f"a NAL unit of type {kind}")
                at += 4 + length
            if at != end:
                raise NotSmart("failed", f"frame {number} is damaged")
    return idr


def _turn(track: Box) -> int:
    header = track.get(b"tkhd").content
    at = 52 if header[0] == 1 else 40
    matrix = [int.from_bytes(header[at + 4 * i :][:4], "big", signed=True) for i in (0, 1, 3, 4)]
    turn = TURNS.get(tuple(round(value / 65536) for value in matrix))
    if turn is None or any(value % 65536 for value in matrix):
        raise NotSmart("picture", f"matrix {matrix}")
    return turn
