"""Where a text's lines break, by counting characters, so that a browser finds the same places.

Widths: 2 for a wide character (Chinese, Japanese, Korean, full-width forms, emoji), 0 for a mark, a
format character, and a wide one that goes on an emoji, else 1. A break is allowed

- at a space, a zero-width space, and where the author broke the line;
- in Thai, Chinese and Japanese where BudouX says that a phrase ends (its models, in Python and in
  JavaScript the same; characters beyond U+FFFF are shown to it as U+3007);
- in Burmese and Khmer between syllables;
- anywhere in a word that is wider than a line.

But never inside a word of an alphabet (letters and digits below U+0900), between a letter and its
mark, inside an emoji, before a character that may not
begin a line, or after one that may not end it.

Of all ways to break, the one with the fewest lines is taken; among those the one with the smallest
sum of squares of what is left free in each line, where a line that ends within a sentence counts
a sixteenth of a line's square more; among equals the one whose later lines begin earlier.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from itertools import accumulate

import budoux

from worker.media.script.language import EastAsian

Slice = tuple[int, int]
"""The characters ``start`` to ``end`` (not included) of a text."""

IS_WIDE = re.compile(
    "[\u1100-\u115f\u231a\u231b\u23e9-\u23ec\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c"
    "\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U0001f000-\U0001faff"
    "\U00020000-\U0003fffd]"
)
SPACES = " \n\u200b"
# What BudouX is asked about: Thai; Chinese and Japanese with what stands between without a space.
THAI = re.compile("[\u0e01-\u0e5b]+")
HAN_OR_KANA = re.compile(
    "[\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
)
UNSPACED = re.compile(f"[^{SPACES}]+")
# A syllable of Burmese: not before a letter that is stacked or silenced. Of Khmer: not a subscript.
SYLLABLE = re.compile(
    "(?<!\u1039)[\u1000-\u1021\u1023-\u1027\u1029\u102a\u103f](?![\u1039\u103a])"
    "|(?<!\u17d2)[\u1780-\u17b3]"
)
ALPHABETS_END = "\u0900"
NEVER_FIRST = set(
    "、。，．・：；？！）」』】〕〉》”’…‥ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ.,:;?!)]}%»"
)
NEVER_LAST = set("（「『【〔〈《“‘([{«")
JOINED = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")
SENTENCE_END = set(".,:;!?…—、。，．：；！？،؛؟।၊။។")
NEW_SPEAKER = re.compile("[-‐–—♪]")


@lru_cache(maxsize=1 << 16)
def _width(character: str) -> int:
    """0, 1 or 2 columns."""
    if IS_WIDE.match(character):
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def break_lines(text: str, columns: int, max_lines: int, language: EastAsian) -> list[Slice]:
    """The lines of a text, none wider than ``columns``.

    The author's lines are kept if all fit and are no more than ``max_lines``; else they are joined
    and broken anew, but what another speaker says begins on a line of its own.
    """
    own = _authors_lines(text)
    widths = widths_of(text)
    if len(own) <= max_lines and all(sum(widths[a:b]) <= columns for a, b in own):
        return own
    allowed = _breaks(text, language)
    lines = []
    for start, end in _paragraphs(text, own):
        lines += _break(text, start, end, columns, widths, allowed)
    return lines


def _authors_lines(text: str) -> list[Slice]:
    lines = []
    at = 0
    for line in text.split("\n"):
        lines.append((at, at + len(line)))
        at += len(line) + 1
    return lines


def _paragraphs(text: str, lines: list[Slice]) -> list[Slice]:
    joined = [lines[0]]
    for start, end in lines[1:]:
        if NEW_SPEAKER.match(text[start:end]):
            joined.append((start, end))
        else:
            joined[-1] = (joined[-1][0], end)
    return joined


def joint(text: str, at: int) -> str:
    """What stands for the line break at ``at`` when its lines are joined: a space, or nothing
    between wide characters."""
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return "" if len(around) == 2 and all(map(IS_WIDE.match, around)) else " "


def widths_of(text: str) -> list[int]:
    """The width of each character of a text."""
    if text.isascii():
        return [1] * len(text)
    widths = []
    for at, character in enumerate(text):
        width = len(joint(text, at)) if character == "\n" else _width(character)
        # Of an emoji that is made of several, only the first is seen.
        widths.append(0 if width == 2 and at and not _may_part(text, at) else width)
    return widths


def _breaks(text: str, language: EastAsian) -> list[bool]:
    """Whether a line may begin at each character."""
    breaks = [False] * len(text)
    for chunk in UNSPACED.finditer(text):
        start = chunk.start()
        breaks[start] = start > 0
        if HAN_OR_KANA.search(chunk.group()):
            model = "ja" if language in ("ja", "ko") else language
            for at in _phrases(model, chunk.group()):
                breaks[start + at] = may_break(text, start + at)
        for thai in THAI.finditer(chunk.group()):
            for at in _phrases("th", thai.group()):
                breaks[start + thai.start() + at] = may_break(text, start + thai.start() + at)
        for syllable in SYLLABLE.finditer(text, start, chunk.end()):
            if syllable.start() > start:
                breaks[syllable.start()] = may_break(text, syllable.start())
    return breaks


def may_break(text: str, at: int) -> bool:
    """Whether a line may end before character ``at``, inside a run without spaces."""
    before, after = text[at - 1], text[at]
    if max(before, after) < ALPHABETS_END and before.isalnum() and after.isalnum():
        return False
    return after not in NEVER_FIRST and before not in NEVER_LAST and _may_part(text, at)


def _may_part(text: str, at: int) -> bool:
    """Whether characters ``at - 1`` and ``at`` are no unit: a letter and its mark, an emoji."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after) in ("Mn", "Mc", "Me") or JOINED.match(after):
        return False
    if REGIONAL.match(before) and REGIONAL.match(after):
        flags = at
        while flags and REGIONAL.match(text[flags - 1]):
            flags -= 1
        return (at - flags) % 2 == 0
    return before not in "\u1039\u17d2\u200d"


