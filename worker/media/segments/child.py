"""What Python does with a user's video, or with what came back from Storage, in a confined process.

    python start.py worker.media.segments.child lay_out | join      in the job's folder

``lay_out`` reads an MP4's index and the list of its packets and writes ``heads.bin``; ``join``
reads the encoded segments and writes ``joined.mp4``, their common head. Both find what is asked of
them in ``request.json`` and answer in ``verdict.json``. Nothing is imported but the standard
library and neighbours that import nothing else.
"""

from __future__ import annotations

import json
import sys
from array import array
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from worker.media.mp4.boxes import Box, parse, read_index
from worker.media.mp4.head import Indexed, make_head
from worker.media.mp4.order import reorder_depth
from worker.media.mp4.samples import Samples, read_samples
from worker.media.mp4.times import Irregular, shown_times
from worker.media.mp4.tracks import media_timescale, video_track
from worker.media.packets import read_packets
from worker.media.segments.plan import Extent, Layout, Segment, Unfit, choose_cuts

PACKETS = Path("packets.txt")
HEADS = Path("heads.bin")
JOINED = Path("joined.mp4")
REQUEST = Path("request.json")
VERDICT = Path("verdict.json")

AVC_ENTRY = 78
"""Bytes of the fixed fields of a sample entry ``avc1``."""


@dataclass(frozen=True)
class Encoded:
    """What a joiner knows of a segment: the time of its first frame, and how many there are."""

    start: int
    frames: int


def segment_file(number: int) -> str:
    """The name of an encoded segment in the joiner's folder."""
    return f"segment-{number:04}.mp4"


def lay_out(file: str, longest: float) -> Layout:
    """``longest`` in seconds. Raises ``Unfit`` and ``ValueError``."""
    path = Path(file)
    index = read_index(path)
    track = video_track(index)
    if len(parse(track.get(b"mdia", b"minf", b"stbl", b"stsd").content[8:])) != 1:
        raise Unfit("codec", "several descriptions of the video")
    samples = read_samples(track)
    if not len(samples):
        raise Unfit("index", "it is in fragments")
    scale = media_timescale(track)
    try:
        times = shown_times(read_packets(PACKETS)["0"], samples, scale)
    except Irregular as error:
        raise Unfit(error.reason, error.detail) from error
    if min(times) < 0:
        raise Unfit("timestamps", "a frame before the beginning")
    cuts = choose_cuts(times, samples.keys, round(longest * scale))
    segments: list[Segment] = []
    with HEADS.open("wb") as heads:
        for begin, end in zip(cuts, [*cuts[1:], len(samples)], strict=True):
            piece, data = _piece(samples, times, begin, end)
            if data.offset < 0 or data.offset + data.length > path.stat().st_size:
                raise Unfit("index", "frames outside the file")
            head = make_head(track, scale, piece)
            extent = Extent(heads.tell(), len(head))
            heads.write(head)
            segments.append(Segment(extent, data, min(piece.times), end - begin))
    rate = Fraction((len(times) - 1) * scale, max(times) - min(times)).limit_denominator(1001)
    return Layout(scale, (rate.numerator, rate.denominator), segments)


def _piece(samples: Samples, times: array[int], begin: int, end: int) -> tuple[Indexed, Extent]:
    """The samples from ``begin`` to ``end``, and the bytes of the file that hold them."""
    offsets, sizes = samples.offsets[begin:end], samples.sizes[begin:end]
    first = min(offsets)
    last = max(offset + size for offset, size in zip(offsets, sizes, strict=True))
    zero = samples.dts[begin]
    indexed = Indexed(
        times=times[begin:end],
        dts=[dts - zero for dts in samples.dts[begin:end]],
        pts=[pts - zero for pts in samples.pts[begin:end]],
        keys=samples.keys[begin:end],
        sizes=sizes,
        offsets=[offset - first for offset in offsets],
        length=last - first,
    )
    return indexed, Extent(first, last - first)


def join(timescale: int, segments: list[Encoded]) -> None:
    """Write the head over all segments. Raises ``Unfit`` and ``ValueError``."""
    times, keys = array("q"), bytearray()
    sizes, offsets = array("I"), array("q")
    before = 0
    description: tuple[bytes, ...] | None = None
    for number, segment in enumerate(segments):
        path = Path(segment_file(number))
        track = video_track(read_index(path))
        samples = read_samples(track)
        if len(samples) != segment.frames or media_timescale(track) != timescale:
            raise Unfit("failed", f"segment {number} has {len(samples)} frames")
        description = description or _description(track)
        if _description(track) != description:
            raise Unfit("failed", f"segment {number} is coded in another way")
        shift = segment.start - min(samples.pts)
        times.extend(pts + shift for pts in samples.pts)
        keys += samples.keys
        sizes.extend(samples.sizes)
        offsets.extend(offset + before for offset in samples.offsets)
        before += path.stat().st_size
    dts = _decoding_times(times)
    JOINED.write_bytes(
        make_head(
            track,
            timescale,
            Indexed(
                times=times,
                dts=[time - dts[0] for time in dts],
                pts=[time - dts[0] for time in times],
                keys=keys,
                sizes=sizes,
                offsets=offsets,
                length=before,
            ),
        )
    )


def _description(track: Box) -> tuple[bytes, ...]:
    """How the frames are coded, parameter sets included; all but the bitrate."""
    (entry,) = parse(track.get(b"mdia", b"minf", b"stbl", b"stsd").content[8:])
    boxes = parse(entry.content[AVC_ENTRY:])
    return entry.content[:AVC_ENTRY], *(box.pack() for box in boxes if box.kind != b"btrt")


def _decoding_times(times: array[int]) -> list[int]:
    """Frames are decoded at the times of frames, as many places earlier as their order needs: so
    decoding times grow also where one segment follows another, and none is after its frame's."""
    shown = sorted(times)
    depth = reorder_depth(times)
    step = shown[1] - shown[0] if len(shown) > 1 else 1
    return [shown[0] - (depth - at) * step for at in range(depth)] + shown[: len(shown) - depth]


def main() -> None:
    request: dict[str, Any] = json.loads(REQUEST.read_text())
    try:
        if sys.argv[-1] == "lay_out":
            verdict = asdict(lay_out(**request))
        else:
            segments = [Encoded(**segment) for segment in request.pop("segments")]
            join(**request, segments=segments)
            verdict = {}
    except Unfit as error:
        verdict = {"reason": error.reason, "detail": error.detail}
    except ValueError as error:
        verdict = {"reason": "index", "detail": repr(error)}
    VERDICT.write_text(json.dumps(verdict))
