"""WebVTT."""

from __future__ import annotations

import pytest

from tests.unit.subtitles.reading import codes_of, cues_of, error_of, times_of
from worker.media.cues import Cue, Look, Placement, Span, Word
from worker.media.subtitles.vtt_placement import LINE_HEIGHT
from worker.media.subtitles.webvtt import read_vtt, write_vtt

VTT = """WEBVTT - a title
Kind: captions

STYLE
::cue(.loud, c.red2) { color: #ff0000; font-weight: bold }
::cue(i) { color: rgb(0, 0, 255) }
::cue(b) { color: peachpuff }

NOTE 00:00 --> 00:01 is not a cue
nor is this

REGION
id:r width:40% lines:3 regionanchor:0%,100% viewportanchor:10%,90%

intro
00:01.000 --> 00:02.500
<v Ann>Hello</v>
<c.red>world</c> &amp; &eacute;

00:00:03.000 --> 00:00:04.000
Bye
"""


def vtt(settings: str = "", text: str = "x") -> str:
    return f"WEBVTT\n\n00:01.000 --> 00:02.000 {settings}\n{text}\n"


def placement(settings: str) -> Placement | None:
    return cues_of(vtt(settings))[0].placement


def test_webvtt_is_read_without_its_comments() -> None:
    assert times_of(VTT) == [(1000, 2500, "Hello\nworld & é"), (3000, 4000, "Bye")]
    assert codes_of(VTT) == []


@pytest.mark.parametrize(
    "dialect",
    [
        "WEBVTT\n00:01.000 --> 00:02.000\nx\n",
        "\ufeffWEBVTT\n\n00:01.000 --> 00:02.000\nx\n",
        "WEBVTT\n\n00:01,000-->00:02,000\nx\n",
        "WEBVTT\n\n0:1.0 --> 0:2\nx",
        "WEBVTT\n\n\f00:01.000\f-->\v00:02.000\f\nx\n",
        "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000\nx\nNOTE",
        "WEBVTT\n\nan id\n00:01.000 --> 00:02.000\nx\n00:03.000 --> 00:04.000\ny\n",
    ],
)
def test_what_a_browser_would_drop_is_a_cue(dialect: str) -> None:
    assert times_of(dialect)[0][:2] == (1000, 2000)
    assert times_of(dialect)[0][2].startswith("x")


def test_a_time_that_cannot_be_read_is_an_error_with_its_line() -> None:
    error = error_of(VTT.replace("00:00:03.000", "00:00:0x.000"))
    assert (error.code, "line 20" in error.message) == ("subtitles_incomplete", True)


def test_text_behind_an_empty_line_is_told() -> None:
    assert times_of(vtt(text="first\n\nlost\nlines")) == [(1000, 2000, "first")]
    assert codes_of(vtt(text="first\n\nlost\nlines")) == ["text_ignored"]


def test_a_text_behind_its_empty_first_line_is_shown() -> None:
    """Written so by some programs; a browser would show nothing."""
    second = "00:03.000 --> 00:04.000\n\ny\n"
    for between in ("", "an identifier\n"):
        text = f"WEBVTT\n\n00:01.000 --> 00:02.000\n\n\nx\nx\n\n{between}{second}"
        assert [text for *_, text in times_of(text)] == ["x\nx", "y"]
        assert codes_of(text) == []
    nothing = f"WEBVTT\n\n00:01.000 --> 00:02.000\n\nan identifier\n{second}"
    assert [text for *_, text in times_of(nothing)] == ["", "y"]


def test_a_line_of_spaces_does_not_end_a_text() -> None:
    """As in YouTube's automatic captions."""
    assert times_of(vtt(text=" \nhello<00:01.500><c> you</c>")) == [(1000, 2000, "hello you")]
    two = "00:01.000 --> 00:02.000\nx\n \nid\n00:03.000 --> 00:04.000\ny"
    assert [text for *_, text in times_of("WEBVTT\n\n" + two)] == ["x", "y"]


def test_classes_and_style_sheets_become_looks() -> None:
    text = "<c.yellow>a</c><c.loud>b</c><i>c</i><v.loud Bob>d</v><c.unknown>e</c><b>f</b>"
    head, _, _ = VTT.partition("intro")
    [cue] = cues_of(head + f"00:01.000 --> 00:02.000\n{text}\n")
    assert cue.text == "abcdef"
    loud = Look(bold=True, color="#FF0000")
    assert cue.spans == (
        Span(0, 1, Look(color="#FFFF00")),
        Span(1, 2, loud),
        Span(2, 3, Look(italic=True, color="#0000FF")),
        Span(3, 4, loud),
        Span(5, 6, Look(bold=True, color="#FFDAB9")),
    )


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<", ""),
        ("<<i>x", "x"),
        ("a<c.d e>b</c>c", "abc"),
        ("a<rt>b</rt>", "a(b)"),
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>", "漢(かん)字(じ)"),
        ("<v Ann B>x", "x"),
        ("<nonsense>x</nonsense>", "x"),
        ("&lt;i&gt; &#233;&rlm;", "<i> é\u200f"),
        ("1 > 0 -> y", "1 > 0 -> y"),
    ],
)
def test_every_angle_bracket_opens_a_tag(markup: str, text: str) -> None:
    assert read_vtt(vtt(text=markup))[0][0].text == text


