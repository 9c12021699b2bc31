"""A user's subtitle file: charset, format, cues; nothing is lost without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import JobError, JobWarning
from worker.media.subtitles import MAX_CUE_CHARACTERS, MAX_CUES, read_subtitles
from worker.media.timed_text import markup_to_ass


def cues(text: str | bytes) -> list[tuple[int, int, str]]:
    data = text.encode() if isinstance(text, str) else text
    return [(e.start, e.end, e.text) for e in read_subtitles(data).script.events]


def code_of(data: bytes) -> str:
    with pytest.raises(JobError) as raised:
        read_subtitles(data)
    return raised.value.code


SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello\nworld\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
HELLO = [(1000, 2500, r"Hello\Nworld"), (3000, 4000, "Bye")]


def test_srt_is_read() -> None:
    assert cues(SRT) == HELLO


@pytest.mark.parametrize(
    "dialect",
    [
        SRT.replace("1\n00", "00").replace("2\n00", "00"),
        SRT.replace(",", "."),
        SRT.replace("\n", "\r\n"),
        SRT.replace("\n", "\r"),
        SRT.replace("00:00:", "00:"),
        SRT.replace(",000", "").replace(",500", ",5"),
        SRT.replace(" --> ", "-->"),
        SRT.replace("02,500", "02,500 X1:40 X2:600 Y1:20 Y2:50"),
        "\ufeff\n\n" + SRT + "\n\n",
    ],
    ids=[
        "no numbers", "dots", "CRLF", "CR", "MM:SS", "short fractions", "no spaces",
        "coordinates", "BOM",
    ],
)  # fmt: skip
def test_dialects_of_srt_give_the_same_cues(dialect: str) -> None:
    assert cues(dialect) == HELLO


def test_a_text_that_is_a_number_is_kept() -> None:
    assert cues("1\n00:00:01,000 --> 00:00:02,000\nHow many?\n42\n") == [
        (1000, 2000, r"How many?\N42")
    ]


def test_an_empty_line_inside_a_text_does_not_cut_it() -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nfirst\n\nthird\n\n2\n00:00:03,000 --> 00:00:04,000\nx\n"
    )
    assert cues(text)[0][2] == r"first\N\Nthird"


def test_a_time_that_cannot_be_read_is_an_error_with_its_line() -> None:
    with pytest.raises(JobError) as raised:
        read_subtitles(SRT.replace("00:00:03,000", "00:xx:03,000").encode())
    assert raised.value.code == "subtitles_incomplete"
    assert "1 of 2" in raised.value.message
    assert "line 7" in raised.value.message


VTT = """WEBVTT - a title
X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000

STYLE
::cue(.a --> b) { color: red }

NOTE 00:00 --> 00:01 is not a cue
nor is this

REGION
id:r

intro
00:01.000 --> 00:02.500 line:85% align:middle
<v Ann>Hello</v>
<c.red>world</c>

WEBVTT

00:00:03.000 --> 00:00:04.000
Bye &amp; <00:00:03.500>go
"""


def test_webvtt_is_read_without_its_comments_and_segments_are_joined() -> None:
    assert cues(VTT) == [(1000, 2500, r"Hello\Nworld"), (3000, 4000, "Bye & go")]


ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 480
Audio File: /etc/passwd

[V4+ Styles]
Format: Fontname, Name, PrimaryColour, Fontsize
Style: Arial, Big, &H0000FF, 40

[Fonts]
fontname: evil.ttf
M2Q

[Events]
Format: End, Start, Style, Text
Dialogue: 0:00:02.50,0:00:01.00,Big,{\\i1}Hello{\\i0}, world
Comment: 0:00:02.50,0:00:01.00,Big,not shown
Dialogue: 0:00:04.00,0:00:03.00,Big,Bye
"""


def test_ass_is_read_by_its_own_order_of_fields() -> None:
    subtitles = read_subtitles(ASS.encode())
    assert [(e.start, e.end, e.text) for e in subtitles.script.events] == [
        (1000, 2500, r"{\i1}Hello{\i0}, world"),
        (3000, 4000, "Bye"),
    ]
    style = subtitles.script.styles["Big"]
    assert (style.fontname, style.fontsize, style.primarycolor.r) == ("Arial", 40, 255)


def test_of_an_ass_file_only_what_is_drawn_is_kept() -> None:
    script = read_subtitles(ASS.encode()).script
    assert not script.fonts_opaque
    assert set(script.info) <= {"PlayResX", "PlayResY", "ScriptType"}


