"""Why something is not done the way that was wanted but another one: no error, a word for it.

Confined processes import it (see ``start``).
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 (another way follows)
    """``reason`` is one of ``reasons``, for the user or the operator; ``detail`` is for the log."""

    reasons: ClassVar[tuple[str, ...]]

    def __init__(self, reason: str, detail: str = "") -> None:
        assert reason in self.reasons
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")
