"""The one tree of errors, and the catalogue of everything that can go wrong with a job.

A job's error has a stable code (the key of ``CATALOGUE``), a sentence for the user that holds no
path, host name or program output, and says by itself whether another attempt can help. ``detail``
is for the log only. What went not quite as expected, but well enough to complete, is a warning
(``WARNINGS``), with a code and a sentence as well.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


class VideoWorkerError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigurationError(VideoWorkerError):
    """The installation is at fault (settings, schema, ffmpeg); says what to do about it."""


class DatabaseUnavailableError(VideoWorkerError):
    """The database did not answer; the same call may succeed later."""


@dataclass(frozen=True)
class Problem:
    """What the user is told, and whether the worker tries again by itself."""

    message: str
    retry: bool = False


CATALOGUE: dict[str, Problem] = {
    # The request
    "invalid_options": Problem(
        "The option {field} is not valid: {reason}. Correct it and send it again."
    ),
    # The uploaded video
    "input_missing": Problem("The video was not found in Storage. Upload it and send it again."),
    "input_empty": Problem("The video file is empty. Upload it again."),
    "input_too_large": Problem(
        "The video is {size} large; at most {limit} are allowed. Export it smaller."
    ),
    "input_changed": Problem(
        "The video was replaced while it was being processed. Send it again.", retry=True
    ),
    "invalid_video": Problem(
        "The file is damaged, or not a video in a format we can read. Export "
        "it as MP4 and upload it again."
    ),
    "no_video_stream": Problem(
        "The file has no video track, only sound or pictures. Upload the video itself."
    ),
    "video_encrypted": Problem(
        "The video is copy-protected (DRM). Upload a version without protection."
    ),
    "video_truncated": Problem(
        "The video breaks off after {actual} of {expected}. Export or upload it again."
    ),
    "video_too_long": Problem(
        "The video lasts {actual}; at most {limit} are allowed. Cut it into parts."
    ),
    "video_too_big": Problem(
        "The picture has {actual} pixels; at most {limit} are allowed. Export it smaller."
    ),
    "video_too_small": Problem(
        "The picture has {actual} pixels, too few to show text. Upload the video itself."
    ),
    "dolby_vision": Problem(
        "The video is in a Dolby Vision profile whose colours only licensed players show. Export "
        "it as HDR10, HLG or SDR and send it again."
    ),
    "video_colors": Problem(
        "The video's colours are written in a way that nothing converts ({matrix}). Export it in "
        "BT.709 and send it again."
    ),
    "too_many_tracks": Problem(
        "The file has {count} tracks; at most {limit} are allowed. Export it with one video track "
        "and the sound that you need."
    ),
    "audio_track_missing": Problem(
        "Sound track {track} was asked for, but the video has {count}. Choose one that is there."
    ),
    # The subtitles
    "subtitles_missing": Problem("The subtitle file was not found in Storage. Save it again."),
    "subtitles_too_large": Problem(
        "The subtitle file is too large: {reason}. Shorten or split it."
    ),
    "subtitles_unreadable": Problem(
        "The subtitles could not be read as SRT, WebVTT, ASS or JSON: {reason}. Save them anew."
    ),
    "subtitles_format": Problem(
        "The subtitles are a file of another kind ({format}). Save them as SRT, WebVTT or ASS and "
        "send them again."
    ),
    "subtitles_too_complex": Problem(
        "The subtitles ask for more than can be drawn in time: {reason}. Simplify them."
    ),
    "subtitles_empty": Problem(
        "The subtitle file holds no subtitles. Save it with text and send it again."
    ),
    "subtitles_incomplete": Problem(
        "Only {kept} of {found} subtitles could be read; the first problem is "
        "in {where}. Mend it and send it again."
    ),
    # The work itself
    "render_failed": Problem(
        "The video could not be rendered. Try again later, or export it anew.", retry=True
    ),
    "render_killed": Problem("The rendering was interrupted. Try again later.", retry=True),
    "render_stalled": Problem(
        "The rendering made no progress. Try again later, or export the video anew.", retry=True
    ),
    "render_incorrect": Problem(
        "The rendered video did not pass its checks. Try again later, or export it anew.",
        retry=True,
    ),
    "render_timeout": Problem(
        "The rendering took longer than the allowed {limit}. Send a shorter or smaller video."
    ),
    "disk_full": Problem("The server ran out of space. Try again later.", retry=True),
    "storage_unavailable": Problem(
        "The file store could not be reached. Try again later.", retry=True
    ),
    "storage_denied": Problem("The file store refused the server. Try again later.", retry=True),
    "output_too_large": Problem(
        "The rendered video is larger than the file store accepts. Send a shorter or smaller video."
    ),
    "upload_incomplete": Problem(
        "The result was not stored completely. Try again later.", retry=True
    ),
    "internal_error": Problem("Something went wrong on our side. Try again later.", retry=True),
    # Written by the database (see rescue_expired)
    "worker_lost": Problem(
        "The server stopped in the middle of this video. Try again later.", retry=True
    ),
}


class JobError(VideoWorkerError):
    """A job can't go on. ``code`` is a key of ``CATALOGUE``; the values fill in its sentence."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        retry_after: float | None = None,
        **values: object,
    ) -> None:
        problem = CATALOGUE[code]
        self.code = code
        self.message = problem.message.format(**values)
        self.retry = problem.retry
        self.detail = detail
        self.retry_after = retry_after
        """Seconds that the other side asked us to wait, if it did."""
        super().__init__(f"{code}: {detail or self.message}")


