"""Draws docs/scripts.png and docs/styles.png: `make sheets`. What subtitles look like, to be looked
at after a change of fonts, of the script's writer or of ffmpeg.

Each tile is a frame that the worker's own writer and ffmpeg have made, with its name in a corner.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from worker.media.cues import Cue, Word
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.script.ass import write_script
from worker.media.style import Style

FOLDER = Path(__file__).parent
SCRIPTS = {
    "Latin": "Žluťoučký kůň, çağrı, Über, œuvre, ấy đã điều",
    "Greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "Cyrillic": "Съешь ещё этих булок, їжак і ґанок",
    "Arabic": "مرحبًا! لديّ 3 كتب عن Python، والكتاب الرابع قادم.",
    "Persian, Urdu": "گچ پژ چهار ۴۵۶ — ٹھیک ہے، ڈرو مت",
    "Hebrew": "שלום! יש לי 3 ספרים על Python, וזהו.",
    "Hebrew points": "בְּרֵאשִׁית בָּרָא אֱלֹהִים",
    "Hebrew with Latin": "הקובץ (README) 12, כאן:\nPython [ועוד] וזהו.",
    "Arabic with Latin": "مرحبا (World) 123!\nJavaScript لغة أيضا.",
    "Devanagari": "क्षत्रिय, ज्ञान, श्रृंगार, द्विज, कर्म 123",
    "Bengali": "বাংলা ভাষা: ক্ষমা, জ্ঞান, স্ত্রী, র‍্যাব",
    "Tamil": "தமிழ் மொழி: கொடுப்போம், ஸ்ரீ, க்ஷ",
    "Telugu, Kannada": "తెలుగు క్షమ — ಕನ್ನಡ ಜ್ಞಾನ",
    "Gujarati, Malayalam": "ગુજરાતી ક્ષ — മലയാളം ക്ഷ ന്ന",
    "Thai": "ที่นี่ ผู้ใหญ่ ปั๊ม น้ำ ญี่ปุ่น ก็ได้",
    "Lao, Sinhala": "ພາສາລາວ ນ້ຳ — සිංහල ශ්‍රී",
    "Burmese": "မြန်မာဘာသာ၊ ကြွက်၊ ဗုဒ္ဓ၊ သင်္ဘော",
    "Khmer": "ភាសាខ្មែរ ស្ត្រី ខ្ញុំ ព្រះ",
    "Georgian, Armenian": "ქართული ენა — Հայերեն լեզու",
    "Amharic": "አማርኛ ቋንቋ ሰላም",
    "Chinese, simplified": "直角的骨头与门，这次过去了。",
    "Chinese, traditional": "直角的骨頭與門，這次過去了。",
    "Japanese": "直角の骨と門、今度はカタカナで。",
    "Korean": "한국어 자막, 直角 骨 그리고 한글.",
    "Emoji": "😀 👍🏽 👩🏾‍🚀 👨‍👩‍👧 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ❤️ 🫠 ☎ ♪♫",
    "Symbols": "→ ≠ ± € ₹ ₿ № … “ ” ‰ ½ © ™ ★ ✓ ♥",
}
LINE = "The quick brown fox"
WORDS = tuple(
    Word(start, start + 250, word)
    for start, word in zip((0, 250, 500, 750), LINE.split(), strict=True)
)
STYLES: Mapping[str, dict[str, Any]] = {
    "the defaults": {},
    "red": {"color": "#FF0000"},
    "blue, yellow outline": {"color": "#0000FF", "outline_color": "#FFFF00"},
    "italic": {"italic": True},
    "bold": {"bold": True},
    "bold italic": {"bold": True, "italic": True},
    "half transparent": {"color": "#FFFFFF80", "outline_color": "#00000080"},
    "thick translucent outline": {"outline": 15, "outline_color": "#FF00FF60"},
    "shadow": {"outline": 0, "shadow": 8, "shadow_color": "#000000C0"},
    "box": {"box_color": "#00000099", "outline": 0},
    "opaque box, wide padding": {
        "box_color": "#FFDD00", "box_padding": 40, "color": "#000000", "outline": 0,
    },
    "letter spacing": {"letter_spacing": 20},
    "small": {"size": 10},
    "top left": {"position": "top-left"},
    "middle right": {"position": "middle-right"},
    "margins": {"position": "bottom-right", "margin_horizontal": 20, "margin_vertical": 20},
    "short lines": {"max_characters": 8},
    "one line at a time": {"max_characters": 10, "max_lines": 1},
    "fill": {"highlight": "fill"},
    "word": {"highlight": "word", "highlight_color": "#00FF66"},
    "word in a box": {"highlight": "word", "box_color": "#000000B0", "outline": 0},
}  # fmt: skip


Tile = tuple[str, Cue, Style]


def script_tiles() -> list[Tile]:
    look = Style(size=22, position="middle-center")
    return [(title, Cue(0, 1000, text), look) for title, text in SCRIPTS.items()]


def style_tiles() -> list[Tile]:
    cue = Cue(0, 1000, LINE, words=WORDS)
    return [
        (title, cue, Style.model_validate({"size": 20, **style})) for title, style in STYLES.items()
    ]


SHEETS: Mapping[str, tuple[list[Tile], tuple[int, int], int]] = {
    "scripts.png": (script_tiles(), (640, 160), 76),
    "styles.png": (style_tiles(), (420, 130), 130),
}
"""Tiles, the size of the picture that each is drawn on, and how much of its height is shown."""


async def draw(
    ffmpeg: Ffmpeg, folder: Path, tiles: Sequence[Tile], size: tuple[int, int], height: int
) -> set[int]:
    """Draw ``folder / "sheet.png"``: each tile shows the middle of its cue, and the middle of a
    picture of that size. Returns the code points that no font has."""
    width = size[0]
    columns = 1280 // width
    label = Style(
        size=13 / height * 100, position="top-left", outline=0, color="#FFD070",
        margin_horizontal=4, margin_vertical=2,
    )  # fmt: skip
    inputs: list[str] = []
    graph = []
    for number, (title, cue, style) in enumerate(tiles):
        for kind, script in (
            ("cue", write_script([cue], style, *size)),
            ("label", write_script([replace(cue, text=title, words=())], label, width, height)),
        ):
            (folder / f"{kind}{number}.ass").write_text(script, encoding="utf-8")
        shade = ("0x38485c", "0x445468")[(number + number // columns) % 2]
        inputs += ["-f", "lavfi", "-i", f"color={shade}:s={width}x{size[1]}:d=1:r=20"]
        graph.append(
            f"[{number}]ass=cue{number}.ass,crop=iw:{height},ass=label{number}.ass,"
            f"select=eq(n\\,12)[t{number}]"
        )
    places = "|".join(
        f"{number % columns * width}_{number // columns * height}" for number in range(len(tiles))
    )
    together = "".join(f"[t{number}]" for number in range(len(tiles)))
    graph.append(
        f"{together}xstack=inputs={len(tiles)}:layout={places}:fill=0x38485c,split[a][b];[a]palettegen=max_colors=200[p];[b][p]paletteuse=dither=none"
    )
    run = await ffmpeg.run(
        [
            "-v", "warning", *inputs, "-filter_complex", ";".join(graph),
            "-frames:v", "1", "-update", "1", "-f", "image2", "sheet.png",
        ],
        folder,
        Limits(),
    )  # fmt: skip
    assert run.returncode == 0, run.log
    return run.missing_glyphs


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ffmpeg = await Ffmpeg.find(None, folder)
        for sheet, contents in SHEETS.items():
            missing = await draw(ffmpeg, folder, *contents)
            (FOLDER / sheet).write_bytes((folder / "sheet.png").read_bytes())
            glyphs = ", ".join(f"U+{glyph:04X}" for glyph in sorted(missing))
            print(f"{sheet}: {f'no font has {glyphs}' if missing else 'every glyph is there'}")


if __name__ == "__main__":
    asyncio.run(main())
