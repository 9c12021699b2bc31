"""A job in work, and what its stages share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from worker.media.options import Options
from worker.media.probe import MediaInfo
from worker.media.render import SCRIPT
from worker.media.script.make import script_for
from worker.media.subtitles import Subtitles
from worker.progress import Progress
from worker.queue.jobs import Job

VIDEOS = "videos"
SUBTITLES = "subtitles"
RENDERS = "renders"


@dataclass(frozen=True)
class Work:
    """A job in work: what is known before its video is there."""

    job: Job
    options: Options
    subtitles: Subtitles
    folder: Path
    progress: Progress

    async def write_script(self, info: MediaInfo) -> None:
        """The subtitles for ffmpeg, made for the picture of ``info``."""
        script = await asyncio.to_thread(
            script_for, self.subtitles, self.options, info.display_width, info.display_height
        )
        (self.folder / SCRIPT).write_text(script, encoding="utf-8")
