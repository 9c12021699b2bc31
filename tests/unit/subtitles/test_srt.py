"""SRT in its dialects, and SBV."""

from __future__ import annotations

import pytest

from tests.unit.subtitles.reading import codes_of, cues_of, error_of, one_cue, times_of
from worker.media.cues import Cue, Look, Placement, Span
from worker.media.subtitles.srt import write_srt

SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello\nworld\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
HELLO = [(1000, 2500, "Hello\nworld"), (3000, 4000, "Bye")]


def test_srt_is_read() -> None:
    assert times_of(SRT) == HELLO


@pytest.mark.parametrize(
    "dialect",
    [
        SRT.replace("1\n00", "00").replace("2\n00", "00"),
        SRT.replace(",", "."),
        SRT.replace(",", ":"),
        SRT.replace("\n", "\r\n"),
        SRT.replace("\n", "\r"),
        SRT.replace("\n", "\r\r\n"),
        SRT.replace("00:00:", "00:"),
        SRT.replace("00:00:", "0:0:"),
        SRT.replace(",000", "").replace(",500", ",5"),
        SRT.replace(",000", ",00000").replace(",500", ",50000"),
        SRT.replace(" --> ", "-->"),
        SRT.replace(" --> ", "\t -->  "),
        SRT.replace(" --> ", " -> "),
        SRT.replace(" --> ", " - -> "),
        SRT.replace(" --> ", " –> "),
        SRT.replace(" --> ", " ==> "),
        SRT.replace("00:00:01,000", "00: 00: 01, 000"),
        SRT.replace("02,500", "02,500 X1:40 X2:600 Y1:20 Y2:50"),
        SRT.replace("\n\n", "\n"),
        SRT.replace("\n", "  \n"),
        SRT.replace("1\n", "17\n").replace("2\n", "4\n"),
        "\ufeff\n\n" + SRT + "\n\n",
        SRT.rstrip(),
        SRT.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        SRT.replace("1\n00", "1 00").replace("2\n00", "2. 00"),
        SRT.replace("1\n00", "#1\n00").replace("\n\n2\n00", "\n2.\n00"),
        SRT.replace("02,500\nHello", "02,500 Hello"),
        SRT.replace("02,500", "02,500 align:start position:0%"),
        SRT.replace("\n", "\u2028"),
        SRT.replace("\n", "\x85"),
        SRT.replace("00:00:01", "\u200e00:00:01").replace("02,500", "\u202a02,500\u202c\u200f"),
        SRT.replace("\n00", "\n\ufeff00"),
        SRT.replace(":", "：").replace(",000", "，000").replace("-->", "－－＞"),
        SRT.replace(" --> ", " --&gt; "),
        SRT.replace(" --> ", " ~ "),
        SRT.replace(" --> ", " "),
        SRT.replace(" --> ", " -> ", 1),
        SRT.replace("03,000 -->", "03,000 >"),
    ],
    ids=[
        "no numbers", "dots", "colons", "CRLF", "CR", "CRCRLF", "MM:SS", "single digits",
        "short fractions", "long fractions", "no spaces", "tabs", "short arrow", "broken arrow",
        "dash", "double arrow", "spaces in times", "coordinates", "no empty lines",
        "spaces at the end", "other numbers", "BOM", "no last line break", "full-width digits",
        "number in line", "dressed numbers", "text in line", "settings", "line separators",
        "next lines", "marks of direction", "marks without width", "full-width signs",
        "escaped arrow", "tilde", "no arrow", "two kinds of arrow", "half an arrow",
    ],
)  # fmt: skip
def test_dialects_of_srt_give_the_same_cues(dialect: str) -> None:
    assert times_of(dialect) == HELLO
    assert codes_of(dialect) == []


def test_a_text_that_is_a_number_is_kept() -> None:
    assert times_of(one_cue("How many?\n42"))[0][2] == "How many?\n42"
    assert times_of(one_cue("How many?\n42") + "\n" + SRT)[0][2] == "How many?\n42"
    assert times_of("00:01 --> 00:02\n42\n\n00:03 --> 00:04\n43\n")[0][2] == "42"


def test_an_empty_line_inside_a_text_does_not_cut_it() -> None:
    assert times_of(one_cue("first\n\nthird") + "\n" + SRT)[0][2] == "first\n\nthird"


def test_an_arrow_in_a_text_is_no_time() -> None:
    assert times_of(one_cue("left --> right, 10:30 -> 11:30"))[0][2].startswith("left")


def test_a_cue_inside_the_line_of_another_is_an_error() -> None:
    """All line breaks were lost on the way."""
    error = error_of(SRT.replace("\n", " "))
    assert (error.code, "line 1" in error.message) == ("subtitles_incomplete", True)


def test_times_in_seconds_are_an_error_and_not_an_empty_file() -> None:
    assert error_of("1\n1.5 --> 2.5\nHello\n").code == "subtitles_incomplete"
    assert len(cues_of(one_cue("It went from 1.5 --> 2.5"))) == 1


def test_a_long_text_behind_its_times_is_whole() -> None:
    text = "word " * 200 + "end"
    assert times_of(f"1 00:00:01,000 --> 00:00:02,000 {text}\n") == [(1000, 2000, text)]


