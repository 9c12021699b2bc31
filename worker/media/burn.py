"""Burns the subtitles in by the way that fits, and by another one when that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from worker.errors import JobError, JobWarning
from worker.media.encoder import X264, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import MediaInfo
from worker.media.render import Rendered, render

log = structlog.get_logger()

ENCODERS_FAULT = (
    "invalid_video", "render_failed", "render_incorrect", "render_killed", "render_stalled",
)  # fmt: skip
"""What a broken driver may look like."""


async def burn(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    encoding: Encoding,
    *,
    max_duration: float,
    max_seconds: float,
    on_progress: Callable[[float], None],
) -> Rendered:
    """As ``render``. When a hardware encoder fails, x264 does the work, with a warning."""

    async def render_with(encoding: Encoding) -> Rendered:
        return await render(
            ffmpeg,
            folder,
            info,
            encoding,
            max_duration=max_duration,
            max_seconds=max_seconds,
            on_progress=on_progress,
        )

    try:
        return await render_with(encoding)
    except JobError as error:
        if encoding.encoder is X264 or error.code not in ENCODERS_FAULT:
            raise
        log.warning("encoder.failed", encoder=encoding.encoder.name, detail=error.detail)
    rendered = await render_with(replace(encoding, encoder=X264))
    warning = JobWarning.of("encoder_failed", encoder=encoding.encoder.name)
    return replace(rendered, warnings=[*rendered.warnings, warning])
