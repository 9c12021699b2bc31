"""ASS and SSA: read in any order of fields, kept as their author styled them, and as cues."""

from __future__ import annotations

import pytest

from tests.unit.subtitles.reading import codes_of, cues_of, error_of, times_of
from worker.media.cues import Look, Placement, Span, Word
from worker.media.options import Options, read_options
from worker.media.script.make import script_for
from worker.media.subtitles import read_subtitles

ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 480
WrapStyle: 0
Audio File: /etc/passwd

[V4+ Styles]
Format: Fontname, Name, PrimaryColour, Fontsize
Style: Arial, Big, &H0000FF, 40

[Fonts]
fontname: evil.ttf
M2Q

[Graphics]
filename: evil.png
M2Q

[Events]
Format: End, Start, Style, Text
Dialogue: 0:00:02.50,0:00:01.00,Big,{\\i1}Hello{\\i0}, world
Comment: 0:00:02.50,0:00:01.00,Big,not shown
Dialogue: 0:00:04.00,0:00:03.00,Big,Bye
"""


def event(text: str, style: str = "Big") -> str:
    return ASS.partition("Dialogue")[0] + f"Dialogue: 0:00:02.50,0:00:01.00,{style},{text}\n"


def script_of(text: str, options: Options | None = None) -> str:
    return script_for(read_subtitles(text.encode()), options or Options(), 1280, 720)


def test_ass_is_read_by_its_own_order_of_fields() -> None:
    assert times_of(ASS) == [(1000, 2500, "Hello, world"), (3000, 4000, "Bye")]
    script = read_subtitles(ASS.encode()).script
    assert script
    style = script.styles["Big"]
    assert (style.fontname, style.fontsize, style.primarycolor.r) == ("Arial", 40, 255)


def test_an_ass_file_keeps_its_own_styles_and_resolution() -> None:
    script = script_of(ASS)
    assert "PlayResX: 640" in script
    assert "Style: Big,Arial,40" in script
    assert r"{\i1}Hello{\i0}, world" in script


def test_colours_of_a_script_are_meant_as_they_are_unless_it_says_otherwise() -> None:
    assert "YCbCr Matrix: None" in script_of(ASS)
    told = ASS.replace("WrapStyle: 0", "WrapStyle: 0\nYCbCr Matrix: TV.601")
    assert "YCbCr Matrix: TV.601" in script_of(told)


def test_of_an_ass_file_only_what_is_drawn_is_kept() -> None:
    script = script_of(ASS)
    assert "evil" not in script
    assert "M2Q" not in script
    assert "passwd" not in script
    assert codes_of(ASS) == ["attachments_dropped"]


def test_an_ass_file_gets_the_users_style_when_asked() -> None:
    options = read_options({"restyle": True, "style": {"color": "#00FF00"}})
    script = script_of(ASS, options)
    assert "PlayResX: 1280" in script
    assert "Style: Default,Noto Sans,54,&H0000FF00" in script
    assert r"{\i1}Hello{\i0}, world" in script
    assert "Arial" not in script


def test_times_beyond_the_end_stay_there() -> None:
    script = script_of(ASS.replace("0:00:03.00", "12:00:00.00").replace("0:00:04", "13:00:00"))
    assert "9:59:59.00" in script


@pytest.mark.parametrize("time", ["soon", "1:2", "0:00:0x.00", ""])
def test_an_ass_time_that_cannot_be_read_is_an_error_with_its_line(time: str) -> None:
    error = error_of(ASS.replace("0:00:03.00", time))
    assert error.code == "subtitles_incomplete"
    assert "line 24" in error.message


def test_an_event_outside_its_section_is_no_less_one() -> None:
    lost = "Dialogue: 0:00:06.00,0:00:05.00,Big,Late\n"
    assert times_of(ASS + "\n[Fonts]\nfontname: evil.ttf\nM2Q\n" + lost)[2] == (5000, 6000, "Late")
    assert len(times_of(ASS.replace("Dialogue", "dialogue", 1))) == 2


@pytest.mark.parametrize("time", ["0:00:03.00", "00:00:03", "0:00:3.0", "0:00:03.000", "0:0:03:00"])
def test_times_of_ass_come_in_many_forms(time: str) -> None:
    assert times_of(ASS.replace("0:00:03.00", time))[1] == (3000, 4000, "Bye")


def test_ssa_and_nonsense_numbers_are_read() -> None:
    ssa = """[Script Info]
