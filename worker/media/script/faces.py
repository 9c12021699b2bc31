"""Which font of the Noto family draws a character, and how large, so that all scripts look alike.

libass sizes a font by the height of its lines, and those differ: at one size Arabic and Burmese are
drawn at two thirds of Latin. It also takes Chinese characters from the first font that has them,
Japanese forms for Chinese text, and finds no emoji at all unless their font is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Face:
    """A font family (None: the style's own) and its size in per cent of the style's."""

    family: str | None = None
    percent: int = 100


BASE = Face()
EMOJI = Face("Noto Emoji", 85)

# Per cent: the height of a line of Noto Sans in ems (1.519) under that of the other font.
SCRIPTS: tuple[tuple[str, Face], ...] = (
    ("\u0530-\u058f", Face("Noto Sans Armenian", 90)),
    ("\u0590-\u05ff\ufb1d-\ufb4f", Face("Noto Sans Hebrew", 90)),
    (
        "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
        Face("Noto Sans Arabic", 143),
    ),
    ("\u0900-\u097f\ua8e0-\ua8ff", Face("Noto Sans Devanagari", 125)),
    ("\u0980-\u09ff", Face("Noto Sans Bengali", 92)),
    ("\u0a00-\u0a7f", Face("Noto Sans Gurmukhi", 86)),
    ("\u0a80-\u0aff", Face("Noto Sans Gujarati", 98)),
    ("\u0b00-\u0b7f", Face("Noto Sans Oriya", 90)),
    ("\u0b80-\u0bff", Face("Noto Sans Tamil", 82)),
    ("\u0c00-\u0c7f", Face("Noto Sans Telugu", 97)),
    ("\u0c80-\u0cff", Face("Noto Sans Kannada", 108)),
    ("\u0d00-\u0d7f", Face("Noto Sans Malayalam", 82)),
    ("\u0d80-\u0dff", Face("Noto Sans Sinhala", 86)),
    ("\u0e00-\u0e7f", Face("Noto Sans Thai", 99)),
    ("\u0e80-\u0eff", Face("Noto Sans Lao", 108)),
    ("\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f", Face("Noto Sans Myanmar", 144)),
    ("\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f", Face("Noto Sans Georgian", 91)),
    ("\u1200-\u139f\u2d80-\u2ddf", Face("Noto Sans Ethiopic", 90)),
    ("\u1780-\u17ff\u19e0-\u19ff", Face("Noto Sans Khmer", 123)),
)
CJK = (
    "\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U00020000-\U0003134f"
)
CJK_PERCENT = 95
CJK_FAMILIES = {"ja": "JP", "ko": "KR", "zh-hans": "SC", "zh-hant": "TC"}

PATTERNS = tuple((re.compile(f"[{ranges}]"), face) for ranges, face in SCRIPTS)
IS_CJK = re.compile(f"[{CJK}]")
# Drawn like what stands before: spaces, marks, the danda, joiners, variation selectors.
FOLLOWS = re.compile("[ \n\u0300-\u036f\u0964\u0965\u200c\u200d\ufe00-\ufe0f]")
IS_EMOJI = re.compile("[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
FOLLOWS_EMOJI = re.compile("[\u200d\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f]")
EMOJI_SIGN = "\ufe0f"


def faces_of(text: str, language: str, *, noto: bool) -> list[Face]:
    """The face of each character. ``language`` is one of ``CJK_FAMILIES``; without ``noto`` only
    emoji leave the style's own font."""
    if text.isascii():
        return [BASE] * len(text)
    faces: list[Face] = []
    before = BASE
    for character, following in zip(text, text[1:] + " ", strict=True):
        goes_on = before is EMOJI and FOLLOWS_EMOJI.match(character)
        if goes_on or following == EMOJI_SIGN:
            before = EMOJI
        else:
            own = _own_face(character, language, noto)
            before = own or (BASE if before is EMOJI else before)
        faces.append(before)
    return faces


@lru_cache(maxsize=1 << 16)
def _own_face(character: str, language: str, noto: bool) -> Face | None:
    """The face of a character by itself; None: that of what stands before."""
    if IS_EMOJI.match(character):
        return EMOJI
    if FOLLOWS.match(character):
        return None
    if not noto:
        return BASE
    if IS_CJK.match(character):
        return Face(f"Noto Sans CJK {CJK_FAMILIES[language]}", CJK_PERCENT)
    return next((face for pattern, face in PATTERNS if pattern.match(character)), BASE)