def test_timestamps_in_the_text_are_the_times_of_words() -> None:
    [cue] = cues_of(vtt(text="one<00:01.200><c> two</c> <00:00:01.500>three<00:01.800>"))
    assert cue.text == "one two three"
    assert cue.words == (
        Word(1000, 1200, "one"),
        Word(1200, 1500, "two"),
        Word(1500, 1800, "three"),
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", None),
        ("align:center", None),
        ("align:middle line:85%,start position:50%,middle", None),
        ("line:-1", None),
        ("line:0", Placement("top-center", 0, 0, 0)),
        ("line:10%", Placement("top-center", 0, 0, 10)),
        ("line:50%,center", Placement("middle-center", 0, 0, None)),
        ("line:60%,end", Placement("bottom-center", 0, 0, 40)),
        ("line:-5", Placement("bottom-center", 0, 0, 4 * LINE_HEIGHT)),
        ("align:left", Placement("bottom-left", 0, 0, None)),
        ("align:start position:10% size:35%", Placement("bottom-left", 10, 55, None)),
        ("align:end position:90%", Placement("bottom-right", 0, 10, None)),
        ("position:20%,line-left align:center", Placement("bottom-center", 20, 0, None)),
        ("position:80% size:40% line:0", Placement("top-center", 60, 0, 0)),
        ("line:nonsense position:x size:y vertical:rl", None),
    ],
)
def test_settings_are_places(settings: str, expected: Placement | None) -> None:
    assert placement(settings) == expected


def test_a_region_is_a_place() -> None:
    [cue] = cues_of(VTT.partition("intro")[0] + "00:01.000 --> 00:02.000 region:r\nx\n")
    assert cue.placement == Placement("bottom-center", 10, 50, None)
    old = "WEBVTT\nRegion: id=r width=40% regionanchor=0%,0% viewportanchor=50%,10%\n\n"
    [cue] = cues_of(old + "00:01.000 --> 00:02.000 region:r\nx\n")
    assert cue.placement == Placement("bottom-center", 50, 10, 100 - (10 + 3 * LINE_HEIGHT))


def segment(mpegts: int, local: str = "00:00:00.000", start: str = "00:01.000") -> str:
    mapping = f"X-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:{local}"
    return f"WEBVTT\n{mapping}\n\n{start} --> 00:02.000\nfrom {mpegts}\n"


def test_segments_are_joined_on_the_clock_of_the_first() -> None:
    assert [start for start, *_ in times_of(segment(900_000) + segment(900_000))] == [1000]
    joined = segment(900_000) + segment(900_000 + 10 * 90_000)
    assert [start for start, *_ in times_of(joined)] == [1000, 11_000]
    assert [start for start, *_ in times_of(joined.replace("LOCAL:00:00:00.000", "LOCAL:00:05"))]


def test_the_clock_of_mpeg_runs_over() -> None:
    joined = segment(2**33 - 90_000) + segment(9 * 90_000)
    assert [start for start, *_ in times_of(joined)] == [1000, 11_000]


def test_a_map_without_a_header_and_one_that_lies_behind() -> None:
    joined = segment(900_000, "00:00:10.000", "00:11.000").replace("\n\nX", "\nX")
    assert times_of(joined)[0][0] == 11_000
    assert times_of(segment(900_000) + segment(0))[1][0] == 0


def test_a_cue_that_stands_in_two_segments_is_shown_once() -> None:
    joined = segment(900_000) + "\n" + segment(900_000)
    assert len(times_of(joined)) == 1
    assert codes_of(joined) == ["cues_repeated"]


def test_what_is_written_is_webvtt() -> None:
    cue = Cue(
        1000,
        3000,
        "One & two\n\n<3",
        spans=(Span(0, 3, Look(italic=True, color="#FF8000")), Span(6, 9, Look(strike=True))),
        words=(Word(1000, 1500, "One"), Word(2000, 3000, "two")),
        placement=Placement("top-left"),
    )
    written = write_vtt([cue])
    assert written == (
        "WEBVTT\n\nSTYLE\n::cue(.rgb-ff8000) { color: #FF8000 }\n"
        "::cue(.strike) { text-decoration: line-through }\n\n"
        "00:00:01.000 --> 00:00:03.000 line:0 position:0% align:left\n"
        "<i><c.rgb-ff8000>One</c></i><00:00:01.500> &amp; <00:00:02.000><c.strike>two</c>"
        "<00:00:03.000>\n&nbsp;\n&lt;3\n"
    )
    [back] = read_vtt(written)[0]
    assert (back.text, back.spans) == (cue.text, cue.spans)
