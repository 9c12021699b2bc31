"""What a user may ask for: the model behind column ``options``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from worker.errors import JobError
from worker.media.style import Style


class Options(BaseModel):
    """Column `options` of a job."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    style: Style = Style()
    """The look of the subtitles."""


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
