"""Scripts that ask too much are refused; those that only look like it are not."""

from __future__ import annotations

import pytest

from tests.unit.subtitles.bombs import ALLOWED, HEADER, LINE, REFUSED, script
from tests.unit.subtitles.reading import as_bytes, error_of, one_cue
from worker.errors import JobError
from worker.media.options import Options
from worker.media.subtitles import read_subtitles


@pytest.mark.parametrize("name", REFUSED)
def test_a_bomb_is_refused(name: str) -> None:
    error = error_of(REFUSED[name])
    assert error.code == "subtitles_too_complex"
    assert not error.retry


@pytest.mark.parametrize("name", ALLOWED)
def test_what_libass_can_draw_is_not_refused(name: str) -> None:
    assert read_subtitles(as_bytes(ALLOWED[name])).count


def test_the_moment_is_named() -> None:
    texts = [LINE] * 20 + [r"{\fs288}" + LINE]
    late = script(*texts).replace("0:00:00.00,0:00:09.00,D,{", "0:01:02.00,0:01:03.00,D,{")
    assert "at 1:02 min" in error_of(late).message


def test_lines_one_after_the_other_do_not_add_up() -> None:
    times = [f"0:00:{n:02}.00,0:00:{n + 1:02}.00" for n in range(50)]
    text = r"{\fs280}" + LINE[:20]
    assert read_subtitles(
        (HEADER + "".join(f"Dialogue: {time},D,{text}\n" for time in times)).encode()
    ).count


def test_with_the_users_own_style_a_bomb_is_only_its_text() -> None:
    bomb = REFUSED["a size beyond all bounds"].encode()
    assert [cue.text for cue in read_subtitles(bomb, Options(restyle=True)).cues] == [LINE]


def test_cues_of_other_formats_are_counted_as_well() -> None:
    assert error_of(one_cue("x") * 501).code == "subtitles_too_complex"


NINES = "9" * 9000
DIGITS = (
    f"x<{NINES}:00:01.000>y",
    f"x&#{NINES};&#x{NINES};",
    f"x{{\\an{NINES}}}{{\\a{NINES}}}{{\\k{NINES}}}{{\\p{NINES}}}{{\\fs{NINES}}}{{\\i{NINES}}}",
    f"x{{\\pos({NINES},{NINES})\\org({NINES},1)\\frx{NINES}\\clip({NINES})}}",
)
"""Python refuses to read numbers this long."""


@pytest.mark.timeout(100)
@pytest.mark.parametrize(
    "text",
    [
        " " * 5_000_000 + "-->",
        "\n" * 5_000_000 + "x",
        one_cue("<" + "a" * 4_900_000),
        one_cue("x" + " " * 4_900_000 + "y"),
        one_cue("{" * 4_900_000),
        one_cue("&" + "a" * 4_900_000),
        "WEBVTT\n" + "a" * 4_900_000,
        "WEBVTT\n\nSTYLE\n" + "::cue(" * 800_000,
        "WEBVTT\n\nREGION\n" + "a" * 4_900_000,
        "WEBVTT\n\n00:01 --> 00:02 " + "a" * 4_900_000 + "\nx",
        "1:" * 2_400_000 + "-->",
        "-" * 4_900_000 + ">",
        script("{" * 4_900_000),
        script("\\" * 4_900_000),
        "[" * 4_900_000,
        '[{"start":0,"end":1,"text":"' + "x" * 4_900_000 + '"}]',
        '{"a":' * 900_000,
        "\0" * 5_000_000,
        "\x1b$" * 2_500_000,
        *(f"WEBVTT\n\n00:01 --> 00:02\n{text}" for text in DIGITS),
        *(one_cue(text) for text in DIGITS),
        script(*DIGITS),
        f'[{{"start":{"9" * 9000},"end":1,"text":"x"}}]',
        f"1\n{'9' * 9000}:00:01,000 --> 00:00:02,000\nx\n",
    ],
    ids=lambda text: repr(text[:40]),
)
def test_five_megabytes_of_anything_end_soon(text: str) -> None:
    """Nothing here takes longer than its length allows: no pattern backtracks."""
    try:
        read_subtitles(text.encode())
    except JobError as error:
        assert error.code.startswith("subtitles_")
