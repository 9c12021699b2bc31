"""What an ASS script may ask of libass: more raises ``subtitles_too_complex``, before ffmpeg takes
minutes for a frame, or gigabytes.

A few bytes can ask for a lot: a letter 350 pictures high, 20,000 lines at once, 2,000 fonts. What
costs is, in this order, the area that is drawn in one frame, the number of lines in it, the points
of drawings, and fonts (each name that is new is looked up and loaded). So these are counted, for
every moment, from the largest values that a line names anywhere. docs/decisions.md has the figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pysubs2 import SSAEvent, SSAFile, SSAStyle

from worker.errors import JobError, span
from worker.media.script.ass import COLUMN
from worker.media.script.lines import widths_of
from worker.media.subtitles.ass_cues import letters_and_drawings, pieces

MOST_AT_ONCE = 500
"""Lines in one frame."""
MOST_PICTURES = 15.0
"""Area drawn in one frame, in areas of the picture."""
MOST_POINTS = 40_000
"""Characters of the drawings and clips in one frame."""
MOST_FONTS = 100
FARTHEST_ORIGIN = 4
"""Distance of the centre of a turn in space from the picture, in its sizes."""
DEFAULT_RESOLUTION = (384, 288)
"""What libass takes when a script says nothing."""

# As libass reads numbers: with exponents, and without bounds.
NUMBER = r"\(?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
SIZE = re.compile(rf"\\fs{NUMBER}")
SCALE = re.compile(rf"\\fsc(x|y){NUMBER}")
BORDER = re.compile(rf"\\[xy]?bord{NUMBER}")
BLUR = re.compile(rf"\\(?:blur|be){NUMBER}")
WIDEST_BLUR = 100.0
HIGHEST = 1e9
RESET = re.compile(r"\\r([^\\})]*)")
FONT = re.compile(r"\\fn([^\\})]*)")
CLIP = re.compile(r"\\i?clip\(([^)]*)")
MOTION = re.compile(r"\\(?:t|move|fade?)\(")
TURN = re.compile(r"\\fr[xy]\(?\s*-?[\d.]*[1-9]")
ORIGIN = re.compile(rf"\\org{NUMBER}\s*,{NUMBER}")
COORDINATE = re.compile(r"-?\d+(?:\.\d*)?")


@dataclass(frozen=True)
class Load:
    """What is drawn between ``start`` and ``end`` (milliseconds): area in pictures, and points."""

    start: int
    end: int
    pictures: float = 0.0
    points: int = 0


def check_script(script: SSAFile) -> None:
    """Raises ``subtitles_too_complex``."""
    fonts = {style.fontname for style in script.styles.values()}
    for event in script:
        fonts.update(FONT.findall(event.text))
    if len(fonts) > MOST_FONTS:
        raise _too_complex(f"they name {len(fonts)} fonts, at most {MOST_FONTS} are allowed")
    resolution = resolution_of(script)
    check_loads(_load(event, script, resolution) for event in script)


def check_loads(loads: Iterable[Load]) -> None:
    """Add up what is drawn at every moment. Raises ``subtitles_too_complex``."""
    shown = [load for load in loads if load.end > load.start]
    changes = [(load.start, 1, load) for load in shown] + [(load.end, 0, load) for load in shown]
    count, pictures, points = 0, 0.0, 0
    for time, begins, load in sorted(changes, key=lambda change: change[:2]):
        sign = 1 if begins else -1
        count += sign
        pictures += sign * load.pictures
        points += sign * load.points
        at = f"at {span(time / 1000)}"
        if count > MOST_AT_ONCE:
            raise _too_complex(f"{at} there are more than {MOST_AT_ONCE} at once")
        if pictures > MOST_PICTURES:
            raise _too_complex(f"{at} their letters or drawings are too large or too many")
        if points > MOST_POINTS:
            raise _too_complex(f"{at} their drawings have too many points")


def resolution_of(script: SSAFile) -> tuple[int, int]:
    """The script's own pixels; of one that is missing, libass thinks as of an old television."""
    width, height = (int(script.info.get(key, 0)) for key in ("PlayResX", "PlayResY"))
    if not width and not height:
        return DEFAULT_RESOLUTION
    return width or max(1, height * 4 // 3), height or max(1, width * 3 // 4)


def _load(event: SSAEvent, script: SSAFile, resolution: tuple[int, int]) -> Load:
    width, height = resolution
    commands = "".join(block for _, block in pieces(event.text))
    styles = list(_styles(event, commands, script))
    size = largest_size([style.fontsize for style in styles], commands)
    scales = SCALE.findall(commands)
    across, down = (
        max(initial + [_number(value) / 100 for axis, value in scales if axis == wanted])
        for wanted, initial in (
            ("x", [style.scalex / 100 for style in styles]),
            ("y", [style.scaley / 100 for style in styles]),
        )
    )
    border = max([style.outline for style in styles] + _values(BORDER, commands))
    spread = 2 * border + 2 * min(max([0.0, *_values(BLUR, commands)]), WIDEST_BLUR)
    text, drawings = letters_and_drawings(event.text)
    columns = sum(widths_of(text))
    area = columns * COLUMN * size * across * (size * down + spread)
    area += sum(_extent(*drawing, width, height) for drawing in drawings) * across * down
    if MOTION.search(commands):
        area *= 2  # nothing can be kept from one frame to the next
    if TURN.search(commands):
        for x, y in ORIGIN.findall(commands):
            distance = max(abs(_number(x)) / width, abs(_number(y)) / height)
            if distance > FARTHEST_ORIGIN:
                raise _too_complex("a text is turned in space around a point too far away")
    clips = sum(map(len, CLIP.findall(commands)))
    points = sum(len(drawing) for drawing, _ in drawings) + clips
    return Load(event.start, event.end, area / (width * height), points)


def largest_size(sizes: list[float], commands: str) -> float:
    """A size with a sign is relative: tenths of what it was are added, again and again."""
    named = SIZE.findall(commands)
    largest = max(sizes + [_number(size) for size in named if size[0] not in "+-"])
    for size in named:
        if size[0] == "+":
            largest = min(largest * (1 + _number(size) / 10), HIGHEST)
    return largest


def _number(text: str) -> float:
    """Within bounds: an infinite size of no letters would be no number at all."""
    return max(-HIGHEST, min(float(text), HIGHEST))


def _styles(event: SSAEvent, commands: str, script: SSAFile) -> Iterator[SSAStyle]:
    """Every style that the event may use: libass finds some by other names."""
    known = script.styles or {"Default": SSAStyle()}
    for name in (event.style, *RESET.findall(commands)):
        yield from [known[name]] if name in known else known.values()


def _values(pattern: re.Pattern[str], commands: str) -> list[float]:
    return [_number(value) for value in pattern.findall(commands)]


def _extent(drawing: str, shrunk: int, width: int, height: int) -> float:
    """The area of the rectangle around a drawing; what lies far beyond the picture is cut off."""
    numbers = [_number(number) for number in COORDINATE.findall(drawing)]
    if len(numbers) < 2:
        return 0.0
    shrink: float = 2.0**shrunk
    across = (max(numbers[::2]) - min(numbers[::2])) / shrink
    down = (max(numbers[1::2]) - min(numbers[1::2])) / shrink
    return min(across, 3.0 * width) * min(down, 3.0 * height)


def _too_complex(reason: str) -> JobError:
    return JobError("subtitles_too_complex", reason=reason)
