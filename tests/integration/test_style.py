"""How subtitles look, measured on frames that the real ffmpeg has drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.subtitles.sentences import LANGUAGES, SENTENCES
from worker.media.cues import Cue, Word
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.script.ass import write_script
from worker.media.style import Style
from worker.media.subtitles.ass_cues import cues_of
from worker.media.subtitles.substation import read_substation

Pixels = npt.NDArray[np.int_]
BACKGROUND = 64
CASED = ("German", "Polish", "Russian", "Greek", "Turkish", "Vietnamese")
TALL = ("Arabic", "Persian")
RATE = 20


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Ffmpeg:
    return asyncio.run(Ffmpeg.find(None, tmp_path_factory.mktemp("ffmpeg")))


async def drawn(
    program: Ffmpeg,
    folder: Path,
    cues: Sequence[Cue],
    style: dict[str, Any],
    size: tuple[int, int] = (640, 360),
    *,
    display: tuple[int, int] | None = None,
    rate: int = RATE,
    language: str | None = None,
    picture: str = "format=gbrp",
) -> Pixels:
    """RGB frames of a grey clip, shape (frames, height, width, 3), that ends with the last cue."""
    width, height = display or size
    script = write_script(cues, Style.model_validate(style), width, height, language)
    (folder / "subtitles.ass").write_text(script, encoding="utf-8")
    seconds = max(cue.end for cue in cues) / 1000
    source = f"color=0x{BACKGROUND:02x}{BACKGROUND:02x}{BACKGROUND:02x}:s={size[0]}x{size[1]}"
    filters = f"{picture},ass=subtitles.ass:original_size={width}x{height}"
    run = await program.run(
        [
            *("-v", "error", "-f", "lavfi", "-i", f"{source}:r={rate}:d={seconds}"),
            *("-vf", filters, "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"),
        ],
        folder,
        Limits(),
    )
    assert run.returncode == 0, run.log
    assert not run.missing_glyphs
    return np.frombuffer(run.stdout, np.uint8).reshape(-1, size[1], size[0], 3).astype(int)


def box_of(frame: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs from the background."""
    changed = np.abs(frame - BACKGROUND).max(axis=2) > 24
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def has(frame: Pixels, color: tuple[int, int, int], tolerance: int = 6) -> bool:
    return bool((np.abs(frame - np.array(color)) <= tolerance).all(axis=-1).any())


HELLO = [Cue(0, 200, "HHHH")]
BIG = {"size": 25, "outline": 0}


@pytest.mark.parametrize(
    ("color", "rgb"),
    [
        ("#FF0000", (255, 0, 0)),
        ("#0000FF", (0, 0, 255)),
        ("#12AB34", (0x12, 0xAB, 0x34)),
        ("#FF000080", (160, 32, 32)),
    ],
)
async def test_a_colour_is_drawn_as_it_is_on_the_web(
    program: Ffmpeg, tmp_path: Path, color: str, rgb: tuple[int, int, int]
) -> None:
    frame = (await drawn(program, tmp_path, HELLO, {**BIG, "color": color}))[0]
    assert has(frame, rgb)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
async def test_red_is_red_in_the_colours_of_every_video(
    program: Ffmpeg, tmp_path: Path, matrix: str
) -> None:
    picture = (
        f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv444p,"
        f"setparams=range=tv:colorspace={matrix}"
    )
    frames = await drawn(program, tmp_path, HELLO, {**BIG, "color": "#FF0000"}, picture=picture)
    assert has(frames[0], (255, 0, 0), tolerance=2)


async def test_an_outline_has_its_own_colour_and_opacity(program: Ffmpeg, tmp_path: Path) -> None:
    style = {"size": 25, "outline": 20, "color": "#FFFFFF", "outline_color": "#00FF0080"}
    frame = (await drawn(program, tmp_path, HELLO, style))[0]
    assert has(frame, (255, 255, 255))
    assert has(frame, (32, 160, 32))


