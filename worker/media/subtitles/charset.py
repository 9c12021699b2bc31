"""Bytes of a text file to characters.

A byte order mark decides; else zeros in every second or fourth byte (UTF-16, UTF-32); else UTF-8 if
it is valid, or nearly. What is none of these is a guess among the charsets that subtitles come in:
by chardet, which knows how frequent letters follow each other in each language, on the lines that
have letters. docs/decisions.md has figures.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import chardet

from worker.media.subtitles.alphabets import strangers

BYTE_ORDER_MARKS = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Of two that fit equally well the first is taken; bytes that only Windows uses are controls in ISO.
WESTERN = ("cp1252", "iso8859-1", "iso8859-15", "mac-roman")
CENTRAL = ("iso8859-2", "cp1250")
CYRILLIC = ("cp1251", "koi8-r", "koi8-u", "iso8859-5", "cp866", "mac-cyrillic")
BALTIC = ("iso8859-13", "cp1257")
TURKISH = ("cp1254", "iso8859-9")
GREEK = ("cp1253", "iso8859-7")
HEBREW = ("cp1255", "iso8859-8")
ARABIC = ("cp1256", "iso8859-6")
THAI = ("cp874", "tis-620")
VIETNAMESE = ("cp1258",)
JAPANESE = ("cp932", "euc-jp")
CHINESE = ("gb18030", "big5")
KOREAN = ("cp949",)
GROUPS = (
    WESTERN, CENTRAL, CYRILLIC, BALTIC, TURKISH, GREEK, HEBREW, ARABIC, THAI, VIETNAMESE,
    JAPANESE, CHINESE, KOREAN,
)  # fmt: skip
OF_LANGUAGE = {
    language: group
    for languages, group in (
        ("ca da de en es fi fr ga gl id is it ms nb nl nn no pt sv sw tl", WESTERN),
        ("bs cs hr hu pl ro sk sl sq", CENTRAL),
        ("be bg mk mn ru sr uk", CYRILLIC),
        ("et lt lv", BALTIC),
        ("az tr", TURKISH),
        ("el", GREEK),
        ("he", HEBREW),
        ("ar fa ur", ARABIC),
        ("th", THAI),
        ("vi", VIETNAMESE),
        ("ja", JAPANESE),
        ("yue zh", CHINESE),
        ("ko", KOREAN),
    )
    for language in languages.split()
}
"""Where the language is known, only its charsets are asked for."""

HAS_LETTERS = re.compile(rb"[A-Za-z\x80-\xff]")
ESCAPED = ("iso2022_jp", "iso2022_jp_ext", "iso2022_kr")
"""Charsets that are ASCII with escape sequences."""
SYMBOLS = ("Cc", "No", "Sc", "Sk", "Sm", "So")
_OTHERS = "[\u0370-\u052f\u05d0-\u05ea\u0620-\u064a\u0e01-\u0e3a]"
MISPLACED = re.compile(
    # A mark of Hebrew or Arabic on nothing; one of Vietnamese on no vowel.
    "(?<=[^\\w\u0591-\u05c7\u064b-\u0652])[\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u0652]"
    "|(?<![aeiouyăâêôơưAEIOUYĂÂÊÔƠƯ])[\u0300-\u0323]"
    # A letter of Hebrew that ends words within one; two alphabets in one word.
    f"|[ךםןףץ](?=[א-ת])|(?<=[A-Za-z]){_OTHERS}|{_OTHERS}(?=[A-Za-z])"
)
SAMPLE = 10_000
"""Bytes that are looked at."""
FORMER_NAMES = {"cp932": "shift_jis", "cp949": "euc_kr"}
"""What the supersets that are really used are known as."""
REPLACED = "\ufffd".encode()
UNKNOWN = "its character encoding is unknown; save it as UTF-8"
MOST_DAMAGED = 0.2
"""At most this share of what is not ASCII may be no UTF-8 in a file that still counts as such."""


@dataclass(frozen=True)
class Decoded:
    """The text, the charset's name, whether that is a guess, and how many bytes were damaged."""

    text: str
    charset: str
    guessed: bool = False
    damaged: int = 0


def decode(data: bytes, language: str | None = None) -> Decoded:
    """``language`` (BCP 47) narrows a guess down. Raises ``ValueError`` when no charset fits."""
    for mark, charset in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _repaired(data, charset)
    if wide := _wide(data):
        return _repaired(data, wide)
    if b"\x1b$" in data and data.isascii():
        return _escaped(data)
    if _damaged(data[:SAMPLE]) <= MOST_DAMAGED:
        return _repaired(data, "utf-8")
    return _guess(data, language)