def test_an_ass_time_that_cannot_be_read_is_an_error_with_its_line() -> None:
    with pytest.raises(JobError) as raised:
        read_subtitles(ASS.replace("0:00:03.00", "soon").encode())
    assert raised.value.code == "subtitles_incomplete"
    assert "line 19" in raised.value.message


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
    style = subtitles.script.styles["S"]
    assert (style.alignment, style.fontsize) == (8, 20)
    assert (style.primarycolor.r, style.primarycolor.g, style.primarycolor.b) == (255, 255, 0)


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "Grüße, Ελληνικά, עברית"),
        ("utf-8-sig", "Grüße"),
        ("utf-16", "Grüße"),
        ("utf-16-le", "plain text"),
        ("utf-16-be", "plain text"),
        ("utf-32", "Grüße"),
        ("cp1251", "Привет, как дела? Это проверка кодировки субтитров."),
        ("shift_jis", "これは日本語の字幕です。右に見えるのは"),
        ("gb18030", "这是中文字幕，让我们看看检测是否有效"),
        ("big5", "這是中文字幕，讓我們看看檢測是否有效"),
        ("euc_kr", "한국어 자막입니다. 테스트"),
    ],
)
def test_the_charset_is_found(charset: str, text: str) -> None:
    srt = f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"
    assert cues(srt.encode(charset)) == [(1000, 2000, text)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "subtitles_empty"),
        (b"\xef\xbb\xbf \n\n", "subtitles_empty"),
        (b"WEBVTT\n\n", "subtitles_empty"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\n", "subtitles_empty"),
        (b"just some words", "subtitles_unreadable"),
        (b"\x00\x00\x00\x1cftypisom\x00\x00\x02\x00", "subtitles_unreadable"),
        (b"x" * (5 * 1024 * 1024 + 1), "subtitles_too_large"),
        (b"00:01 --> 00:02\nx\n\n" * (MAX_CUES + 1), "subtitles_too_large"),
        (b"00:01 --> 00:02\n" + b"x" * (MAX_CUE_CHARACTERS + 1), "subtitles_too_large"),
    ],
    ids=["nothing", "white", "header", "no text", "prose", "video", "bytes", "cues", "long"],
)
def test_what_is_no_subtitle_file_gets_a_code(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_cues_that_show_nothing_are_told() -> None:
    subtitles = read_subtitles(
        (
            SRT + "\n3\n00:00:05,000 --> 00:00:06,000\n\n4\n00:00:08,000 --> 00:00:07,000\nx\n"
        ).encode()
    )
    assert len(subtitles.script.events) == 4
    assert subtitles.warnings == [
        JobWarning.of("cues_without_text", count=1),
        JobWarning.of("cues_backwards", count=1),
    ]


@pytest.mark.parametrize(
    ("markup", "ass"),
    [
        ("<i>a</i> <b>b</b> <u>c</u> <s>d</s>", r"{\i1}a{\i} {\b1}b{\b} {\u1}c{\u} {\s1}d{\s}"),
        ('<font color="#FF8000">x</font>', r"{\c&H0080FF&}x{\c}"),
        ("<font face=Arial>x</font>", r"x{\c}"),
        (r"{\an8}top", r"{\an8}top"),
        (r"{\i1}x{\i0}", r"{\i1}x{\i0}"),
        (r"{\fs9999}{\p1}m 0 0{\an10}x", "m 0 0x"),
        ("{sic}", r"\{sic\}"),
        ("1 < 2 > 0 <3", "1 < 2 > 0 <3"),
        ("&lt;i&gt; &amp; &nbsp;&copy;", r"<i> & \h&copy;"),
        ("a\nb", r"a\Nb"),
        (r"C:\New", "C:\\\u2060New"),
    ],
)
def test_markup_becomes_ass_and_nothing_else_is_a_command(markup: str, ass: str) -> None:
    assert markup_to_ass(markup, vtt=False) == ass


plain_text = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="<>&{}\\"),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip() == text and not text.isdigit())
times = st.integers(0, 9 * 3600 * 1000)


def timestamp(ms: int) -> str:
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


@given(st.lists(st.tuples(times, times, plain_text), min_size=1, max_size=20))
def test_every_written_cue_is_read_back(written: list[tuple[int, int, str]]) -> None:
    for separator, header in ((",", ""), (".", "WEBVTT\n\n")):
        text = header + "".join(
            f"{timestamp(start).replace(',', separator)} --> "
            f"{timestamp(end).replace(',', separator)}\n{text}\n\n"
            for start, end, text in written
        )
        assert cues(text) == written


@given(st.binary(max_size=2000))
def test_any_bytes_end_in_cues_or_a_code(data: bytes) -> None:
    try:
        assert read_subtitles(data).script.events
    except JobError as error:
        assert error.code.startswith("subtitles_")
