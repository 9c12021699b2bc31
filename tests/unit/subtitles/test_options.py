"""Options and the style's look."""

from __future__ import annotations

from typing import Any

import pytest

from worker.errors import JobError
from worker.media.options import Options, read_options
from worker.media.script.make import cues_past, script_for
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
        ({"style": {"font": "a}b"}}, "style.font"),
        ({"style": {"box_color": "none"}}, "style.box_color"),
        ({"style": {"max_lines": 0}}, "style.max_lines"),
        ({"style": {"highlight": "all"}}, "style.highlight"),
        ({"language": "日本語"}, "language"),
        ({"sidecars": ["ass"]}, "sidecars.0"),
        ({"poster_time": float("nan")}, "poster_time"),
        ({"max_resolution": 10}, "max_resolution"),
        ({"soft_track": 1}, "soft_track"),
        ({"style": []}, "style"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(JobError) as raised:
        read_options(options)
    assert raised.value.code == "invalid_options"
    assert f"option {field} " in raised.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"language": "zh-Hant-TW", "soft_track": True, "sidecars": ["srt", "vtt"]},
        {"poster_time": 0, "max_resolution": 720, "restyle": True},
        {
            "style": {
                "box_color": "#00000099",
                "max_lines": 2,
                "highlight": "word",
                "font": "思源黑体",
            }
        },
    ],
)
def test_what_is_documented_is_taken(options: dict[str, Any]) -> None:
    assert read_options(options).model_dump(mode="json", exclude_unset=True) == options


def style_line(options: dict[str, Any], width: int = 1920, height: int = 1080) -> list[str]:
    """The fields of the script's style."""
    script = script_for(read_subtitles(SRT), read_options({"style": options}), width, height)
    [line] = [line for line in script.splitlines() if line.startswith("Style:")]
    return line.split(",")


def test_colours_are_web_colours_and_red_is_red() -> None:
    fields = style_line({"color": "#FF0000", "outline_color": "#00FF0080"})
    assert fields[3] == "&H000000FF", "ASS writes transparency, blue, green, red"
    assert fields[5] == "&H7F00FF00"


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (3840, 2160), (320, 240)])
def test_the_same_style_has_the_same_share_of_every_picture(size: tuple[int, int]) -> None:
    fields = style_line({"size": 10.0, "outline": 10.0}, *size)
    assert float(fields[2]) == pytest.approx(min(size) / 10)
    assert float(fields[16]) == pytest.approx(min(size) / 100, abs=0.01)


@pytest.mark.parametrize(
    ("position", "alignment"),
    [("bottom-left", "1"), ("bottom-center", "2"), ("middle-center", "5"), ("top-right", "9")],
)
def test_positions_are_those_of_a_number_pad(position: str, alignment: str) -> None:
    assert style_line({"position": position})[18] == alignment


def test_cues_after_the_end_are_counted_and_do_no_harm() -> None:
    subtitles = read_subtitles(SRT)
    assert cues_past(subtitles, 10.0) == 1
    assert script_for(subtitles, Options(), 320, 240).count("Dialogue:") == 2
