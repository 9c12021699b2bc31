"""The render path in one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from worker.media.encoder import QUALITIES, X264, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.options import Options
from worker.media.probe import MediaInfo, probe
from worker.media.render import SCRIPT, Rendered, render
from worker.media.script.make import script_for
from worker.media.style import Style
from worker.media.subtitles import read_subtitles

MAX_PIXELS = 4000 * 4000
SRT = "00:00:01,000 --> 00:00:02,000\nWord\n\n00:00:03,000 --> 00:00:03,480\nWort\n"


async def burn(
    program: Ffmpeg,
    folder: Path,
    subtitles: str = SRT,
    style: Style | None = None,
    max_duration: float = 3600.0,
    on_progress: Callable[[float], None] = lambda share: None,
    audio_track: int | None = None,
) -> tuple[MediaInfo, Rendered]:
    """Burn ``subtitles`` into the input in ``folder``."""
    info = await probe(program, folder, MAX_PIXELS, audio_track)
    script = script_for(
        read_subtitles(subtitles.encode()),
        Options(style=style or Style(size=15)),
        info.display_width,
        info.display_height,
    )
    (folder / SCRIPT).write_text(script)
    rendered = await render(
        program,
        folder,
        info,
        Encoding(X264, QUALITIES["standard"], threads=2),
        max_duration=max_duration,
        max_seconds=100,
        on_progress=on_progress,
    )
    return info, rendered