[V4 Styles]
Format: Name, Alignment, AlphaLevel, Fontsize, Bold, PrimaryColour
Style: S, 6, 0.100, huge, x, 65535
[Events]
Format: Marked, Start, End, Style, Text
Dialogue: Marked=0,0:00:01.00,0:00:02.50,S,Hello
"""
    subtitles = read_subtitles(ssa.encode())
    assert subtitles.format == "ssa"
    assert subtitles.script
    style = subtitles.script.styles["S"]
    assert (style.alignment, style.fontsize) == (8, 20)
    assert (style.primarycolor.r, style.primarycolor.g, style.primarycolor.b) == (255, 255, 0)
    assert subtitles.cues[0].placement == Placement("top-center")


@pytest.mark.parametrize("colour", ["&H0000FF", "&H000000FF&", "255", "-2147483393"])
def test_colours_come_in_many_forms(colour: str) -> None:
    script = read_subtitles(ASS.replace("&H0000FF", colour).encode()).script
    assert script
    red = script.styles["Big"].primarycolor
    assert (red.r, red.g, red.b) == (255, 0, 0)


def test_karaoke_and_effects_are_kept() -> None:
    text = r"{\k20}{\kf30\t(0,300,\fscx120)}one {\ko40}two"
    assert text in script_of(event(text))


def test_a_script_without_styles_is_read() -> None:
    assert times_of("[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,x,,0,0,0,,Hi, you\n") == [
        (1000, 2000, "Hi, you")
    ]


@pytest.mark.parametrize(
    ("text", "plain", "spans"),
    [
        (r"one\Ntwo\nthree\hfour", "one\ntwo three\u00a0four", []),
        (r"{\i1}a{\i0}b{\b1\u1}c{\r}d", "abcd", [
            (0, 1, Look(italic=True)), (2, 3, Look(bold=True, underline=True)),
        ]),
        (r"{\c&H0000FF&}a{\1c&HFF0000&}b{\c}c", "abc", [
            (0, 1, Look(color="#FF0000")), (1, 2, Look(color="#0000FF")),
        ]),
        (r"{a comment}a{\fs50\pos(1,2)\t(0,5,\fs9)}b", "ab", []),
        (r"{\p1}m 0 0 l 9 9{\p0}seen", "seen", []),
        ("{unclosed", "{unclosed", []),
        (r"a\b", r"a\b", []),
    ],
)  # fmt: skip
def test_the_text_of_events_is_read_as_cues(
    text: str, plain: str, spans: list[tuple[int, int, Look]]
) -> None:
    [cue] = cues_of(event(text))
    assert cue.text == plain
    assert cue.spans == tuple(Span(*span) for span in spans)


@pytest.mark.parametrize(
    ("commands", "outside"),
    [
        (r"\pos(320,240)", False),
        (r"\pos(-30,500)", False),
        (r"\pos(320,530)", True),
        (r"\pos(-400,100)", True),
        (r"\fs100\pos(320,530)", False),
        (r"\pos(320,-50)\p1", False),
        (r"\move(-900,0,320,240)", False),
    ],
)
def test_text_that_its_file_puts_outside_the_picture_is_told(commands: str, outside: bool) -> None:
    text = "m 0 0 l 9 9" if "p1" in commands else "word"
    ass = event(f"{{{commands}}}{text}")
    expected = ["attachments_dropped", "cues_outside"] if outside else ["attachments_dropped"]
    assert codes_of(ass) == expected
    restyled = read_subtitles(ass.encode(), read_options({"restyle": True}))
    assert [warning.code for warning in restyled.warnings] == ["attachments_dropped"]


def test_karaoke_is_word_times() -> None:
    [cue] = cues_of(event(r"{\k20}{\k30}one {\kf40}two{\K10}three"))
    assert cue.text == "one twothree"
    assert cue.words == (
        Word(1200, 1500, "one"),
        Word(1500, 1900, "two"),
        Word(1900, 2000, "three"),
    )


def test_drawings_are_drawn_but_are_no_cues() -> None:
    subtitles = read_subtitles(
        event(r"{\p1}m 0 0 l 9 9 0 9").encode() + b"Dialogue: 0:00:09,0:00:08,Big,x"
    )
    assert subtitles.count == 2
    assert [cue.text for cue in subtitles.cues] == ["x"]
