"""``make vectors``: writes the expected scripts anew."""

from __future__ import annotations

import json
from pathlib import Path

from worker.media.ass import write_script
from worker.media.json_cues import JsonCues, to_cue
from worker.media.style import Style

FOLDER = Path(__file__).parent


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


if __name__ == "__main__":
    for case in sorted(FOLDER.glob("*.json")):
        case.with_suffix(".ass").write_text(script_of(case), encoding="utf-8")