async def test_italic_leans_and_bold_is_bold(program: Ffmpeg, tmp_path: Path) -> None:
    async def letter(**style: bool) -> Pixels:
        frame = (await drawn(program, tmp_path, [Cue(0, 200, "l")], {**BIG, **style}))[0]
        left, top, right, bottom = box_of(frame)
        return np.asarray(frame[top:bottom, left:right, 0])

    upright, italic, bold = await letter(), await letter(italic=True), await letter(bold=True)
    lean = [int(np.flatnonzero(row > 128)[0]) for row in (italic[2], italic[-3])]
    assert lean[0] > lean[1] + 5, "the top stands further to the right"
    assert abs(np.flatnonzero(upright[2] > 128)[0] - np.flatnonzero(upright[-3] > 128)[0]) <= 1
    assert bold.shape[1] > 1.3 * upright.shape[1]


@pytest.mark.parametrize(
    ("size", "display"),
    [
        ((1280, 720), None),
        ((720, 1280), None),
        ((3840, 2160), None),
        ((853, 481), None),
        ((640, 720), (1280, 720)),
        ((1440, 360), (720, 360)),
        ((720, 720), None),
    ],
    ids=["landscape", "portrait", "4K", "odd", "narrow pixels", "wide pixels", "square"],
)
async def test_the_same_style_looks_the_same_on_every_picture(
    program: Ffmpeg, tmp_path: Path, size: tuple[int, int], display: tuple[int, int] | None
) -> None:
    """As a share of the shorter side, as displayed."""
    frames = await drawn(
        program, tmp_path, HELLO, {"size": 10, "outline": 0}, size, display=display
    )
    left, top, right, bottom = box_of(frames[0])
    width, height = display or size
    unit = min(width, height)
    pixel_width = width / size[0]
    assert (bottom - top) / unit == pytest.approx(0.047, abs=0.0035), "height of a capital"
    assert (right - left) * pixel_width / unit == pytest.approx(0.186, abs=0.01), "width of four"
    assert (height - bottom) / unit == pytest.approx(0.076, abs=0.01), "distance from below"


@pytest.mark.parametrize("row", ["top", "middle", "bottom"])
@pytest.mark.parametrize("side", ["left", "center", "right"])
async def test_every_position_keeps_its_margins(
    program: Ffmpeg, tmp_path: Path, row: str, side: str
) -> None:
    style = {
        "size": 20, "position": f"{row}-{side}", "margin_horizontal": 10, "margin_vertical": 5,
        "box_color": "#FFFF00", "box_padding": 10,
    }  # fmt: skip
    left, top, right, bottom = box_of((await drawn(program, tmp_path, HELLO, style))[0])
    across = {"left": left - 36, "center": left - (640 - right), "right": 640 - right - 36}
    down = {"top": top - 18, "middle": top - (360 - bottom), "bottom": 360 - bottom - 18}
    assert abs(across[side]) <= 3
    assert abs(down[row]) <= 3


async def test_a_box_is_one_even_area_behind_all_lines(program: Ffmpeg, tmp_path: Path) -> None:
    style = {"size": 15, "box_color": "#0000FF80", "box_padding": 30, "outline": 0}
    frame = (await drawn(program, tmp_path, [Cue(0, 200, "a long line\nx")], style))[0]
    left, top, right, bottom = box_of(frame)
    inside = frame[top + 2 : bottom - 2, left + 2 : right - 2].reshape(-1, 3)
    blue = np.array([32, 32, 160])
    even = (np.abs(inside - blue) <= 6).all(axis=1).mean()
    assert even > 0.7, "but for the letters it has one colour, without seams between the lines"
    bare = (await drawn(program, tmp_path, [Cue(0, 200, "a long line\nx")], {"size": 15}))[0]
    assert box_of(bare)[0] - left == pytest.approx(0.3 * 0.15 * 360, abs=4)


WORDS = [
    Cue(0, 1000, "HHH HHH", words=(Word(200, 500, "HHH"), Word(500, 1000, "HHH"))),
]


def halves(frames: Pixels, color: tuple[int, int, int]) -> list[tuple[bool, bool]]:
    middle = frames.shape[2] // 2
    return [(has(f[:, :middle], color), has(f[:, middle:], color)) for f in frames]


