"""Burns the subtitles in by the way that fits, and by another one when that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import structlog

from worker.errors import JobError, JobWarning
from worker.media.encoder import X264, Encoding
from worker.media.ffmpeg import Ffmpeg
from worker.media.probe import MediaInfo
from worker.media.render import Rendered, render
from worker.media.smart.burn import smart_burn
from worker.media.smart.plan import NotSmart

log = structlog.get_logger()

Way = Literal["full", "smart", "auto"]
WORTHWHILE = 0.85
"""The share of frames to encode up to which ``auto`` takes the smart burn: above, copying the rest
saves less than planning and merging cost."""
RENDERS_FAULT = (
    "invalid_video", "render_failed", "render_incorrect", "render_killed", "render_stalled",
)  # fmt: skip
"""What may go better another way; the rest is the input's fault or the machine's."""


async def burn(
    ffmpeg: Ffmpeg,
    folder: Path,
    info: MediaInfo,
    encoding: Encoding,
    way: Way,
    *,
    max_duration: float,
    max_seconds: float,
    on_progress: Callable[[float], None],
) -> Rendered:
    """As ``render``, by the ``way`` that was asked for; what became of it is in the result.

    When a smart burn is not possible, or when a hardware encoder fails, there is a full burn with
    x264.
    """
    limits: Any = {
        "max_duration": max_duration,
        "max_seconds": max_seconds,
        "on_progress": on_progress,
    }
    reason = None
    if way != "full":
        limit = WORTHWHILE if way == "auto" else 1.0
        try:
            return await smart_burn(ffmpeg, folder, info, encoding, limit=limit, **limits)
        except NotSmart as refused:
            reason = refused.reason
            log.info("render.full", reason=reason, detail=refused.detail)
        except JobError as error:
            if error.code not in (*RENDERS_FAULT, "disk_full"):
                raise
            reason = "disk" if error.code == "disk_full" else "failed"
            log.warning("render.full", reason=reason, detail=error.detail)
    rendered = await _burn_in_full(ffmpeg, folder, info, encoding, **limits)
    return replace(rendered, reason=reason)


async def _burn_in_full(
    ffmpeg: Ffmpeg, folder: Path, info: MediaInfo, encoding: Encoding, **limits: Any
) -> Rendered:
    try:
        return await render(ffmpeg, folder, info, encoding, **limits)
    except JobError as error:
        if encoding.encoder is X264 or error.code not in RENDERS_FAULT:
            raise
        log.warning("encoder.failed", encoder=encoding.encoder.name, detail=error.detail)
    rendered = await render(ffmpeg, folder, info, replace(encoding, encoder=X264), **limits)
    warning = JobWarning.of("encoder_failed", encoder=encoding.encoder.name)
    return replace(rendered, warnings=[*rendered.warnings, warning])
