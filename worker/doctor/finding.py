"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """``check`` is its stable name. ``ok``: a fact that is as it should be; ``warning``: it works,
    but not as well or as safely as it could; ``error``: jobs fail or nothing runs."""

    check: str
    level: Literal["ok", "warning", "error"]
    what: str
    why: str = ""
    mend: str = ""


def ok(check: str, what: str) -> Finding:
    return Finding(check, "ok", what)


def warning(check: str, what: str, why: str, mend: str) -> Finding:
    return Finding(check, "warning", what, why, mend)


def error(check: str, what: str, why: str, mend: str) -> Finding:
    return Finding(check, "error", what, why, mend)
