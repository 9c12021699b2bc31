"""What a video file is, by what is always there: ffmpeg itself (ffprobe may be absent).

The streams are read from ffmpeg's listing of the input; what the picture is (its size after
rotation, its pixels and colours) from the first frame that can be decoded, since that is what will
meet the filters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from worker.errors import JobError
from worker.media.ffmpeg import Ffmpeg, Limits, Run
from worker.media.listing import Listing, Stream, read_listing
from worker.media.packets import ENCRYPTED_PACKET

INPUT = "in.bin"
"""The input's name in its folder: user names never reach ffmpeg."""

# Demuxers for files from phones, cameras and editors; no playlist, no image sequence, no network.
FORMATS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf"
OPEN_INPUT = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)

PROBING = Limits(memory=2 << 30, file_size=1 << 20, seconds=60)
MAX_STREAMS = 64
SMALLEST_SIDE = 16
"""On less no letter can be told from a dot."""
MOST_STRETCHED = 8
"""Pixels that are said to be wider or higher than this are taken for square ones: text would be a
line."""
PADDING = 256
"""Decoders pad: 1080 lines are 1088 inside, and MPEG-4's vectors may point 160 pixels outside."""
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
BEYOND_CONVERSION = ("smpte2085", "ipt-c2", "ycgco-re", "ycgco-ro")
"""Matrices that no filter converts from; ICtCp is one unless the video is HDR."""
OF_DOLBY_VISION = {1: "smpte2084", 4: "arib-std-b67", 6: "smpte2084"}
"""The transfer of a Dolby Vision base layer, by what it is compatible with."""
PLAYS_IN_MP4 = re.compile(r"mp3\b|aac .*\((?:LC|HE-AAC|HE-AACv2)\)")
"""Sound that every player of MP4 plays."""
FIRST_FRAME = re.compile(
    r"^\[Parsed_showinfo_\d+ @ [^\]]*\] n: +0 .* fmt:(\w+) .*sar:(\d+)/(\d+) s:(\d+)x(\d+) i:(\w)",
    re.MULTILINE,
)
COPIED = re.compile(r"^  Stream #0:(\d+) -> #1:\d+ \(copy\)", re.MULTILINE)
COLOR = re.compile(
    r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)", re.MULTILINE
)


@dataclass(frozen=True)
class Color:
    """How numbers mean colours, in ffmpeg's words; ``unknown`` where nothing says so."""

    range: str = "unknown"
    matrix: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"

    @property
    def hdr(self) -> bool:
        return self.transfer in HDR_TRANSFERS


@dataclass(frozen=True)
class VideoStream:
    """A moving picture: index in the file, its number among those (from 1), codec, coded size,
    frames per second (None: unknown), pixel format and colours of the decoded frame, whether it
    consists of fields, and the decoder to take (None: ffmpeg's own choice)."""

    index: int
    number: int
    codec: str
    width: int
    height: int
    frame_rate: float | None
    pixel_format: str
    color: Color
    interlaced: bool
    decoder: str | None

    @property
    def hdr(self) -> bool:
        return self.color.hdr


@dataclass(frozen=True)
class AudioStream:
    """A sound track: index in the file, its number among those (from 1), codec, and whether it can
    go into an MP4 as it is."""

    index: int
    number: int
    codec: str
    copyable: bool


@dataclass(frozen=True)
class MediaInfo:
    """A video file: container, seconds (None: it doesn't say), the streams that are used, the
    indexes of the others that have a place in time, how many there are, and the upright picture:
    its size in the output, and as displayed, in square pixels."""

    container: str
    duration: float | None
    video: VideoStream
    audio: AudioStream | None
    others: tuple[int, ...]
    video_streams: int
    audio_streams: int
    output_width: int
    output_height: int
    display_width: int
    display_height: int
    scaled: bool = False
    """Whether the output is smaller than the input."""

    @property
    def frames(self) -> int | None:
        """Estimated number of frames."""
        if self.duration is None or self.video.frame_rate is None:
            return None
        return max(1, round(self.duration * self.video.frame_rate))


