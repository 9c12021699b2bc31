"""Small files to start from: made here, and a corpus's if there is one."""

from __future__ import annotations

from pathlib import Path

from tests.integration.test_videos import KINDS

LARGEST = 1 << 20
"""Larger files take too long to be worth it."""

SRT = (
    "1\n00:00:00,200 --> 00:00:00,900\nOne <i>line</i>\n\n2\n00:00:01,000 --> 00:00:01,500\nzwei\n"
)
VTT = (
    "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:r\nwidth:40%\n\n"
    "a\n00:00.200 --> 00:01.000 line:0 position:20% align:start region:r\n<v Bob><c.red>Hi</c>\n\n"
    "00:01.000 --> 00:01.500\n<00:01.100>word <00:01.300>by word\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\nPlayResX: 320\nPlayResY: 180\n\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Outline, Alignment\n"
    "Style: Default,Noto Sans,20,&H0000FF,0,2,2\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Text\n"
    "Dialogue: 0,0:00:00.20,0:00:01.50,Default,{\\k20}Ka{\\k30\\fs30\\t(0,500,\\fscx200)}rao{\\p1}"
    "m 0 0 l 10 0 10 10{\\p0}\n"
    "Dialogue: 1,0:00:01.00,0:00:01.50,Default,{\\pos(160,90)\\clip(0,0,300,100)\\blur3}ke\n"
)
JSON = '{"cues":[{"start":0.2,"end":1.5,"text":"a b","words":[{"start":0.2,"end":1,"text":"a"}]}]}'
SUBTITLES = {".srt", ".vtt", ".webvtt", ".ass", ".ssa", ".sbv", ".json"}


def make_seeds(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """Videos and subtitles of our own."""
    videos = []
    for kind in KINDS:
        path = kind.make(folder)
        videos.append(path.read_bytes())
        path.unlink()
    return videos, [text.encode() for text in (SRT, VTT, ASS, JSON)]


def read_seeds(corpus: Path) -> tuple[list[bytes], list[bytes]]:
    """Videos and subtitles of a folder."""
    files = [file for file in sorted(corpus.rglob("*")) if file.is_file() and file.suffix != ".tsv"]
    small = [file for file in files if file.stat().st_size <= LARGEST]
    subtitles = [file for file in small if file.suffix.lower() in SUBTITLES]
    videos = [file for file in small if file not in subtitles]
    return [file.read_bytes() for file in videos], [file.read_bytes() for file in subtitles]