WARNINGS: dict[str, str] = {
    "cues_without_text": "Subtitles without text: {count}.",
    "cues_backwards": "Subtitles that end before they begin and are not shown: {count}.",
    "cues_outside": (
        "Subtitles that their file puts outside the picture: {count}. Option `restyle` shows them."
    ),
    "cues_past_end": "Subtitles that begin after the end of the video: {count}.",
    "cues_repeated": "Subtitles that stood in two segments and are shown once: {count}.",
    "charset_guessed": (
        "The subtitles don't say in which charset they are; they were read as {charset}. "
        "If letters are wrong, save them as UTF-8."
    ),
    "characters_damaged": "Characters of the subtitles that are damaged: {count}.",
    "text_ignored": (
        "Lines that belong to no subtitle and are not shown: {count}, the first is line {line}."
    ),
    "words_not_found": "Words with times that are not in their subtitle's text: {count}.",
    "attachments_dropped": "Fonts and pictures inside the subtitle file are not used: {count}.",
    "glyphs_missing": "No font has these characters: {characters}.",
    "ends_early": "The video ends after {actual}; its index says {expected}.",
    "frames_damaged": "Damaged frames in the video: {count} of {total}.",
    "audio_damaged": "Only {actual} of {total} of the sound could be used.",
    "audio_unreadable": "The sound is in a format that can't be read; the result is silent.",
    "video_tracks": "Of {count} video tracks the largest was used, number {number}.",
    "encoder_failed": "The hardware encoder {encoder} failed; the video was encoded without it.",
    "audio_tracks": "Of {count} sound tracks number {number} was used.",
}


@dataclass(frozen=True)
class JobWarning:
    """A warning on the row of a job that completed. ``code`` is a key of ``WARNINGS``."""

    code: str
    message: str

    @classmethod
    def of(cls, code: str, **values: object) -> JobWarning:
        """The warning with its sentence filled in."""
        return cls(code, WARNINGS[code].format(**values))

    def as_dict(self) -> dict[str, str]:
        """As it stands in ``output_info.warnings``."""
        return asdict(self)


def span(seconds: float) -> str:
    """A duration in words for a sentence: ``1.5 s``, ``4:05 min``, ``2:00:00 h``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def size(count: int) -> str:
    """A number of bytes in words for a sentence: ``3.2 MB``."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.1f} {unit}" if value % 1 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
