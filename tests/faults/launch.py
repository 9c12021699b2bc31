"""Starts the real worker with its long waits cut short: a fault takes seconds, not minutes."""

from __future__ import annotations

import sys

from worker.cli.main import main
from worker.media import ffmpeg
from worker.queue import outcome

ffmpeg.STALL_SECONDS = 3.0
outcome.FIRST_RETRY_SECONDS = 0.2

if __name__ == "__main__":
    sys.argv = ["video-worker", "run"]
    main()
