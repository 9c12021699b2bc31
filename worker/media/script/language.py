"""Which East Asian language a text is in: it decides the form of its characters and where lines
break. All others need no telling."""

from __future__ import annotations

import re
from typing import Literal

EastAsian = Literal["ja", "ko", "zh-hans", "zh-hant"]

NAMED: dict[str, EastAsian] = {"ja": "ja", "ko": "ko"}
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
# Frequent characters that are written differently, pair by pair.
SIMPLIFIED = (
    "这个们来说时会国对发过还没为让吗样么给话现实点开经"
    "动问应见长谁车爱东钱电认识听边觉许张两万与门间题"
)
TRADITIONAL = (
    "這個們來說時會國對發過還沒為讓嗎樣麼給話現實點開經"
    "動問應見長誰車愛東錢電認識聽邊覺許張兩萬與門間題"
)


def east_asian(text: str, language: str | None) -> EastAsian:
    """The language that was named (BCP 47), or else what the text looks like; Simplified Chinese
    when nothing tells."""
    primary, *subtags = (language or "").lower().split("-")
    if primary in NAMED:
        return NAMED[primary]
    if primary in ("zh", "yue", "cmn"):
        hant = primary == "yue" or bool({"hant", "tw", "hk", "mo"}.intersection(subtags))
        return "zh-hant" if hant else "zh-hans"
    kana, hangul = len(KANA.findall(text)), len(HANGUL.findall(text))
    if kana or hangul:
        return "ja" if kana >= hangul else "ko"
    traditional = sum(character in TRADITIONAL for character in text)
    simplified = sum(character in SIMPLIFIED for character in text)
    return "zh-hant" if traditional > simplified else "zh-hans"