def _break(
    text: str, start: int, end: int, columns: int, widths: list[int], allowed: list[bool]
) -> list[Slice]:
    """The best lines of ``text[start:end]``."""
    starts = [*_starts(text, start, end, columns, widths, allowed), end]
    before = [0, *accumulate(widths)]
    # For every start of a line, the lines and the cost from there on, and where the next begins.
    best: dict[int, tuple[int, int, int]] = {end: (0, 0, end)}
    for n in reversed(range(len(starts) - 1)):
        at = starts[n]
        for following in starts[n + 1 :]:
            line_end = _trimmed(text, at, following)
            free = columns - (before[line_end] - before[at])
            if free < 0:
                break
            lines, cost, _ = best[following]
            cost += free * free
            if following < end and text[line_end - 1] not in SENTENCE_END:
                cost += columns * columns // 16
            if at not in best or (lines + 1, cost) < best[at][:2]:
                best[at] = (lines + 1, cost, following)
    found = []
    at = start
    while at < end:
        following = best[at][2]
        found.append((at, _trimmed(text, at, following)))
        at = following
    return found


def _starts(
    text: str, start: int, end: int, columns: int, widths: list[int], allowed: list[bool]
) -> list[int]:
    """Where lines may begin: where it is allowed, and within words that are wider than a line."""
    starts = [start]
    width = 0
    for at in range(start, end):
        if at > start and allowed[at]:
            starts.append(at)
            width = 0
        elif width + widths[at] > columns and text[at] not in SPACES:
            starts.append(_cut(text, starts[-1], at))
            width = sum(widths[starts[-1] : at])
        width += widths[at]
    return starts


def _cut(text: str, start: int, end: int) -> int:
    """Where to cut a word that has no room: as late as may be, even within a letter if it must."""
    for fits in (may_break, _may_part):
        for at in range(end, start, -1):
            if fits(text, at):
                return at
    return end


def _trimmed(text: str, start: int, end: int) -> int:
    """``end`` without the spaces in front of it."""
    while end > start + 1 and text[end - 1] in SPACES:
        end -= 1
    return end


@cache
def _parser(model: str) -> budoux.Parser:
    load = {
        "ja": budoux.load_default_japanese_parser,
        "zh-hans": budoux.load_default_simplified_chinese_parser,
        "zh-hant": budoux.load_default_traditional_chinese_parser,
        "th": budoux.load_default_thai_parser,
    }
    return load[model]()


def _phrases(model: str, chunk: str) -> list[int]:
    """The places within ``chunk`` where BudouX says that a phrase ends."""
    plain = "".join(c if c <= "\uffff" else "\u3007" for c in chunk)
    places = []
    at = 0
    for phrase in _parser(model).parse(plain)[:-1]:
        at += len(phrase)
        places.append(at)
    return places