def _repaired(data: bytes, charset: str) -> Decoded:
    """With U+FFFD in the place of what is damaged."""
    text = data.decode(charset, "replace")
    damaged = text.count("\ufffd") - data.decode(charset, "ignore").count("\ufffd")
    return Decoded(text, charset.removesuffix("-sig"), damaged=damaged)


def _escaped(data: bytes) -> Decoded:
    for charset in ESCAPED:
        with suppress(UnicodeDecodeError):
            return Decoded(data.decode(charset), charset)
    raise ValueError(UNKNOWN)


def _damaged(sample: bytes) -> float:
    """The share of what is not ASCII that is no UTF-8 either; the cut end does not count."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    damaged = text.count("\ufffd") - sample.count(REPLACED)
    return damaged / max(1, sum(character > "\x7f" for character in text))


def _wide(data: bytes) -> str | None:
    """Text in UTF-32 or UTF-16 has zeros at regular places: its digits and line breaks alone see to
    that in a subtitle file. Other text has almost none."""
    sample = data[: 1 << 16]
    sample = sample[: len(sample) // 4 * 4]
    if len(sample) < 8:
        return None
    zeros = [sample[n::4].count(0) / (len(sample) // 4) for n in range(4)]
    if min(zeros[2:]) > 0.95 and zeros[0] < 0.5:
        return "utf-32-le"
    if min(zeros[:2]) > 0.95 and zeros[3] < 0.5:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.1 and even < 0.5 * odd:
        return "utf-16-le"
    if even > 0.1 and odd < 0.5 * even:
        return "utf-16-be"
    return None


def _guess(data: bytes, language: str | None) -> Decoded:
    known = OF_LANGUAGE.get((language or "").split("-")[0].lower(), ())
    whole_lines = data[:SAMPLE].splitlines()[: -1 if len(data) > SAMPLE else None]
    lines = [line for line in whole_lines if HAS_LETTERS.search(line)]
    sample = b"\n".join(lines) or data
    for charsets in filter(None, (known, sum(GROUPS, ()))):
        scores = dict(_scores(sample, charsets))
        for charset in sorted(scores, key=lambda charset: -scores[charset]):
            with suppress(UnicodeDecodeError):
                text = data.decode(charset)
                return Decoded(text, FORMER_NAMES.get(charset, charset), guessed=True)
    raise ValueError(UNKNOWN)


def _scores(sample: bytes, charsets: Sequence[str]) -> Iterator[tuple[str, float]]:
    """How likely each charset is, of those that fit."""
    ranking = chardet.detect_all(
        sample, ignore_threshold=True, include_encodings=charsets, no_match_encoding=charsets[0]
    )
    confidence = {_codec(one["encoding"] or charsets[0]): one["confidence"] for one in ranking}
    for charset in map(_codec, charsets):
        with suppress(UnicodeDecodeError):
            text = sample.decode(charset)
            # chardet needs about a dozen characters of Japanese; kana alone are proof enough.
            certain = 1.0 if _mostly_kana(text) else confidence.get(charset, 0.0)
            at_home = (1 - strangers(text, _languages_of(charset))) ** 3
            yield charset, certain * at_home * (1 - min(_slips(text), 0.9))


@cache
def _languages_of(charset: str) -> list[str]:
    return [one for one, group in OF_LANGUAGE.items() if charset in map(_codec, group)]


def _codec(charset: str) -> str:
    return codecs.lookup(charset).name


def _mostly_kana(text: str) -> bool:
    foreign = [character for character in text if character > "\x7f"]
    return 2 * sum("\u3041" <= character <= "\u30fe" for character in foreign) > len(foreign)


def _slips(text: str) -> float:
    """How often there is what hardly any text has, among what is not ASCII: a symbol next to a
    letter, a capital after a small letter, a small letter at the beginning of a line, and what is
    ``MISPLACED``."""
    slips = len(MISPLACED.findall("\n" + text))
    for before, after in pairwise("\n" + text):
        if before.isalpha() or after.isalpha():
            slips += any(c > "\x7f" and unicodedata.category(c) in SYMBOLS for c in (before, after))
        if max(before, after) > "\x7f" and after.isalpha():
            slips += before.islower() and after.isupper()
            slips += before == "\n" and after.islower()
    return slips / max(1, sum(character > "\x7f" for character in text))
