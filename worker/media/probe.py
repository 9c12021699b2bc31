"""What a video file is, by what is always there: ffmpeg itself (ffprobe may be absent).

The streams are read from ffmpeg's own listing of the input, whose lines a file can't forge (it
indents the values of metadata, also after their line breaks). The size of the picture as shown,
after rotation, comes from decoding the first frame, which also proves that it can be decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from worker.errors import JobError
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.mp4 import is_encrypted

INPUT = "in.bin"
"""The input's name in its folder: user names never reach ffmpeg."""

# Demuxers for files from phones, cameras and editors; no playlist, no image sequence, no network.
FORMATS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf"
OPEN_INPUT = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)

DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
CONTAINER = re.compile(r"^Input #0, (\S+), from ", re.MULTILINE)
STREAM = re.compile(
    r"^  Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (Video|Audio): (.*)$", re.MULTILINE
)
PICTURE_SIZE = re.compile(r", (\d+)x(\d+)[, ]")
FRAME_RATE = re.compile(r", ([\d.]+)(k?) fps")
BASE_RATE = re.compile(r", ([\d.]+)(k?) tbr")
HIGHEST_FRAME_RATE = 240
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")


@dataclass(frozen=True)
class VideoStream:
    """A moving picture: index in the file, codec, coded size, frames per second (None: unknown)."""

    index: int
    codec: str
    width: int
    height: int
    frame_rate: float | None
    hdr: bool


@dataclass(frozen=True)
class AudioStream:
    index: int
    codec: str


@dataclass(frozen=True)
class MediaInfo:
    """A video file: container, seconds (None: it doesn't say), the streams that are used, how many
    there are, and the upright picture: its size in the output, and as displayed, in square
    pixels."""

    container: str
    duration: float | None
    video: VideoStream
    audio: AudioStream | None
    video_streams: int
    audio_streams: int
    output_width: int
    output_height: int
    display_width: int
    display_height: int

    @property
    def frames(self) -> int | None:
        """Estimated number of frames."""
        if self.duration is None or self.video.frame_rate is None:
            return None
        return max(1, round(self.duration * self.video.frame_rate))


async def probe(ffmpeg: Ffmpeg, folder: Path, max_pixels: int) -> MediaInfo:
    """Look at ``folder / INPUT``.

    Raises ``JobError``: ``invalid_video``, ``no_video_stream``, ``video_encrypted``,
    ``video_too_big`` (more than ``max_pixels``).
    """
    if is_encrypted(folder / INPUT):
        raise JobError("video_encrypted")
    listing = (await ffmpeg.run([*OPEN_INPUT, "-i", f"file:{INPUT}"], folder, Limits())).log
    container = CONTAINER.search(listing)
    if not container:
        code = "video_encrypted" if "encryption" in listing else "invalid_video"
        raise JobError(code, listing[-2000:])
    videos, audios = [], []
    for index, kind, description in STREAM.findall(listing):
        if kind == "Audio":
            audios.append((AudioStream(int(index), _codec(description)), description))
        elif "(attached pic)" not in description and (video := _video(int(index), description)):
            videos.append(video)
    if not videos:
        raise JobError("no_video_stream")
    video = max(videos, key=lambda v: v.width * v.height)
    if video.width * video.height > max_pixels:
        raise JobError(
            "video_too_big", actual=f"{video.width}x{video.height}", limit=f"{max_pixels:,}"
        )
    default = next((audio for audio, text in audios if "(default)" in text), None)
    width, height, aspect = await _upright_picture(ffmpeg, folder, video, max_pixels)
    duration = DURATION.search(listing)
    guessed = "Estimating duration from bitrate" in listing
    return MediaInfo(
        container=container.group(1),
        duration=_seconds(*duration.groups()) if duration and not guessed else None,
        video=video,
        audio=default or (audios[0][0] if audios else None),
        video_streams=len(videos),
        audio_streams=len(audios),
        output_width=width // 2 * 2,
        output_height=height // 2 * 2,
        display_width=max(2, round(width * aspect)),
        display_height=height,
    )


async def _upright_picture(
    ffmpeg: Ffmpeg, folder: Path, video: VideoStream, max_pixels: int
) -> tuple[int, int, Fraction]:
    """Decode the first frame, turned upright; returns width, height and a pixel's aspect."""
    run = await ffmpeg.run(
        [
            *("-v", "error", "-max_pixels", str(max_pixels), *OPEN_INPUT, "-i", f"file:{INPUT}"),
            *("-map", f"0:{video.index}", "-frames:v", "1", "-f", "framecrc", "pipe:1"),
        ],
        folder,
        Limits(),
    )
    header = dict(re.findall(r"^#(dimensions|sar) 0: (\S+)$", run.stdout.decode(), re.MULTILINE))
    if "dimensions" not in header or not re.search(rb"^0,", run.stdout, re.MULTILINE):
        raise JobError("invalid_video", run.log)
    width, height = map(int, header["dimensions"].split("x"))
    numerator, denominator = map(int, header.get("sar", "1/1").split("/"))
    unknown = not (numerator and denominator)
    return width, height, Fraction(1) if unknown else Fraction(numerator, denominator)


def _video(index: int, description: str) -> VideoStream | None:
    size = PICTURE_SIZE.search(description)
    if not size:
        return None
    return VideoStream(
        index=index,
        codec=_codec(description),
        width=int(size.group(1)),
        height=int(size.group(2)),
        frame_rate=_rate(FRAME_RATE, description) or _rate(BASE_RATE, description),
        hdr=any(transfer in description for transfer in HDR_TRANSFERS),
    )


def _codec(description: str) -> str:
    return re.split(r"[ ,(]", description, maxsplit=1)[0]


def _rate(pattern: re.Pattern[str], description: str) -> float | None:
    match = pattern.search(description)
    rate = float(match.group(1)) * (1000 if match.group(2) else 1) if match else 0.0
    return rate if 0 < rate <= HIGHEST_FRAME_RATE else None


def _seconds(hours: str, minutes: str, seconds: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
