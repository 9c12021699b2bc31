"""What Python does with a user's video, in a process of its own, confined like ffmpeg.

    python start.py worker.media.smart.child plan | merge      in the job's folder

``plan`` reads ``source.mp4`` and what the worker asks for (``Request``) and writes ``cut.mp4``
and a ``Verdict``; ``merge`` reads ``spans.mp4`` too, and writes ``out.mp4`` and ``check.mp4``.
Each is started while ffmpeg still makes what it reads, and waits for the end of its standard input:
until then it is an interpreter with its modules, and takes no more room than that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from worker.media.mp4.boxes import read_index
from worker.media.mp4.order import reorder_depth
from worker.media.mp4.tracks import media_timescale, video_track
from worker.media.smart.cut import write_cut
from worker.media.smart.h264 import PROFILES
from worker.media.smart.merge import merge
from worker.media.smart.plan import NotSmart, Plan, Span, make_plan, merged
from worker.media.smart.source import Source, read_source

SOURCE = Path("source.mp4")
PACKETS = Path("packets.txt")
CUT = Path("cut.mp4")
SPANS = Path("spans.mp4")
OUTPUT = Path("out.mp4")
CHECK = Path("check.mp4")
REQUEST = Path("request.json")
VERDICT = Path("verdict.json")

MARGIN = 0.02
"""Seconds around a subtitle that count as showing it: ASS has hundredths of a second."""
NEAR = 3
"""Samples behind a border that are decoded when it is checked: the IDR picture, what is predicted
from it, and what is from both."""


@dataclass(frozen=True)
class Request:
    """``shown``: begin and end of the subtitles in seconds; ``limit``: the largest share of frames
    that may be encoded."""

    shown: list[tuple[float, float]]
    limit: float


@dataclass(frozen=True)
class Verdict:
    """What ``plan`` found: a reason against it (one of ``REASONS``), or what the encoder must
    keep to.

    ``starts``: seconds at which a span begins, a little early; ``parameter_id``: of the new
    parameter sets; ``depth``: as ``reorder_depth``; ``checked``: frames in ``check.mp4``.
    """

    reason: str | None = None
    detail: str = ""
    share: float = 1.0
    frames: int = 0
    encoded: int = 0
    spans: list[Span] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    timescale: int = 0
    turn: int = 0
    profile: str = ""
    level: int = 0
    parameter_id: int = 0
    references: int = 0
    depth: int = 0
    checked: int = 0

    def write(self) -> None:
        VERDICT.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Verdict:
        found: dict[str, Any] = json.loads((folder / VERDICT).read_text())
        spans = [Span(**span) for span in found.pop("spans")]
        return cls(**found, spans=spans)


def plan(request: Request) -> Verdict:
    """Raises ``NotSmart`` and ``ValueError``."""
    source = read_source(SOURCE, PACKETS)
    scale = source.timescale
    shown = merged(
        [(round((a - MARGIN) * scale), round((b + MARGIN) * scale)) for a, b in request.shown]
    )
    plan = make_plan(source.times, source.idr, shown)
    if not plan.spans:
        raise NotSmart("no_subtitles")
    if plan.share > request.limit:
        raise NotSmart("not_worth_it", f"share {plan.share:.3f}")
    write_cut(CUT, SOURCE, source.track, source.samples, source.times, scale, plan.spans)
    return _verdict(source, plan)


def _verdict(source: Source, plan: Plan) -> Verdict:
    starts = [min(source.times[span.start : span.end]) for span in plan.spans]
    return Verdict(
        share=plan.share,
        frames=len(source.samples),
        encoded=sum(span.end - span.start for span in plan.spans),
        spans=plan.spans,
        # ffmpeg rounds to microseconds, and takes the first frame that is not earlier.
        starts=[max(0.0, start / source.timescale - 2e-6) for start in starts],
        timescale=source.timescale,
        turn=source.turn,
        profile=PROFILES[source.parameters.profile],
        level=source.parameters.level,
        parameter_id=source.free_id,
        references=source.parameters.references,
        depth=reorder_depth(source.times),
    )


def finish(verdict: Verdict) -> Verdict:
    """Merge, and write what shall be decoded for a check. Raises ``NotSmart`` and
    ``ValueError``."""
    source = read_source(SOURCE, PACKETS)
    samples = merge(source, verdict.spans, SPANS, OUTPUT)
    checked = around(verdict.spans, len(samples))
    index = read_index(OUTPUT)
    track = video_track(index)
    write_cut(CHECK, OUTPUT, track, samples, samples.pts, media_timescale(track), checked)
    return Verdict(checked=sum(span.end - span.decode for span in checked))


def around(spans: Sequence[Span], count: int) -> list[Span]:
    """What shows that a decoder gets across all borders: the beginning of the video, of each span,
    and of what follows it. All begin with an IDR frame; that nothing between refers to anything
    else is sure, for it is as an encoder made it."""
    borders = {0, *(at for span in spans for at in (span.start, span.end))} - {count}
    beginnings = sorted(borders)
    ends = [*beginnings[1:], count]
    return [Span(at, at, min(at + NEAR, end)) for at, end in zip(beginnings, ends, strict=True)]


def main() -> None:
    sys.stdin.read()  # ends when what is to be read is there
    try:
        if sys.argv[-1] == "plan":
            asked = json.loads(REQUEST.read_text())
            plan(Request(**asked)).write()
        else:
            finish(Verdict.read(Path())).write()
    except NotSmart as error:
        Verdict(error.reason, error.detail).write()
    except ValueError as error:
        Verdict("failed", repr(error)).write()
