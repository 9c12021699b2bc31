"""How the picture becomes H.264: three named qualities, raw x264 values for those who want them,
and the hardware encoders, of which none is taken on trust.

An encoder is chosen once, at the start, by encoding with it. x264 is the default: it gives the best
picture for its bitrate, and what the qualities mean was measured with it. The hardware encoders get
the same numbers; their scales are near to x264's but not the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import structlog

from worker.errors import ConfigurationError, JobError
from worker.media.ffmpeg import Ffmpeg, Limits

log = structlog.get_logger()

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
EncoderName = Literal["x264", "nvenc", "qsv", "vaapi", "vulkan"]
QualityName = Literal["draft", "standard", "high"]


@dataclass(frozen=True)
class Quality:
    """x264's preset, its constant rate factor (lower is better), and parameters beside these."""

    preset: Preset
    crf: int
    params: str = ""

    def changed(self, preset: Preset | None, crf: int | None) -> Quality:
        """With raw values where they are given; a preset of one's own is x264's, unaltered."""
        quality = Quality(preset, self.crf) if preset else self
        return quality if crf is None else replace(quality, crf=crf)


QUALITIES: dict[QualityName, Quality] = {
    "draft": Quality("ultrafast", 28),
    "standard": Quality("superfast", 20, "mbtree=1:rc-lookahead=20"),
    "high": Quality("faster", 18),
}
"""Measured by ``make bench-quality``; the table and the reasons are in docs/decisions.md."""


@dataclass(frozen=True)
class Encoder:
    """One of ffmpeg's H.264 encoders.

    ``device``: options in front of the inputs that open it. ``upload``: the last filters, which
    bring the picture to it. ``steps``: its own presets for quick, medium and thorough work, as
    (option, three values). ``rate``: the options for constant quality, where None stands for it.
    ``reach``: what its driver opens (see ``Limits``); no other run gets that far.
    """

    name: EncoderName
    codec: str
    device: tuple[str, ...] = ()
    upload: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, tuple[str, str, str]] | None = None
    rate: Mapping[str, Any] = field(default_factory=dict)
    reach: tuple[str, ...] = ()

    @property
    def address_space(self) -> int | None:
        """Bytes of address space that its driver may reserve; None: as little as x264."""
        return 1 << 42 if self.device else None

    def options(self, quality: Quality, threads: int) -> dict[str, Any]:
        """The output options of ffmpeg."""
        if self is X264:
            params = {"x264-params": quality.params} if quality.params else {}
            return {
                "c:v": self.codec, "preset": quality.preset, "crf": quality.crf, **params,
                "pix_fmt": "yuv420p", "threads": threads,
            }  # fmt: skip
        options = {
            name: quality.crf if value is None else value for name, value in self.rate.items()
        }
        if self.steps:
            name, values = self.steps
            quick, thorough = ("ultrafast", "superfast", "veryfast"), ("slow", "slower", "veryslow")
            step = 0 if quality.preset in quick else 2 if quality.preset in thorough else 1
            options[name] = values[step]
        return {"c:v": self.codec, **options}


X264 = Encoder("x264", "libx264")
NV12 = ("format", "nv12")
NVIDIA = ("d:/dev/nvidia*", "r:/proc/driver/nvidia", "r:/proc/devices")
DRI = ("d:/dev/dri", "r:/sys/dev/char", "r:/sys/devices", "r:/usr/share/drirc.d")
VULKAN = ("r:/usr/share/vulkan", "r:/etc/vulkan")
HARDWARE = (
    Encoder(
        "nvenc", "h264_nvenc", ("-init_hw_device", "cuda"), (NV12,),
        ("preset", ("p2", "p4", "p6")), {"rc": "vbr", "cq": None, "b:v": 0}, NVIDIA,
    ),
    Encoder(
        "qsv", "h264_qsv", ("-init_hw_device", "qsv"), (NV12,),
        ("preset", ("veryfast", "medium", "slow")), {"global_quality": None}, DRI,
    ),
    Encoder(
        "vaapi", "h264_vaapi", ("-vaapi_device", "/dev/dri/renderD128"), (NV12, ("hwupload", "")),
        None, {"rc_mode": "CQP", "qp": None}, DRI,
    ),
    Encoder(
        "vulkan", "h264_vulkan", ("-init_hw_device", "vulkan=gpu", "-filter_hw_device", "gpu"),
        (NV12, ("hwupload", "")), None, {"rc_mode": "cqp", "qp": None}, (*DRI, *NVIDIA, *VULKAN),
    ),
)  # fmt: skip
"""In the order in which ``auto`` tries them."""


@dataclass(frozen=True)
class Encoding:
    """What one render uses: the encoder, how well it shall work, and on how many threads."""

    encoder: Encoder
    quality: Quality
    threads: int

    def options(self) -> dict[str, Any]:
        """The output options of ffmpeg."""
        return self.encoder.options(self.quality, self.threads)


async def choose_encoder(
    ffmpeg: Ffmpeg, folder: Path, wanted: EncoderName | Literal["auto"]
) -> Encoder:
    """The encoder called ``wanted``, or for "auto" the first of the hardware that works, else x264.

    Raises ``ConfigurationError`` when the one that is asked for by name does not work.
    """
    if wanted == "x264":
        return X264
    for encoder in HARDWARE:
        if wanted not in ("auto", encoder.name):
            continue
        reason = await test_encoder(ffmpeg, folder, encoder)
        if not reason:
            return encoder
        if wanted == encoder.name:
            raise ConfigurationError(
                f"WORKER_ENCODER={wanted} does not work here: {reason}. "
                "Set it to auto or x264, or give this process the device and its driver."
            )
        log.info("encoder.unfit", encoder=encoder.name, reason=reason)
    return X264


async def test_encoder(ffmpeg: Ffmpeg, folder: Path, encoder: Encoder) -> str | None:
    """Encode a second and decode it again; returns what is wrong."""
    filters = ",".join(name + (f"={value}" if value else "") for name, value in encoder.upload)
    options = encoder.options(QUALITIES["standard"], threads=1)
    result = "encoder-test.mp4"
    encode = [
        *("-v", "error", *encoder.device, "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=1"),
        *("-vf", filters or "null"),
        *(word for name, value in options.items() for word in (f"-{name}", str(value))),
        *("-f", "mp4", result),
    ]
    decode = ["-v", "error", "-xerror", "-i", result, "-f", "framecrc", "pipe:1"]
    memory = encoder.address_space or Limits().memory
    limits = Limits(memory, seconds=30, reach=encoder.reach)
    try:
        for arguments in (encode, decode):
            run = await ffmpeg.run(arguments, folder, limits)
            if run.returncode:
                return run.log.partition("\n")[0] or f"exit code {run.returncode}"
    except JobError as error:
        return str(error)
    finally:
        (folder / result).unlink(missing_ok=True)
    frames = sum(not line.startswith(b"#") for line in run.stdout.splitlines())
    return None if frames == 25 else f"{frames} of 25 frames came out"
