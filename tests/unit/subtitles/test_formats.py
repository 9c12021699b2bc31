"""The format by content; what is no subtitle file at all."""

from __future__ import annotations

import json

import pytest

from tests.unit.subtitles.reading import codes_of, error_of, one_cue, times_of
from worker.media.subtitles import MAX_BYTES, MAX_CUE_CHARACTERS, MAX_CUES, read_subtitles

FOREIGN = {
    "ZIP archive": b"PK\x03\x04rest",
    "gzip archive": b"\x1f\x8b\x08rest",
    "PDF": b"%PDF-1.7",
    "RTF": rb"{\rtf1 text}",
    "PGS (Blu-ray pictures)": b"PG\0\0\0\0\0\0\0\0\x16\0\x13",
    "VobSub (DVD pictures)": b"\0\0\x01\xba\x44",
    "EBU STL": b"850STL25.01",
    "Matroska video": b"\x1a\x45\xdf\xa3",
    "MP4 video": b"\0\0\0\x1cftypisom",
    "picture": b"\x89PNG\r\n",
    "TTML": b'<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body/></tt>',
    "SAMI": b"<SAMI><BODY><SYNC Start=0>",
    "HTML": b"<!DOCTYPE html><p>not found",
    "XML": b'<?xml version="1.0"?><transcript/>',
    "Scenarist (SCC)": b"Scenarist_SCC V1.0\n\n00:00:00:00\t9420",
    "MicroDVD": b"{0}{25}Hello\n{30}{60}Bye",
    "MPL2": b"[0][25]Hello\n",
    "LRC": b"[ar:Somebody]\n[00:12.00]Hello\n",
    "TMPlayer": b"00:00:01:Hello\n",
}


@pytest.mark.parametrize(("name", "data"), FOREIGN.items())
def test_other_kinds_of_files_are_refused_by_name(name: str, data: bytes) -> None:
    error = error_of(data)
    assert error.code == "subtitles_format"
    assert name in error.message


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (one_cue("[V4+ Styles]\nDialogue"), "srt"),
        (one_cue("WEBVTT"), "srt"),
        ("WEBVTT\n\n00:01 --> 00:02\n[Events]", "vtt"),
        ("WEBVTT is a name\n\n00:01 --> 00:02\nx", "vtt"),
        ("WEBVTTX\n\n00:01 --> 00:02\nx", "srt"),
        ("\n\n[events]\nDialogue: 0,0:00:01.00,0:00:02.00,x,,0,0,0,,a --> b", "ass"),
        ("0:00:01.000,0:00:02.000\nx", "sbv"),
        ("[EVENTS]\ndialogue: 0,0:00:01.00,0:00:02.00,x,,0,0,0,,x", "ass"),
        ('[{"start": 0, "end": 1, "text": "00:01 --> 00:02"}]', "json"),
        ('{"cues": [{"start": 0, "end": 1, "text": "x"}]}', "json"),
    ],
)
def test_the_format_is_seen_in_the_content(text: str, format_: str) -> None:
    assert read_subtitles(text.encode()).format == format_


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "subtitles_empty"),
        (b"\xef\xbb\xbf \n\n", "subtitles_empty"),
        (b"WEBVTT\n\n", "subtitles_empty"),
        (b"[]", "subtitles_empty"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\n", "subtitles_empty"),
        (b"just some words", "subtitles_unreadable"),
        (b"{\"cues\": [", "subtitles_unreadable"),
        (b"[" * 100_000, "subtitles_unreadable"),
        (b"x" * (MAX_BYTES + 1), "subtitles_too_large"),
        (b"00:01 --> 00:02\nx\n\n" * (MAX_CUES + 1), "subtitles_too_large"),
        (b"00:01 --> 00:02\n" + b"x" * (MAX_CUE_CHARACTERS + 1), "subtitles_too_large"),
    ],
    ids=[
        "nothing", "white", "header", "no cues", "no text", "prose", "half JSON", "deep JSON",
        "bytes", "cues", "long",
    ],
)  # fmt: skip
def test_what_is_no_subtitle_file_gets_a_code(data: bytes, code: str) -> None:
    assert error_of(data).code == code


def test_cues_that_show_nothing_are_told() -> None:
    text = one_cue("x") + "\n3\n00:00:05,000 --> 00:00:06,000\n\n4\n00:00:08 --> 00:00:07\nx\n"
    assert len(times_of(text)) == 3
    assert codes_of(text) == ["cues_without_text", "cues_backwards"]


CUES = [
    {"start": 1, "end": 2.5, "text": " Hello\r\nworld ", "position": "top-left"},
    {"start": 3, "end": 4, "text": "a <b> & {\\i1} \\N", "id": 7, "speaker": "Ann"},
]


@pytest.mark.parametrize("value", [CUES, {"cues": CUES}, {"text": "x", "segments": CUES}])
def test_json_cues_are_read(value: object) -> None:
    assert times_of(json.dumps(value)) == [
        (1000, 2500, "Hello\nworld"),
        (3000, 4000, "a <b> & {\\i1} \\N"),
    ]


def test_words_come_with_their_times_as_whisper_writes_them() -> None:
    words = [{"word": " One", "start": 0.1, "end": 0.5}, {"text": "two.", "start": 0.5, "end": 0.9}]
    value = {"segments": [{"start": 0, "end": 1, "text": " One two.", "words": words}]}
    [cue] = read_subtitles(json.dumps(value).encode()).cues
    assert [(word.start, word.end, word.text) for word in cue.words] == [
        (100, 500, "One"),
        (500, 900, "two."),
    ]
    words.insert(1, {"word": "7"})
    assert codes_of(json.dumps(value)) == [], "a word without times is just not highlighted"
    words.insert(1, {"word": "8", "start": None, "end": None})
    assert codes_of(json.dumps(value)) == [], "nor is one with none"
    words[3]["text"] = "three"
    assert codes_of(json.dumps(value)) == ["words_not_found"]


@pytest.mark.parametrize(
    "cue",
    [
        {"start": "1", "end": 2, "text": "x"},
        {"start": -1, "end": 2, "text": "x"},
        {"start": float("nan"), "end": 2, "text": "x"},
        {"start": 1, "end": float("inf"), "text": "x"},
        {"start": 1, "end": 2},
        {"start": 1, "end": 2, "text": "x", "position": "below"},
        {"start": 1, "end": 2, "text": "x", "words": [{"start": 1}]},
        "x",
        None,
    ],
)
def test_a_cue_that_is_none_is_an_error_with_its_place(cue: object) -> None:
    error = error_of(json.dumps([*CUES, cue]))
    assert error.code == "subtitles_incomplete"
    assert "2 of 3" in error.message
    assert "cue 3" in error.message
