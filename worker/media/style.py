"""How subtitles look: the model behind ``options.style``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Position = Literal[
    "bottom-left", "bottom-center", "bottom-right",
    "middle-left", "middle-center", "middle-right",
    "top-left", "top-center", "top-right",
]  # fmt: skip
HexColor = Annotated[str, Field(pattern=r"^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$")]
Flag = Annotated[bool, Field(strict=True)]


class Style(BaseModel):
    """How subtitles look that bring no styles of their own (SRT, WebVTT, JSON).

    Sizes are relative, so that the same style looks the same on every video. Colours are web hex,
    `#RRGGBB` or `#RRGGBBAA` (AA = opacity).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    font: str = Field("Noto Sans", pattern=r"^[^,{}\\\x00-\x1f]{1,64}$")
    """Family of an installed font. `Noto Sans` stands for the Noto families of all scripts; what
    another font lacks is taken from any that has it."""
    size: float = Field(7.5, ge=1, le=25)
    """Height of a line, in per cent of the picture's shorter side."""
    color: HexColor = "#FFFFFF"
    """Colour of the text."""
    bold: Flag = False
    """Bold text."""
    italic: Flag = False
    """Italic text."""
    letter_spacing: float = Field(0.0, ge=0, le=50)
    """Space added between letters, in per cent of the size."""
    outline: float = Field(5.0, ge=0, le=30)
    """Width of the outline, in per cent of the size; 0 = none."""
    outline_color: HexColor = "#000000"
    """Colour of the outline."""
    shadow: float = Field(0.0, ge=0, le=30)
    """Distance of the shadow, in per cent of the size; 0 = none. A box takes its place."""
    shadow_color: HexColor = "#000000"
    """Colour of the shadow."""
    box_color: HexColor | None = None
    """Colour of a box behind the text; without it there is none. `#00000099` is a black one that
    lets the picture through."""
    box_padding: float = Field(15.0, ge=0, le=100)
    """Space between the text and the edge of its box, in per cent of the size."""
    position: Position = "bottom-center"
    """Where on the picture the text stands."""
    margin_horizontal: float = Field(5.0, ge=0, le=40)
    """Distance from the left and right edge, in per cent of the picture's shorter side."""
    margin_vertical: float = Field(5.0, ge=0, le=40)
    """Distance from the upper or lower edge, in per cent of the picture's shorter side."""
    max_characters: int = Field(42, ge=4, le=200)
    """Characters in a line: a Chinese, Japanese or Korean one counts as two, a mark above or below
    another as none. A line is never wider than the picture."""
    max_lines: int | None = Field(None, ge=1, le=10)
    """Lines at a time: a longer text is shown in parts, one after the other. Without it there are
    as many as the picture has room for."""
    highlight: Literal["none", "fill", "word"] = "none"
    """For cues with word times (JSON, karaoke): `fill` lets `highlight_color` run through the words
    as they are spoken, `word` shows it on the one that is being spoken."""
    highlight_color: HexColor = "#FFD500"
    """Colour of the words that are highlighted."""
