"""Cues as JSON: what an app or a speech recogniser has at hand, with the times of words if known.

Read is a list of cues, an object that holds it as ``cues``, or one that holds it as ``segments``
with words named ``word``, as Whisper and its kin write. Other fields are ignored. Times are
seconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import floor
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel, ValidationError

from worker.errors import JobError
from worker.media.cues import Cue, Placement, Word, clean
from worker.media.style import Position

Seconds = Annotated[float, Field(ge=0, le=360_000, allow_inf_nan=False, strict=True)]


class JsonWord(BaseModel):
    """A word of the cue's text and when it is spoken."""

    model_config = ConfigDict(title="Word", use_attribute_docstrings=True)

    start: Seconds
    """Seconds from the start of the video."""
    end: Seconds
    """Seconds from the start of the video."""
    text: str = Field(validation_alias=AliasChoices("text", "word"))
    """The word as it stands in the cue's text; one that is not found there, behind the words before
    it, is not highlighted."""


class JsonCue(BaseModel):
    """A text and when it is shown."""

    model_config = ConfigDict(title="Cue", use_attribute_docstrings=True)

    start: Seconds
    """Seconds from the start of the video."""
    end: Seconds
    """Seconds from the start of the video: no longer shown from here on."""
    text: str
    """Plain text, shown as it stands: no markup. Lines are parted by line breaks."""
    words: list[JsonWord] | None = None
    """The words of the text with their times, in order: for `style.highlight`."""
    position: Position | None = None
    """Where this cue stands, if not where the style says."""


class CuesFile(BaseModel):
    """Cues in an object."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    cues: list[JsonCue] = Field(validation_alias=AliasChoices("cues", "segments"))
    """The cues, in any order."""


class JsonCues(RootModel[list[JsonCue] | CuesFile]):
    """Subtitles as JSON: a list of cues, or an object that holds it."""

    model_config = ConfigDict(title="Cues")


def read_json(text: str) -> list[Cue]:
    """The cues of a JSON file. Raises ``subtitles_unreadable`` and ``subtitles_incomplete``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JobError("subtitles_unreadable", str(error), reason="it is no valid JSON") from error
    if isinstance(value, dict):
        value = value.get("cues", value.get("segments"))
    if not isinstance(value, list):
        raise JobError("subtitles_unreadable", reason="the JSON holds no list of cues")
    cues = []
    wrong = None
    for number, item in enumerate(value, 1):
        try:
            cues.append(to_cue(JsonCue.model_validate(_with_timed_words(item))))
        except ValidationError as error:
            wrong = wrong or (number, error)
    if wrong:
        raise JobError(
            "subtitles_incomplete",
            str(wrong[1]),
            kept=len(cues),
            found=len(value),
            where=f"cue {wrong[0]}",
        ) from wrong[1]
    return cues


def _with_timed_words(item: object) -> object:
    """Recognisers leave out the times of some words, mostly numbers: those can't be highlighted."""
    if not isinstance(item, dict) or not isinstance(item.get("words"), list):
        return item
    timed = [
        word
        for word in item["words"]
        if not isinstance(word, dict) or (word.get("start"), word.get("end")) != (None, None)
    ]
    return {**item, "words": timed}


def to_cue(cue: JsonCue) -> Cue:
    return Cue(
        start=_milliseconds(cue.start),
        end=_milliseconds(cue.end),
        text=clean(cue.text),
        words=tuple(
            Word(_milliseconds(word.start), _milliseconds(word.end), clean(word.text))
            for word in cue.words or ()
        ),
        placement=Placement(cue.position) if cue.position else None,
    )


def write_json(cues: Sequence[Cue]) -> str:
    """The cues as a JSON list; looks of parts of a text are left out."""
    return json.dumps([_as_dict(cue) for cue in cues], ensure_ascii=False, indent=1)


def _as_dict(cue: Cue) -> dict[str, Any]:
    words = [
        {"start": word.start / 1000, "end": word.end / 1000, "text": word.text}
        for word in cue.words
    ]
    return {
        "start": cue.start / 1000,
        "end": cue.end / 1000,
        "text": cue.text,
        **({"words": words} if words else {}),
        **({"position": cue.placement.position} if cue.placement else {}),
    }


def _milliseconds(seconds: float) -> int:
    return floor(seconds * 1000 + 0.5)
