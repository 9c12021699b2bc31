"""Fonts for ffmpeg: those of the font packages installed beside us, and the system's.

libass takes a glyph that the chosen font lacks from another font only if fontconfig knows that one,
so everything goes into a fontconfig file of our own. It also names a cache that is ours to write:
an unwritable cache costs every job the time of reading all fonts.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

FONT_PACKAGES = (
    "fontpkg_noto_sans",
    "noto_cjk_sans_otc",
    "justmytype_intl_rtl",
    "justmytype_intl_sea",
    "justmytype_intl_south_asia",
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
    """Write fonts.conf and an empty cache into ``folder``; returns the file's path."""
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    lines = [f"  <dir>{escape(str(path.resolve()))}</dir>" for path in font_folders(more)]
    file = folder / "fonts.conf"
    file.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        + "\n".join(lines)
        + f"\n  <cachedir>{escape(str(cache.resolve()))}</cachedir>\n</fontconfig>\n",
        encoding="utf-8",
    )
    return file