async def test_the_word_that_is_spoken_is_highlighted(program: Ffmpeg, tmp_path: Path) -> None:
    style = {**BIG, "highlight": "word", "highlight_color": "#FF0000"}
    red = halves(await drawn(program, tmp_path, WORDS, style), (255, 0, 0))
    assert red[:4] == [(False, False)] * 4
    assert red[4:10] == [(True, False)] * 6
    assert red[10:] == [(False, True)] * 10


async def test_a_fill_runs_through_the_words(program: Ffmpeg, tmp_path: Path) -> None:
    style = {**BIG, "highlight": "fill", "highlight_color": "#FF0000"}
    frames = await drawn(program, tmp_path, WORDS, style)
    red = np.array([255, 0, 0])
    filled = [(np.abs(frame - red) <= 6).all(axis=-1).any(axis=0).sum() for frame in frames]
    assert filled[3] == 0
    assert all(np.diff(filled) >= 0)
    assert filled[9] > filled[6] > filled[4]
    assert halves(frames[9:10], (255, 0, 0)) == [(True, False)]
    assert halves(frames[-1:], (255, 255, 255)) == [(False, True)], "the last part comes at the end"


async def test_a_long_text_is_shown_in_parts_one_after_the_other(
    program: Ffmpeg, tmp_path: Path
) -> None:
    text = "one two three four five six seven eight"
    frames = await drawn(
        program, tmp_path, [Cue(0, 2000, text)], {"size": 10, "max_characters": 10, "max_lines": 1}
    )
    pictures = {frame.tobytes() for frame in frames}
    assert len(pictures) == 5
    assert all(box_of(frame)[3] - box_of(frame)[1] < 0.12 * 360 for frame in frames)


@pytest.mark.parametrize("size", [(720, 1280), (1280, 720)], ids=["portrait", "landscape"])
async def test_lines_of_ordinary_text_fit_as_they_were_broken(
    program: Ffmpeg, tmp_path: Path, size: tuple[int, int]
) -> None:
    """In every language: libass breaks none of them again."""
    texts = {name: " ".join(said) for name, said in SENTENCES.items()}
    texts |= {f"{name}, in capitals": text.upper() for name, text in texts.items() if name in CASED}
    for name, text in texts.items():
        cues = [Cue(0, 100, text)]
        language = LANGUAGES[name.partition(", in")[0]]
        frames = await drawn(program, tmp_path, cues, {"max_lines": 10}, size, language=language)
        script, _ = read_substation((tmp_path / "subtitles.ass").read_text(), "ass")
        [shown] = cues_of(script)
        lines = shown.text.count("\n") + 1
        left, top, right, bottom = box_of(frames[0])
        assert left >= 0.05 * min(size) - 4, name
        assert right <= size[0] - 0.05 * min(size) + 4, name
        height = 0.075 * min(size) * (1.43 if name in TALL else 1)
        assert bottom - top < (lines + 0.35) * height, name


@pytest.mark.parametrize(
    ("text", "from_left_to_right"),
    [
        ("שלום (World) 123, מה?", "?המ ,123 (World) םולש"),
        ("זה ארוך\nPython היא שפה.", "ךורא הז\n.הפש איה Python"),
        ("- שלום!\n- Hello, מה?\nHello!", "!םולש -\n?המ ,Hello -\nHello!"),
        ("על Python (JS) 12.", ".Python (JS) 12 לע"),
        ("English (עברית) 12, end", "English (תירבע) 12, end"),
    ],
)
async def test_both_directions_in_a_line_stand_in_the_order_of_unicode(
    program: Ffmpeg, tmp_path: Path, text: str, from_left_to_right: str
) -> None:
    """Hebrew, whose letters look the same in either order, against text in the order of sight."""
    forced = "\n".join(f"\u202d{line}\u202c" for line in from_left_to_right.split("\n"))
    # The same marks without effect, since they may come from a font of another height.
    text = "\n".join(f"\u202d\u202c{line}" for line in text.split("\n"))
    # One font for all: else a space is as wide as in the font of what stands before it.
    style = {"size": 12, "font": "Noto Sans Hebrew"}
    pictures = [await drawn(program, tmp_path, [Cue(0, 100, one)], style) for one in (text, forced)]
    assert (np.abs(pictures[0] - pictures[1]) > 60).sum() < 40
