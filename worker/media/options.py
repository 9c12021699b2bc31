"""What a user may ask for: the model behind column ``options``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.errors import JobError
from worker.media.encoder import QUALITIES, Preset, Quality, QualityName
from worker.media.style import Flag, Style


class Options(BaseModel):
    """Column `options` of a job."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    style: Style = Style()
    """The look of the subtitles."""
    restyle: Flag = False
    """Give `style` to ASS and SSA files too, which otherwise keep their own styles."""
    language: str | None = Field(
        None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35
    )
    """Language of the subtitles (BCP 47: `en`, `ja`, `zh-Hant`): marks the soft track, helps where
    a file doesn't say its charset, and decides how Chinese characters are drawn and where lines
    break (without it, the text does)."""
    soft_track: Flag = False
    """Add the subtitles also as a track that players can switch on."""
    sidecars: tuple[Literal["srt", "vtt"], ...] = Field((), max_length=2)
    """Subtitle files to put beside the video: their paths are in `output_info.sidecars`."""
    audio_track: int | None = Field(None, ge=1, le=64)
    """Number of the sound track to use, from 1; without it, the one that the file calls default."""
    poster_time: float | None = Field(None, ge=0, le=86400, allow_inf_nan=False)
    """Second of the video that the poster shows; without it, the first subtitle."""
    max_resolution: int | None = Field(None, ge=144, le=4320)
    """Scale the video down to at most this many pixels on its shorter side (`720` is 720p); a
    smaller video stays as it is."""
    quality: QualityName = "standard"
    """`standard`: a good picture, fast. `draft`: a plain picture with a third less work. `high`: a
    better picture at a bitrate up to a quarter higher, with twice the work."""
    crf: int | None = Field(None, ge=10, le=40)
    """The constant rate factor that `quality` stands for, raw: lower is better and larger."""
    preset: Preset | None = None
    """The x264 preset that `quality` stands for, raw."""

    render: Literal["full", "smart", "auto"] = "full"
    """`full`: every frame is encoded. `smart`: only what shows subtitles, the rest is copied as it
    is (H.264 in MP4, MOV or MKV; anything else is rendered in full). `auto`: smart where it is
    faster."""

    @property
    def encoding(self) -> Quality:
        """What the encoder is told."""
        return QUALITIES[self.quality].changed(self.preset, self.crf)


def read_options(value: dict[str, Any]) -> Options:
    """Raises ``invalid_options`` naming the first field that is wrong, and why."""
    try:
        return Options.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise JobError(
            "invalid_options",
            str(error),
            field=".".join(map(str, first["loc"])) or "options",
            reason=first["msg"][0].lower() + first["msg"][1:],
        ) from error
