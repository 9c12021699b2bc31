"""Bytes to characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

from tests.unit.subtitles.reading import codes_of, error_of, one_cue, times_of
from tests.unit.subtitles.sentences import CHARSETS, LANGUAGES, SENTENCES, encoded
from worker.media.subtitles import read_subtitles
from worker.media.subtitles.charset import decode

TEXT = "Grüße, Ελληνικά, עברית, 字幕 à côté"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_a_file_says_itself_is_taken(charset: str) -> None:
    assert times_of(one_cue(TEXT).encode(charset)) == [(1000, 2000, TEXT)]
    assert codes_of(one_cue(TEXT).encode(charset)) == []


@pytest.mark.parametrize("charset", ["iso2022_jp", "iso2022_kr"])
def test_escape_sequences_say_which_charset_they_are_of(charset: str) -> None:
    text = {"iso2022_jp": "こんにちは、お元気ですか", "iso2022_kr": "안녕하세요, 오늘 어떠세요"}[
        charset
    ]
    assert times_of(one_cue(text).encode(charset)) == [(1000, 2000, text)]
    error = error_of(one_cue(text).encode(charset)[:-4] + b"\x1b$(Zxx")
    assert (error.code, "codec" in error.message) == ("subtitles_unreadable", False)


@pytest.mark.parametrize("charset", ["utf-16", "utf-32"])
def test_half_a_character_at_the_end_is_told(charset: str) -> None:
    data = one_cue(TEXT).encode(charset) + b"\n"
    assert times_of(data)[0][2].startswith(TEXT)
    assert codes_of(data) == ["characters_damaged"]


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["plain text", TEXT, "这是一个很长的句子我们需要在合适的地方" * 4])
def test_wide_characters_are_known_without_a_mark(charset: str, text: str) -> None:
    decoded = decode(one_cue(text).encode(charset))
    assert decoded.text == one_cue(text)
    assert not decoded.guessed


def files(sentences: int) -> Iterator[tuple[str, str, bytes, str]]:
    """Language, charset, bytes and text of SRT files with so many sentences each."""
    for language, charsets in CHARSETS.items():
        for start in range(0, len(SENTENCES[language]), sentences):
            said = SENTENCES[language][start : start + sentences]
            text = "\n".join(one_cue(sentence) for sentence in said)
            for charset in charsets:
                data, text = encoded(text, charset)
                if not data.isascii() or charset == "iso2022_jp":
                    yield language, charset, data, text


@pytest.mark.parametrize(
    ("sentences", "share"), [(1, 0.96), (2, 0.98), (3, 0.99), (6, 1.0)], ids=str
)
def test_legacy_charsets_are_guessed_from_few_words(sentences: int, share: float) -> None:
    """docs/decisions.md compares this with what the libraries reach by themselves."""
    outcomes = {
        (language, charset, text): decode(data).text == text
        for language, charset, data, text in files(sentences)
    }
    wrong = [case for case, right in outcomes.items() if not right]
    print(f"{sentences} sentences: {1 - len(wrong) / len(outcomes):.1%} of {len(outcomes)}")
    assert len(wrong) <= (1 - share) * len(outcomes), wrong


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("cp1251", "Пойдём домой!"),  # small letters of Russian are letters of Hebrew
        ("cp1257", "Ką čia veiki?"),  # Kа иia
        ("cp1252", "Où êtes-vous allés, élèves ?"),  # Oů ętes-vous: of no one language
        ("cp1252", "Muchas gracias por tu ayuda. Mañana también."),
        ("cp1252", "Attends, je reviens tout de suite. Ça va ?"),
    ],
)
def test_letters_of_two_alphabets_in_a_word_or_a_text_are_a_wrong_guess(
    charset: str, text: str
) -> None:
    assert times_of(one_cue(text).encode(charset))[0][2] == text


def test_with_the_language_a_guess_is_nearly_sure() -> None:
    cases = list(files(1))
    right = sum(decode(data, LANGUAGES[language]).text == text for language, _, data, text in cases)
    assert right >= 0.99 * len(cases)


def test_a_guess_is_told_and_named() -> None:
    subtitles = read_subtitles(one_cue("Привет, как дела? Это проверка.").encode("cp1251"))
    assert subtitles.charset == "cp1251"
    [warning] = subtitles.warnings
    assert warning.code == "charset_guessed"
    assert "cp1251" in warning.message


def test_a_damaged_byte_does_not_turn_utf_8_into_another_charset() -> None:
    data = one_cue("Dès l'été, à côté, où ça, là-bas, très près, déjà prêt, élève âgé").encode()
    broken = data.replace("très".encode(), b"tr\xe8s")
    assert "Dès l'été" in times_of(broken)[0][2]
    assert codes_of(broken) == ["characters_damaged"]


def test_combining_letters_of_vietnamese_are_kept() -> None:
    data, text = encoded(one_cue("Anh đi đâu mà muộn thế? Tôi không biết phải nói gì."), "cp1258")
    assert unicodedata.normalize("NFC", decode(data).text) == unicodedata.normalize("NFC", text)
