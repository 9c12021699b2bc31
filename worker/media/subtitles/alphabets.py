"""The letters beyond ASCII that languages are written with, small ones, loan words' among them.

Bytes read in a wrong charset are often letters as well, but of no one language: ``Oů ętes-vous``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ALPHABETS = {
    "ca": "àáçèéíïòóúü·", "da": "æøåéèü", "de": "äöüßéèàç", "en": "éèêëïôçñöü", "es": "áéíñóúüçï",
    "fi": "äöåšžé", "fr": "àâæçéèêëîïôœùûüÿñ", "ga": "áéíóú", "gl": "áéíñóúüï", "is": "áðéíóúýþæö",
    "it": "àèéìíîòóùú", "nb": "æøåéèêóòôü", "nl": "éèëïöüêáóíàç", "pt": "ãáàâçéêíóôõúü",
    "sv": "åäöéüà",
    "bs": "čćđšž", "cs": "áčďéěíňóřšťúůýžöü", "hr": "čćđšž", "hu": "áéíóöőúüű",
    "pl": "ąćęłńóśźżé", "ro": "ăâîşţșț", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšžćđ", "sq": "ëç",
    "be": "а-зй-шы-яёіў", "bg": "а-ъьюя", "mk": "а-ик-шѓѕјљњќџѐѝ", "ru": "а-яё",
    "sr": "а-ик-шђјљњћџ", "uk": "а-щьюяґєії",
    "et": "äöõüšž", "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž",
    "az": "çəğıöşü", "tr": "çğıöşüâîû",
    "el": "ΐά-ώ", "he": "א-ת", "ar": "ء-ي", "fa": "ء-يپچژگکی", "ur": "ء-يپچژگکیٹڈڑںھہۂۃےۓ",
    "th": "ก-๎",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạ-ỹ",
    "ja": "ぁ-ヾ㐀-鿿々ー", "zh": "㐀-鿿", "ko": "가-힣㐀-鿿",
}  # fmt: skip
"""By language (ISO 639), as classes of regular expressions."""
PATTERNS = {language: re.compile(f"[{letters}]") for language, letters in ALPHABETS.items()}


def strangers(text: str, languages: Iterable[str]) -> float:
    """The share of the letters beyond ASCII that do not belong to the language, of these, which has
    most of them; 0 if there are none."""
    letters = "".join(c for c in text.lower() if c > "\x7f" and c.isalpha())
    found = [len(PATTERNS[one].findall(letters)) for one in languages if one in PATTERNS]
    return 1 - max(found) / len(letters) if letters and found else 0.0
