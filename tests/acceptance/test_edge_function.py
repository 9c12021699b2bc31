"""From the call of the edge function to the video: everything is the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.acceptance.conftest import SRT, Project, User
from tests.acceptance.test_jobs import BIG, TEXT_FRAMES
from tests.clips import HEIGHT, WIDTH, gray_frames, shows_text

CUES = [{"start": 1, "end": 2, "text": "Word"}, {"start": 3, "end": 3.48, "text": "Wort"}]


@pytest.mark.parametrize(
    "subtitles", [{"subtitle_text": SRT}, {"cues": CUES}], ids=["text", "cues"]
)
def test_a_call_of_the_edge_function_becomes_a_subtitled_video(
    project: Project,
    user: User,
    clip: Path,
    deno: str,
    tmp_path: Path,
    subtitles: dict[str, Any],
) -> None:
    project.start_worker()
    video = user.upload("videos", "clip.mp4", clip, "video/mp4")
    body = {"video_path": video, "options": BIG, **subtitles}
    options = {"body": body, "responseType": "json"}
    answer: Any = user.client.functions.invoke("process-video", options)
    row = user.wait(answer["job"]["id"])
    assert row["status"] == "completed", row
    result = project.download(row["output_path"], tmp_path / "out.mp4")
    shown = shows_text(gray_frames(result, WIDTH, HEIGHT))
    assert set(np.flatnonzero(shown)) == TEXT_FRAMES
