"""Options and the style's look."""

from __future__ import annotations

from typing import Any

import pytest

from worker.errors import JobError
from worker.media.options import read_options
from worker.media.script import ass_style, cues_past, write_ass
from worker.media.style import Style
from worker.media.subtitles import read_subtitles

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n11:00:00,000 --> 11:00:01,000\nlate\n"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"stile": {}}, "stile"),
        ({"style": {"colour": "#FFFFFF"}}, "style.colour"),
        ({"style": {"color": "red"}}, "style.color"),
        ({"style": {"color": "#FFF"}}, "style.color"),
        ({"style": {"size": 0}}, "style.size"),
        ({"style": {"size": "NaN"}}, "style.size"),
        ({"style": {"bold": "yes"}}, "style.bold"),
        ({"style": {"position": "below"}}, "style.position"),
        ({"style": {"font": "a,b\n[Events]"}}, "style.font"),
        ({"style": []}, "style"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(JobError) as raised:
        read_options(options)
    assert raised.value.code == "invalid_options"
    assert f"option {field} " in raised.value.message


def test_colours_are_web_colours_and_red_is_red() -> None:
    style = read_options({"style": {"color": "#FF0000", "outline_color": "#00FF0080"}}).style
    line = next(
        line
        for line in write_ass(read_subtitles(SRT), style, 1920, 1080).splitlines()
        if line.startswith("Style:")
    )
    primary, outline = line.split(",")[3], line.split(",")[5]
    assert primary == "&H000000FF", "ASS writes transparency, blue, green, red"
    assert outline == "&H7F00FF00"


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (3840, 2160), (320, 240)])
def test_the_same_style_has_the_same_share_of_every_picture(size: tuple[int, int]) -> None:
    style = ass_style(Style(size=10.0, outline=10.0), *size)
    assert style.fontsize == pytest.approx(min(size) / 10)
    assert style.outline == pytest.approx(min(size) / 100, abs=0.01)


@pytest.mark.parametrize(
    ("position", "alignment"),
    [("bottom-left", 1), ("bottom-center", 2), ("middle-center", 5), ("top-right", 9)],
)
def test_positions_are_those_of_a_number_pad(position: Any, alignment: int) -> None:
    assert ass_style(Style(position=position), 100, 100).alignment == alignment


def test_the_script_has_the_pictures_own_pixels_for_units() -> None:
    script = write_ass(read_subtitles(SRT), Style(), 1280, 720)
    assert "PlayResX: 1280\nPlayResY: 720\n" in script


def test_an_ass_file_keeps_its_own_styles_and_resolution() -> None:
    ass = b"""[Script Info]
PlayResX: 640
PlayResY: 480
[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Mine,Arial,33
[Events]
Format: Start, End, Style, Text
Dialogue: 0:00:01.00,0:00:02.00,Mine,Hi
"""
    script = write_ass(read_subtitles(ass), Style(), 1280, 720)
    assert "PlayResX: 640" in script
    assert "Style: Mine,Arial,33" in script
    assert "Default" not in script


def test_cues_after_the_end_are_counted_and_do_no_harm() -> None:
    subtitles = read_subtitles(SRT)
    assert cues_past(subtitles, 10.0) == 1
    assert write_ass(subtitles, Style(), 320, 240).count("Dialogue:") == 2
