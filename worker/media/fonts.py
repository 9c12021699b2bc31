"""Fonts for ffmpeg: those of the font packages installed beside us, and the system's.

libass takes a glyph that the chosen font lacks from another font only if fontconfig knows that one,
so everything goes into a fontconfig file of our own. There the Noto families stand behind whatever
was asked for: without that, any font of the system that has the glyph may come first, of whatever
looks, and emoji are not found at all. The file also names a cache that is ours to write: an
unwritable cache costs every job the time of reading all fonts.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

from worker.media.script.faces import SCRIPTS
from worker.media.style import Style

FONT_PACKAGES = ("manimgx_fonts", "noto_cjk_sans_otc")
FALLBACK_FAMILIES = (
    Style().font,
    *(face.family for _, face in SCRIPTS if face.family),
    "Noto Sans CJK JP",
    "Noto Sans Symbols",
    "Noto Emoji",
)
SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
)


def font_folders(more: Sequence[Path] = ()) -> list[Path]:
    """Every folder with fonts, those named by the user first."""
    packaged = [
        Path(spec.origin).parent
        for name in FONT_PACKAGES
        if (spec := find_spec(name)) is not None and spec.origin
    ]
    return [folder for folder in (*more, *packaged, *SYSTEM_FOLDERS) if folder.is_dir()]


def write_fontconfig(folder: Path, more: Sequence[Path] = ()) -> Path:
    """Write fonts.conf and an empty cache into ``folder``; returns the file's path, from the root:
    ffmpeg works in another folder."""
    folder = folder.resolve()
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    folders = (f"<dir>{escape(str(path.resolve()))}</dir>" for path in font_folders(more))
    families = (f"<string>{escape(family)}</string>" for family in FALLBACK_FAMILIES)
    file = folder / "fonts.conf"
    file.write_text(
        "\n".join(
            [
                '<?xml version="1.0"?>',
                '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
                "<fontconfig>",
                *folders,
                f"<cachedir>{escape(str(cache))}</cachedir>",
                '<match target="pattern"><edit name="family" mode="append_last" binding="weak">',
                *families,
                "</edit></match>",
                "</fontconfig>",
                "",
            ]
        ),
        encoding="utf-8",
    )
    return file
