"""Events of a script that their own file puts beyond the edge of the picture: nobody sees them.

Mostly the file does not say for which resolution it was written, and libass takes a small one.
"""

from __future__ import annotations

import re

from pysubs2 import SSAFile

from worker.media.script.ass import COLUMN
from worker.media.script.lines import widths_of
from worker.media.subtitles.ass_cues import letters_and_drawings
from worker.media.subtitles.ass_limits import NUMBER, largest_size, resolution_of

PLACE = re.compile(rf"\\pos\({NUMBER}\s*,\s*{NUMBER}\s*\)")


def count_outside(script: SSAFile) -> int:
    """How many have a fixed place so far outside that no letter of theirs reaches in."""
    width, height = resolution_of(script)
    outside = 0
    for event in script:
        place = PLACE.search(event.text)
        letters, drawings = letters_and_drawings(event.text)
        if not place or drawings or not letters.strip():
            continue
        style = script.styles.get(event.style)
        size = largest_size([style.fontsize if style else 0.0], event.text)
        lines = letters.split(r"\N")
        across = max(sum(widths_of(line)) for line in lines) * COLUMN * size
        x, y = float(place[1]), float(place[2])
        beside = not -across <= x <= width + across
        outside += beside or not -len(lines) * size <= y <= height + len(lines) * size
    return outside
