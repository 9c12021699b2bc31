"""The smart burn's planning, tables and checks, without a video."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from struct import error as struct_error

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.media.mp4.boxes import Box, parse
from worker.media.mp4.order import reorder_depth
from worker.media.mp4.samples import (
    put_chunk_offsets,
    put_chunks,
    put_keys,
    put_sizes,
    put_timing,
    read_samples,
)
from worker.media.packets import Packets, read_packets
from worker.media.smart.burn import shown_times
from worker.media.smart.check import check_sound, check_video
from worker.media.smart.child import around
from worker.media.smart.h264 import AvcConfig
from worker.media.smart.plan import REASONS, NotSmart, Span, make_plan, merged


def gops(count: int) -> tuple[list[int], bytearray]:
    """Times and IDR flags of GOPs of ten frames: 0 4 2 1 3 | 8 6 5 7 | 9."""
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 9]
    pts = [10 * gop + time for gop in range(count) for time in order]
    idr = bytearray(at % 10 == 0 for at in range(10 * count))
    return pts, idr


def test_a_span_begins_at_the_last_clean_frame_before_its_text_and_ends_with_the_gop() -> None:
    pts, idr = gops(4)
    plan = make_plan(pts, idr, [(16, 18)])
    assert plan.spans == [Span(10, 15, 20)], "0 4 2 1 3 are copied, 8 6 5 7 9 are new"
    assert plan.share == 5 / 40


def test_spans_that_touch_become_one() -> None:
    pts, idr = gops(4)
    assert make_plan(pts, idr, [(16, 18), (20, 21)]).spans == [Span(10, 15, 30)]
    assert make_plan(pts, idr, [(16, 18), (29, 30)]).spans == [Span(10, 15, 20), Span(20, 29, 30)]


def test_only_an_idr_picture_that_nothing_reaches_across_is_a_place_to_cut() -> None:
    pts, idr = gops(4)
    idr[10] = 0
    pts[19], pts[20] = pts[20], pts[19]
    assert make_plan(pts, idr, [(0, 1)]).spans == [Span(0, 0, 30)]


def test_a_video_that_does_not_begin_with_an_idr_picture_is_left_alone() -> None:
    pts, idr = gops(2)
    idr[0] = 0
    with pytest.raises(NotSmart) as raised:
        make_plan(pts, idr, [(0, 1)])
    assert raised.value.reason == "keyframes"


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    cues=st.lists(st.tuples(st.integers(-5, 90), st.integers(1, 9)), max_size=6),
    seed=st.integers(),
)
def test_whatever_the_order_every_frame_with_text_is_in_a_span_that_can_be_cut_out(
    lengths: list[int], cues: list[tuple[int, int]], seed: int
) -> None:
    shuffle = random.Random(seed)
    pts: list[int] = []
    idr = bytearray()
    for length in lengths:
        rest = list(range(len(pts) + 1, len(pts) + length))
        shuffle.shuffle(rest)
        pts += [len(pts), *rest]
        idr += b"\1" + bytes(length - 1)
    shown = merged([(begin, begin + length) for begin, length in cues])
    plan = make_plan(pts, idr, shown)
    inside = {at for span in plan.spans for at in range(span.start, span.end)}
    for at, time in enumerate(pts):
        if any(begin <= time < end for begin, end in shown):
            assert at in inside
    for span in plan.spans:
        assert span.decode <= span.start < span.end
        assert idr[span.decode]
        assert span.end == len(pts) or idr[span.end]
        for border in (span.decode, span.start, span.end):
            assert max(pts[:border], default=-1) < min(pts[border:], default=len(pts))
    ends = [0, *(span.end for span in plan.spans)]
    assert all(end <= span.decode for end, span in zip(ends, plan.spans, strict=False))
    assert plan.share == len(inside) / len(pts)


def test_the_depth_of_reordering_counts_frames_that_are_decoded_early() -> None:
    assert reorder_depth([0, 1, 2]) == 0
    assert reorder_depth([0, 2, 1]) == 1
    assert reorder_depth([0, 4, 2, 1, 3]) == 2


def test_every_border_is_decoded_across_and_nothing_twice() -> None:
    spans = [Span(0, 3, 10), Span(10, 15, 20), Span(40, 48, 50)]
    assert around(spans, 60) == [
        Span(0, 0, 3),
        Span(3, 3, 6),
        Span(10, 10, 13),
        Span(15, 15, 18),
        Span(20, 20, 23),
        Span(48, 48, 50),
        Span(50, 50, 53),
    ]


def test_the_times_of_a_script_are_read_from_what_ffmpeg_gets() -> None:
    script = (
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, "
        "Text\n"
        "Dialogue: 0,0:00:01.50,0:00:02.00,Default,,0,0,0,,Dialogue: 0,0:00:09.00,0:00:10.00,x\n"
        "Dialogue: 1,1:01:01.01,1:01:02.00,Default,,0,0,0,,x\n"
        "Dialogue: 0,0:00:05.00,0:00:05.00,Default,,0,0,0,,never shown\n"
    )
    assert shown_times(script) == [(1.5, 2.0), (3661.01, 3662.0)]


def track_of(pts: list[int], dts: list[int], sizes: list[int], chunks: list[int]) -> Box:
    table = Box(b"stbl")
    put_timing(table, dts, pts)
    put_keys(table, [at % 3 == 0 for at in range(len(pts))])
    put_sizes(table, sizes)
    put_chunks(table, chunks)
    put_chunk_offsets(table, [1000 * at for at in range(len(chunks))], wide=False)
    return Box(b"trak", children=[Box(b"mdia", children=[Box(b"minf", children=[table])])])


@pytest.mark.parametrize("pts", [[0, 3, 1, 2, 4], [7, 3, 1, 2, 4]], ids=["later", "earlier too"])
def test_sample_tables_are_read_as_they_were_written(pts: list[int]) -> None:
    dts, sizes = [0, 1, 2, 3, 10], [5, 6, 7, 8, 9]
    (track,) = parse(track_of(pts, dts, sizes, [2, 2, 1]).pack())
    samples = read_samples(track)
    assert list(samples.pts) == pts
    assert list(samples.dts) == dts
    assert list(samples.sizes) == sizes
    assert list(samples.keys) == [1, 0, 0, 1, 0]
    assert list(samples.chunks) == [2, 2, 1]
    assert list(samples.offsets) == [0, 5, 1000, 1007, 2000]


@given(st.data())
def test_tables_that_contradict_each_other_are_an_error(data: st.DataObject) -> None:
    track = track_of([0, 3, 1, 2, 4], [0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [2, 2, 1])
    raw = bytearray(track.pack())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(8, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        samples = read_samples(parse(bytes(raw))[0])
    except (ValueError, IndexError, MemoryError, OverflowError, struct_error):
        return
    assert len(samples) == len(samples.offsets) == len(samples.pts) == sum(samples.chunks)


def test_a_box_that_is_longer_than_its_file_is_an_error() -> None:
    for data in (b"\0\0\0\x10moov", b"\0\0\0\x04moov", b"\0\0\0"):
        with pytest.raises(ValueError, match="box"):
            parse(data)


def test_parameter_sets_are_joined_in_one_box() -> None:
    old = AvcConfig(100, 0, 40, 4, (b"\x67\1\2\3",), (b"\x68\1",), b"\xfd\xf8\xf8\0")
    new = AvcConfig(100, 0, 31, 4, (b"\x67\4",), (b"\x68\5\6",), b"")
    joined = AvcConfig.parse(old.joined(new).pack())
    assert joined.sps == old.sps + new.sps
    assert joined.pps == old.pps + new.pps
    assert (joined.level, joined.extension) == (40, old.extension)
    with pytest.raises(ValueError, match="breaks off"):
        AvcConfig.parse(old.pack()[:10] + b"\xff")


def packets(times: list[int], sizes: list[int], base: Fraction = Fraction(1, 25)) -> Packets:
    return Packets(
        base,
        dts=array("q", range(len(times))),
        pts=array("q", times),
        sizes=array("q", sizes),
        checksums=array("q", sizes),
        flags=array("q", [0] * len(times)),
    )


def test_every_reason_against_a_smart_burn_is_explained_in_the_documents() -> None:
    page = Path(__file__).parents[2].joinpath("docs/performance.md").read_text()
    assert all(f"| `{reason}` |" in page for reason in REASONS)


SOURCE = packets([0, 3, 1, 2, 4, 5], [1, 2, 3, 4, 5, 6])
SPANS = [Span(0, 1, 4)]


def test_new_frames_may_have_other_bytes_and_another_order_but_the_same_times() -> None:
    check_video(SOURCE, packets([0, 1, 3, 2, 4, 5], [1, 9, 9, 9, 5, 6]), SPANS)
    finer = packets([7, 9, 13, 11, 15, 17], [1, 9, 9, 9, 5, 6], Fraction(1, 50))
    check_video(SOURCE, finer, SPANS)


@pytest.mark.parametrize(
    "wrong",
    [
        packets([0, 3, 1, 2, 4], [1, 2, 3, 4, 5]),
        packets([0, 3, 1, 2, 4, 6], [1, 2, 3, 4, 5, 6]),
        packets([0, 3, 1, 2, 4, 5], [1, 2, 3, 4, 5, 7]),
        packets([0, 3, 1, 2, 5, 4], [1, 2, 3, 4, 5, 6]),
        replace(SOURCE, dts=array("q", [0, 1, 2, 2, 4, 5])),
    ],
    ids=["one less", "another time", "other bytes", "copies exchanged", "decoding times stand"],
)
def test_what_is_not_as_planned_is_found(wrong: Packets) -> None:
    with pytest.raises(NotSmart) as raised:
        check_video(SOURCE, wrong, SPANS)
    assert raised.value.reason == "failed"


def test_sound_must_be_the_very_same() -> None:
    check_sound(SOURCE, SOURCE)
    with pytest.raises(NotSmart):
        check_sound(SOURCE, packets([0, 3, 1, 2, 4, 5], [1, 2, 3, 4, 5, 7]))


def test_packets_are_read_by_stream_with_times_checksums_and_flags(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text(
        "#software: x\n#tb 0: 1/15360\n#tb 1: 1/44100\n"
        "0,      -1024,          0,      512,     4944, 0x20905720\n"
        "1,      -1024,      -1024,     1024,      256, 0xea44782a, F=0x5, S=1, Skip, 10, 0x1\n"
        "0,       -512,     NOPTS,      512,     1960, 0x6ac0d3c9, F=0x0\n"
    )
    found = read_packets(tmp_path / "p.txt")
    assert found["0"].time_base == Fraction(1, 15360)
    assert list(found["0"].sizes) == [4944, 1960]
    assert list(found["0"].flags) == [1, 0]
    assert found["0"].pts[1] < found["0"].pts[0]
    assert list(found["1"].checksums) == [0xEA44782A]
