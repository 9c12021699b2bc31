"""How subtitles look: the model behind ``options.style``, and the same as ASS."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pysubs2 import Alignment, Color, SSAStyle

Position = Literal[
    "bottom-left", "bottom-center", "bottom-right",
    "middle-left", "middle-center", "middle-right",
    "top-left", "top-center", "top-right",
]  # fmt: skip
HexColor = Annotated[str, Field(pattern=r"^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$")]
Flag = Annotated[bool, Field(strict=True)]


class Style(BaseModel):
    """How subtitles look that bring no styles of their own (SRT, WebVTT).

    Sizes are relative, so that the same style looks the same on every video. Colours are web hex,
    `#RRGGBB` or `#RRGGBBAA` (AA = opacity).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    font: str = Field("Noto Sans", pattern=r"^[\w .\-]{1,64}$")
    """Family of an installed font. Characters that it lacks are taken from others."""
    size: float = Field(7.5, ge=1, le=25)
    """Height of a line, in per cent of the picture's shorter side."""
    color: HexColor = "#FFFFFF"
    """Colour of the text."""
    bold: Flag = False
    """Bold text."""
    italic: Flag = False
    """Italic text."""
    outline: float = Field(5.0, ge=0, le=30)
    """Width of the outline, in per cent of the size; 0 = none."""
    outline_color: HexColor = "#000000"
    """Colour of the outline."""
    shadow: float = Field(0.0, ge=0, le=30)
    """Distance of the shadow, in per cent of the size; 0 = none."""
    shadow_color: HexColor = "#000000"
    """Colour of the shadow."""
    position: Position = "bottom-center"
    """Where on the picture the text stands."""
    margin_horizontal: float = Field(5.0, ge=0, le=40)
    """Distance from the left and right edge, in per cent of the picture's shorter side."""
    margin_vertical: float = Field(5.0, ge=0, le=40)
    """Distance from the upper or lower edge, in per cent of the picture's shorter side."""


def ass_style(style: Style, width: int, height: int) -> SSAStyle:
    """The style as ASS for a picture of ``width`` x ``height`` displayed pixels."""
    unit = min(width, height) / 100
    size = style.size * unit
    margin_horizontal = round(style.margin_horizontal * unit)
    return SSAStyle(
        fontname=style.font,
        fontsize=round(size, 2),
        primarycolor=ass_color(style.color),
        outlinecolor=ass_color(style.outline_color),
        backcolor=ass_color(style.shadow_color),
        bold=style.bold,
        italic=style.italic,
        outline=round(style.outline * size / 100, 2),
        shadow=round(style.shadow * size / 100, 2),
        alignment=Alignment(get_args(Position).index(style.position) + 1),
        marginl=margin_horizontal,
        marginr=margin_horizontal,
        marginv=round(style.margin_vertical * unit),
        # Lets libass find the base direction of each text, so that Arabic and Hebrew
        # punctuation stands on the right side.
        encoding=-1,
    )


def ass_color(web: str) -> Color:
    """``#RRGGBBAA`` (AA = opacity) as ASS has it (alpha = transparency; written as ABGR)."""
    red, green, blue, *opacity = bytes.fromhex(web[1:])
    return Color(red, green, blue, 255 - opacity[0] if opacity else 0)
