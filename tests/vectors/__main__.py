"""``make vectors``: writes the expected scripts anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from worker.media.script.ass import write_script
from worker.media.style import Style
from worker.media.subtitles.json_cues import JsonCues, to_cue
from worker.media.subtitles.markup import read_srt_markup

FOLDER = Path(__file__).parent
MARKUP = FOLDER / "markup" / "srt.json"


def script_of(case: Path) -> str:
    """The script that the writer makes of ``NAME.json``."""
    given = json.loads(case.read_text(encoding="utf-8"))
    listed = JsonCues.model_validate(given["cues"]).root
    assert isinstance(listed, list)
    return write_script(
        [to_cue(cue) for cue in listed],
        Style.model_validate(given["style"]),
        given["width"],
        given["height"],
        given["language"],
    )


def markup_read(texts: list[str]) -> str:
    """``markup/srt.json``: texts as they stand in an SRT file, and what is read from them."""
    return json.dumps([_read(text) for text in texts], ensure_ascii=False, indent=1) + "\n"


def _read(markup: str) -> dict[str, Any]:
    marked = read_srt_markup(markup)
    return {
        "markup": markup,
        "text": marked.text,
        "spans": [
            [span.start, span.end, {k: v for k, v in vars(span.look).items() if v is not None}]
            for span in marked.spans
        ],
        "position": marked.placement and marked.placement.position,
    }


if __name__ == "__main__":
    given = json.loads(MARKUP.read_text(encoding="utf-8"))
    MARKUP.write_text(markup_read([case["markup"] for case in given]), encoding="utf-8")
    for case in sorted(FOLDER.glob("*.json")):
        case.with_suffix(".ass").write_text(script_of(case), encoding="utf-8")