def test_what_begins_before_the_video_begins_with_it() -> None:
    assert times_of("-00:00:01,000 --> 00:00:02,000\nx\n") == [(0, 2000, "x")]


def test_long_times_are_read() -> None:
    assert times_of("100:00:00,000 --> 123:59:59,999\nx\n") == [(360_000_000, 446_399_999, "x")]


@pytest.mark.parametrize("broken", ["00:xx:03,000", "soon 1:2", "00:00:0 3:", "12345678901:00:00"])
def test_a_time_that_cannot_be_read_is_an_error_with_its_line(broken: str) -> None:
    error = error_of(SRT.replace("00:00:03,000", broken))
    assert error.code == "subtitles_incomplete"
    assert "1 of 2" in error.message
    assert "line 7" in error.message


@pytest.mark.parametrize("broken", ["00:00:xx,500", "00:00:0O,500", "00:00:02,5O0", "00:00:02:x"])
def test_nor_is_the_beginning_of_a_broken_time_one(broken: str) -> None:
    error = error_of(SRT.replace("00:00:02,500", broken))
    assert (error.code, "line 2" in error.message) == ("subtitles_incomplete", True)


def test_text_in_front_of_the_first_cue_is_told() -> None:
    assert codes_of("My subtitles\n\n" + SRT) == ["text_ignored"]


@pytest.mark.parametrize(
    ("markup", "text", "spans"),
    [
        ("<i>a</i>b", "ab", [(0, 1, Look(italic=True))]),
        ("<B>a</B> <U>b</U>", "a b", [(0, 1, Look(bold=True)), (2, 3, Look(underline=True))]),
        ("<em>a</em><s>b</s>", "ab", [(0, 1, Look(italic=True)), (1, 2, Look(strike=True))]),
        (
            "<b>a<i>b</b>c",
            "abc",
            [(0, 1, Look(bold=True)), (1, 2, Look(bold=True, italic=True))],
        ),
        ("<i>to the end", "to the end", [(0, 10, Look(italic=True))]),
        ("a</i>b", "ab", []),
        ('<font color="#FF8000">x</font>y', "xy", [(0, 1, Look(color="#FF8000"))]),
        ("<font size=3 color=red>x</font>", "x", [(0, 1, Look(color="#FF0000"))]),
        ("<font color='rgb(1, 2, 255)'>x</font>", "x", [(0, 1, Look(color="#0102FF"))]),
        ("<font color=nonsense face=Arial>x</font>", "x", []),
        ('<span style="color: #f00">x</span>', "x", [(0, 1, Look(color="#FF0000"))]),
        ("a<br>b<br/>c", "a\nb\nc", []),
        (r"{\i1}x{\i0}y", "xy", [(0, 1, Look(italic=True))]),
        (r"{\c&H0000FF&}x", "x", [(0, 1, Look(color="#FF0000"))]),
        (r"{\fs9999}{\p1}m 0 0{\an10}x{\t(\fs9)}", "m 0 0x", []),
        ("{sic} } {", "{sic} } {", []),
        ("1 < 2 > 0 <3 <LAUGHS> <3>", "1 < 2 > 0 <3 <LAUGHS> <3>", []),
        ("&lt;i&gt; &amp; &quot;&nbsp;&copy;", '<i> & "\u00a0&copy;', []),
        (r"C:\New\hope \N", r"C:\New\hope \N", []),
        ("a\0b\x07\ufeffc", "abc", []),
        ("tab\tbed", "tab bed", []),
    ],
)
def test_markup_becomes_looks_and_everything_else_is_text(
    markup: str, text: str, spans: list[tuple[int, int, Look]]
) -> None:
    [cue] = cues_of(one_cue(markup))
    assert cue.text == text
    assert cue.spans == tuple(Span(*span) for span in spans)


@pytest.mark.parametrize(
    ("command", "position"),
    [
        (r"{\an8}", "top-center"),
        (r"{\an1}", "bottom-left"),
        (r"{\a1}", "bottom-left"),
        (r"{\a6}", "top-center"),
        (r"{\a11}", "middle-right"),
    ],
)
def test_a_place_in_the_text_is_the_cues_place(command: str, position: str) -> None:
    [cue] = cues_of(one_cue(f"{command}up"))
    assert cue.placement
    assert (cue.text, cue.placement.position) == ("up", position)


def test_piles_of_marks_are_cut() -> None:
    assert times_of(one_cue("Z" + "\u0301" * 100 + "algo"))[0][2] == "Z" + "\u0301" * 8 + "algo"


def test_what_is_written_is_srt_as_players_know_it() -> None:
    cue = Cue(
        1000,
        3_723_004,
        "One <i> & {\\an8} and\n\nthree",
        spans=(Span(0, 3, Look(italic=True, color="#FF0000")),),
        placement=Placement("top-left"),
    )
    assert write_srt([cue]) == (
        "1\n00:00:01,000 --> 01:02:03,004\n"
        '{\\an7}<i><font color="#FF0000">One</font></i> &lt;i> & &#123;\\an8} and\n\u00a0\nthree\n'
    )


SBV = "0:00:01.000,0:00:02.500\nHello\nworld\n\n0:00:03.000,0:00:04.000\nBye\n"


def test_sbv_is_read() -> None:
    assert times_of(SBV) == HELLO
    assert times_of(SBV.replace("Hello\nworld", "Hello[br]world")) == HELLO
