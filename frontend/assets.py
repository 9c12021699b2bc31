"""Makes what the page serves beside itself, in frontend/public: the worker's fonts, and a sample.

    python frontend/assets.py

The preview draws with the files that the worker draws with. They come from the same wheels, so they
are copied rather than committed. The text of the page falls back to them too (`fonts.css`): a
browser loads those of the scripts that it meets and that the machine has no font for.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from fontTools.ttLib import TTCollection, TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from worker.media.fonts import font_folders
from worker.media.script.faces import CJK, IS_EMOJI, SCRIPTS

PUBLIC = Path(__file__).parent / "public"
FAMILY, TYPOGRAPHIC_FAMILY = 1, 16
BOLD = 700
WEIGHTS = {"Regular": 400, "Bold": BOLD}
FALLBACK = "Any Script"
# Scripts that most machines have a font for, and whose own is large.
LOCAL_FONTS = {
    "Noto Sans CJK JP": (
        "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
        "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC",
    ),
    "Noto Emoji": ("Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji"),
}  # fmt: skip
SAMPLE_SECONDS = 24
SENTENCES = (
    (1.0, 4.2, "Drop a video, write its subtitles,\nand burn them in."),
    (5.0, 8.6, "What you see here is what the worker draws, with the same fonts."),
    (9.4, 12.6, "Drag a cue on the waveform, or press ? for the keys."),
    (13.4, 16.4, "العربية و עברית و हिन्दी تُكتب كما يجب."),
    (17.2, 19.8, "中文、日本語、한국어也一样。"),
    (20.6, 23.2, "Then press “Burn subtitles”."),
)


def main() -> None:
    copy_fonts(PUBLIC / "fonts")
    make_sample(PUBLIC / "sample")


def copy_fonts(target: Path) -> None:
    """Copy every font of the wheels, and write down which files a family has."""
    target.mkdir(parents=True, exist_ok=True)
    families: dict[str, list[str]] = {}
    for folder in font_folders():
        if "site-packages" not in folder.parts:
            continue
        for file in sorted(folder.rglob("*.[ot]t[fc]")):
            for copy in copies_of(file, target):
                for family in families_in(copy):
                    families.setdefault(family, []).append(f"/fonts/{copy.name}")
    (target / "index.json").write_text(json.dumps(families, indent=1))
    (target / "fonts.css").write_text(fallback_rules(families))


def fallback_rules(families: dict[str, list[str]]) -> str:
    """One family for every script: which of its files is loaded, the text decides."""
    scripts = [(ranges, str(face.family)) for ranges, face in SCRIPTS]
    large = [(CJK, "Noto Sans CJK JP"), (IS_EMOJI.pattern.strip("[]"), "Noto Emoji")]
    return "".join(
        font_face(
            ranges, [f'local("{name}")' for name in LOCAL_FONTS.get(family, ())] + [f"url({file})"]
        )
        for ranges, family in scripts + large
        for file in families.get(family, [])[:1]
    )


def font_face(ranges: str, sources: list[str]) -> str:
    """`ranges`: as they stand in the class of a regular expression."""
    codes = re.sub(r"(.)-(.)", lambda m: f"U+{ord(m[1]):x}-{ord(m[2]):x}, ", ranges)
    return (
        f'@font-face {{ font-family: "{FALLBACK}"; font-display: swap; '
        f"src: {', '.join(sources)}; unicode-range: {codes.rstrip(', ')} }}\n"
    )


def copies_of(file: Path, target: Path) -> list[Path]:
    """A file as it is, or, if its weight is variable, its regular and its bold: fontconfig knows
    these as fonts of their own, libass in the browser knows only what it is given."""
    if "[" not in file.name:
        return [Path(shutil.copy(file, target / file.name))]
    copies = []
    for style, weight in WEIGHTS.items():
        copy = target / f"{file.name.partition('[')[0]}-{style}.ttf"
        font = TTFont(file)
        instantiateVariableFont(font, {"wght": weight}, inplace=True)
        if weight == BOLD:
            font["head"].macStyle |= 1
            font["OS/2"].fsSelection = font["OS/2"].fsSelection & ~(1 << 6) | (1 << 5)
        name_by_family(font["name"])
        font.save(copy)
        copies.append(copy)
    return copies


def name_by_family(names: Any) -> None:
    """Call a font by its family: some have their lightest weight in the name that libass reads."""
    family = names.getDebugName(TYPOGRAPHIC_FAMILY)
    for record in list(names.names):
        if family and record.nameID == FAMILY:
            record.string = family
    names.removeNames(nameID=TYPOGRAPHIC_FAMILY)


def families_in(file: Path) -> set[str]:
    """The names by which a script may ask for the fonts of a file."""
    fonts = TTCollection(file).fonts if file.suffix == ".ttc" else [TTFont(file, lazy=True)]
    return {str(font["name"].getDebugName(FAMILY)) for font in fonts}


def make_sample(target: Path) -> None:
    """A clip of moving colours whose sound swells where something is said, and its subtitles."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "sample.srt").write_text(
        "\n".join(
            f"{number}\n{clock(start)} --> {clock(end)}\n{text}\n"
            for number, (start, end, text) in enumerate(SENTENCES, 1)
        )
    )
    video = target / "sample.mp4"
    if video.exists():
        return
    picture = (
        "gradients=s=640x360:r=25:speed=0.015:nb_colors=4:seed=3:"
        f"c0=0x1b2a6b:c1=0x6b1b4f:c2=0x0f6b5a:c3=0x2c1b6b:d={SAMPLE_SECONDS},scale=1280:720"
    )
    spoken = "+".join(f"between(t,{start},{end})" for start, end, _ in SENTENCES)
    sound = (
        f"aevalsrc='0.3*({spoken})*(0.25+0.75*abs(sin(2*PI*2.1*t)*sin(2*PI*0.7*t)))"
        f"*sin(2*PI*(190+40*sin(2*PI*1.3*t))*t/1)':d={SAMPLE_SECONDS}:s=44100"
    )
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y",
            "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound,
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p",
            "-g", "50", "-c:a", "aac", "-movflags", "+faststart", video,
        ],
        check=True,
    )  # fmt: skip


def clock(seconds: float) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"00:{whole // 60:02}:{whole % 60:02},{rest:03}"


if __name__ == "__main__":
    main()
