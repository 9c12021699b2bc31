"""What is written is read back, and whatever is read ends in cues or a code."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import JobError
from worker.media.cues import Cue, Look, Placement, Span, Word, clean
from worker.media.options import Options
from worker.media.script.ass import write_script
from worker.media.script.make import script_for
from worker.media.style import Position, Style
from worker.media.subtitles import read_subtitles
from worker.media.subtitles.ass_cues import cues_of
from worker.media.subtitles.json_cues import read_json, write_json
from worker.media.subtitles.srt import read_srt, write_srt
from worker.media.subtitles.substation import read_substation
from worker.media.subtitles.webvtt import read_vtt, write_vtt

times = st.integers(0, 9 * 3600 * 1000)
characters = st.one_of(
    st.sampled_from("<>&{}\\-:;.,/#\n 019aNh"),
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029"),
)
texts = st.text(characters, min_size=1, max_size=40).map(clean).filter(bool)
looks = st.builds(
    Look,
    bold=st.sampled_from([True, None]),
    italic=st.sampled_from([True, None]),
    underline=st.sampled_from([True, None]),
    strike=st.sampled_from([True, None]),
    color=st.sampled_from(["#FF8000", "#0000FF", None]),
).filter(lambda look: look != Look())
placements = st.none() | st.builds(Placement, st.sampled_from(get_args(Position)))


@st.composite
def cues(draw: st.DrawFn, *, spans: bool = True) -> Cue:
    text = draw(texts)
    marked: list[Span] = []
    at = 0
    while spans and at < len(text) and draw(st.booleans()):
        start = draw(st.integers(at, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        # Looks that touch and are the same are one.
        look = draw(looks)
        if not (marked and marked[-1].end == start and marked[-1].look == look):
            marked.append(Span(start, end, look))
        at = end
    return Cue(draw(times), draw(times), text, tuple(marked), placement=draw(placements))


@st.composite
def spoken(draw: st.DrawFn) -> Cue:
    """A cue with words and their times."""
    words = draw(st.lists(st.text(string.ascii_letters, min_size=1), min_size=1, max_size=6))
    clock = sorted(draw(st.sets(times, min_size=2 * len(words), max_size=2 * len(words))))
    timed = [Word(clock[2 * n], clock[2 * n + 1], word) for n, word in enumerate(words)]
    return Cue(clock[0], clock[-1], " ".join(words), words=tuple(timed))


Writer = Callable[[Sequence[Cue]], str]
Reader = Callable[[str], Sequence[Cue]]
FORMATS: dict[str, tuple[Writer, Reader]] = {
    "srt": (write_srt, lambda text: read_srt(text)[0]),
    "vtt": (write_vtt, lambda text: read_vtt(text)[0]),
    "json": (write_json, read_json),
}


def without_what_a_place_cannot_say(cue: Cue) -> tuple[object, ...]:
    place = cue.placement.position if cue.placement else "bottom-center"
    return cue.start, cue.end, cue.text, cue.spans, cue.words, place


@pytest.mark.parametrize("format_", ["srt", "vtt"])
@given(written=st.lists(cues(), min_size=1, max_size=10))
def test_cues_are_read_back_with_their_looks(format_: str, written: list[Cue]) -> None:
    write, read = FORMATS[format_]
    assert list(map(without_what_a_place_cannot_say, read(write(written)))) == list(
        map(without_what_a_place_cannot_say, written)
    )


@given(st.lists(cues(spans=False), min_size=1, max_size=10))
def test_json_cues_are_read_back(written: list[Cue]) -> None:
    assert read_json(write_json(written)) == written


@pytest.mark.parametrize("format_", ["vtt", "json"])
@given(written=spoken())
def test_words_are_read_back_with_their_times(format_: str, written: Cue) -> None:
    write, read = FORMATS[format_]
    assert list(read(write([written]))) == [written]


@given(st.lists(cues(), min_size=1, max_size=5), st.integers(1, 3))
def test_our_script_shows_every_character_of_every_cue(written: list[Cue], most: int) -> None:
    """Lines may break elsewhere, and a cue may be shown in parts."""
    script, _ = read_substation(write_script(written, Style(max_lines=most), 1920, 1080), "ass")
    shown = [cue for cue in written if cue.end > cue.start]
    assert letters(cues_of(script)) == letters(sorted(shown, key=lambda cue: (cue.start, cue.end)))


def letters(cues: Sequence[Cue]) -> str:
    return "".join(sorted("".join(cue.text for cue in cues).translate(SPACES)))


SPACES = dict.fromkeys(map(ord, " \n\u00a0\u3000\u200b\u180e"))


@given(st.binary(max_size=2000))
def test_any_bytes_end_in_cues_or_a_code(data: bytes) -> None:
    check(data)


pieces = st.sampled_from(
    [
        *("WEBVTT", "\n", "\n\n", "1", "00:00:01,000", " --> ", "00:02.5", "<i>", "</i>", "<", ">"),
        *(
            "{",
            "}",
            "\\N",
            "{\\an8}",
            "{\\k10}",
            "\\t(",
            "STYLE\n::cue(.a){color:red}",
            "NOTE",
            "[",
            "]",
        ),
        *(
            "REGION\nid:x",
            " line:0 position:5%",
            "X-TIMESTAMP-MAP=MPEGTS:9,LOCAL:0:0",
            "&amp;",
            "\0",
        ),
        *("[Script Info]", "[V4+ Styles]", "[Events]", "Format: Start, End, Text", "Style: a,b,c"),
        *(
            "Dialogue: ",
            "0:00:01.00,",
            "0,0:00:01.00,0:00:02.00,D,,0,0,0,,",
            "\u0e33",
            "字",
            "\U0001f600",
        ),
        *('{"cues":[', '{"start":0,"end":1,"text":"x"}', '"text"', ":", ","),
    ]
)


@given(st.lists(pieces, max_size=60).map("".join))
def test_any_mixture_ends_in_cues_or_a_code(text: str) -> None:
    check(text.encode())


def check(data: bytes) -> None:
    try:
        subtitles = read_subtitles(data)
    except JobError as error:
        assert error.code.startswith("subtitles_")
    else:
        assert subtitles.count
        assert script_for(subtitles, Options(), 640, 360)
        assert script_for(subtitles, Options(restyle=True), 640, 360)
        assert write_srt(subtitles.cues) + write_vtt(subtitles.cues)