async def probe(
    ffmpeg: Ffmpeg, folder: Path, max_pixels: int, audio_track: int | None = None
) -> MediaInfo:
    """Look at ``folder / INPUT``. ``audio_track`` counts from 1; default: the file's default.

    Raises ``JobError``: ``invalid_video``, ``no_video_stream``, ``video_encrypted``,
    ``video_too_big`` (more than ``max_pixels``), ``video_too_small``, ``too_many_tracks``,
    ``audio_track_missing``, ``dolby_vision``, ``video_colors``.
    """
    look = await _look(ffmpeg, folder, "V:0?", "a:0?")
    listing = _read_listing(look.log)
    pictures = [s for s in listing.streams if s.kind == "Video" and not s.cover]
    videos = [s for s in pictures if s.width]
    audios = [s for s in listing.streams if s.kind == "Audio"]
    if not videos:
        raise JobError("invalid_video" if pictures else "no_video_stream", look.log[-2000:])
    video = max(videos, key=lambda video: video.width * video.height)
    audio = _chosen(audios, audio_track)
    if audio and not PLAYS_IN_MP4.match(audio.text) and not await _decodes(ffmpeg, folder, audio):
        audio = None
    if video.width * video.height > max_pixels:
        size = f"{video.width}x{video.height}"
        raise JobError("video_too_big", actual=size, limit=f"{max_pixels:,}")
    if video.dolby_vision == 0:
        raise JobError("dolby_vision")
    decoder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(video.codec) if video.alpha else None
    indexes = [stream.index for stream in (video, audio) if stream]
    if decoder or [int(index) for index in COPIED.findall(look.log)] != indexes:
        look = await _look(ffmpeg, folder, *map(str, indexes), decoder=decoder)
    # First: it explains that there is no frame.
    if ENCRYPTED_PACKET in look.stdout.decode() or video.encrypted or (audio and audio.encrypted):
        raise JobError("video_encrypted")
    frame = _first_frame(look, video)
    if min(frame.width, frame.height) < SMALLEST_SIDE:
        raise JobError("video_too_small", actual=f"{frame.width}x{frame.height}")
    matrix = frame.color.matrix
    if matrix in BEYOND_CONVERSION or (matrix == "ictcp" and not frame.color.hdr):
        raise JobError("video_colors", matrix=matrix)
    assert listing.container
    return MediaInfo(
        container=listing.container,
        duration=_length(listing),
        video=VideoStream(
            index=video.index,
            number=videos.index(video) + 1,
            codec=video.codec,
            width=video.width,
            height=video.height,
            frame_rate=video.frame_rate,
            pixel_format=frame.pixel_format,
            color=frame.color,
            interlaced=video.interlaced or frame.interlaced,
            decoder=decoder,
        ),
        audio=_audio(audio, audios.index(audio) + 1) if audio else None,
        others=tuple(s.index for s in listing.streams if s not in (video, audio) and s.timed),
        video_streams=len(videos),
        audio_streams=len(audios),
        output_width=frame.width // 2 * 2,
        output_height=frame.height // 2 * 2,
        display_width=max(2, round(frame.width * frame.aspect)),
        display_height=frame.height,
    )


async def _look(ffmpeg: Ffmpeg, folder: Path, *streams: str, decoder: str | None = None) -> Run:
    """ffmpeg's listing, the first packet of each of ``streams`` (the picture, then the sound), and
    the first frame of the picture, upright. One run, for a user waits; so the first look takes the
    streams that are the right ones in nearly every file, and another one follows if they were not.
    """
    maps = [word for stream in streams for word in ("-map", f"0:{stream}")]
    return await ffmpeg.run(
        [
            *("-threads", "1", *(("-c:v", decoder) if decoder else ())),
            *(*OPEN_INPUT, "-i", f"file:{INPUT}"),
            *(*maps[:2], "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"),
            *(*maps, "-c", "copy", "-frames:v", "1", "-frames:a", "1", "-f", "framecrc", "pipe:1"),
        ],
        folder,
        PROBING,
    )


def _read_listing(log: str) -> Listing:
    listing = read_listing(log)
    if not listing.container:
        raise JobError("video_encrypted" if "encryption" in log else "invalid_video", log[-2000:])
    if (count := len(listing.streams)) > MAX_STREAMS:
        raise JobError("too_many_tracks", count=count, limit=MAX_STREAMS)
    return listing


def padded_pixels(video: VideoStream) -> int:
    """How many pixels its decoder must be allowed to make."""
    return (video.width + PADDING) * (video.height + PADDING)


def _chosen(audios: list[Stream], track: int | None) -> Stream | None:
    """The track that was asked for; else the default one, or the first, that can be decoded."""
    if track is not None:
        if track > len(audios):
            raise JobError("audio_track_missing", count=len(audios), track=track)
        return audios[track - 1]
    readable = [audio for audio in audios if audio.readable]
    return next((audio for audio in readable if audio.default), readable[0] if readable else None)


def _audio(stream: Stream, number: int) -> AudioStream:
    copyable = bool(PLAYS_IN_MP4.match(stream.text))
    return AudioStream(stream.index, number, stream.codec, copyable)


def _length(listing: Listing) -> float | None:
    """Seconds from the first picture or sound to the last. Matroska says when it ends instead."""
    if listing.duration is None:
        return None
    matroska = "matroska" in (listing.container or "")
    return listing.duration - (max(0.0, listing.start) if matroska else 0.0)


async def _decodes(ffmpeg: Ffmpeg, folder: Path, audio: Stream) -> bool:
    """Whether there is a decoder for a track whose codec ffmpeg knows by name, and it opens."""
    first = ["-map", f"0:{audio.index}", "-frames:a", "1", "-f", "null", "-"]
    run = await ffmpeg.run([*OPEN_INPUT, "-i", f"file:{INPUT}", *first], folder, PROBING)
    return not re.search("no decoder found|Error while opening decoder", run.log)


@dataclass(frozen=True)
class _Frame:
    """A decoded frame, upright: its size, a pixel's aspect, its format, colours and fields."""

    width: int
    height: int
    aspect: Fraction
    pixel_format: str
    color: Color
    interlaced: bool


def _first_frame(look: Run, video: Stream) -> _Frame:
    """What ``_look`` saw of it. Raises ``invalid_video``."""
    found = FIRST_FRAME.search(look.log)
    if not found:
        raise JobError("invalid_video", look.log[-2000:])
    pixel_format, *numbers, fields = found.groups()
    numerator, denominator, width, height = map(int, numbers)
    aspect = Fraction(numerator or 1, denominator if numerator and denominator else 1)
    if not 1 / MOST_STRETCHED <= aspect <= MOST_STRETCHED:
        aspect = Fraction(1)
    tagged = COLOR.search(look.log, found.end())
    color = Color(*tagged.groups()) if tagged else Color()
    if color.transfer == "unknown":
        color = replace(color, transfer=OF_DOLBY_VISION.get(video.dolby_vision or 0, "unknown"))
    return _Frame(
        width=width,
        height=height,
        aspect=aspect,
        pixel_format=pixel_format,
        color=color,
        interlaced=fields in "TB",
    )
