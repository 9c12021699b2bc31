"""A job in work, what its stages share, and what every job is done with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from worker.media.encoder import Encoder, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.options import Options
from worker.media.probe import MediaInfo
from worker.media.render import SCRIPT
from worker.media.script.make import script_for
from worker.media.subtitles import Subtitles
from worker.progress import Progress
from worker.queue.jobs import Job
from worker.settings import Settings
from worker.storage.client import Storage
from worker.workspace import Workspace

VIDEOS = "videos"
SUBTITLES = "subtitles"
RENDERS = "renders"


@dataclass(frozen=True)
class Tools:
    """What all jobs of a worker are done with; ``threads`` of ``encoder`` are for each job."""

    settings: Settings
    storage: Storage
    ffmpeg: Ffmpeg
    workspace: Workspace
    encoder: Encoder
    threads: int

    def encoding(self, options: Options) -> Encoding:
        """How a job's frames are encoded."""
        return Encoding(self.encoder, options.encoding, self.threads)


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
