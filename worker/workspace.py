"""Folders for jobs in work: one per process, one per job in it, and nothing left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from worker.errors import ConfigurationError, JobError, size

log = structlog.get_logger()

LOCK = ".lock"
OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RESERVE_BYTES = 200 << 20


class Workspace:
    """This process's folder below ``root``. A lock file that the kernel frees when the process dies
    tells a dead worker's folder from a living one's; dead ones are removed at the start.

    Raises ``ConfigurationError`` when the folder can't be made.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.folder = root / name
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if root.stat().st_uid not in (os.getuid(), 0):
                raise PermissionError(f"{root} belongs to somebody else")
            for folder in root.iterdir():
                _remove_if_dead(folder)
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            raise ConfigurationError(
                f"WORKER_WORK_DIR can't be used: {error}. Name a folder that this user may write."
            ) from error
        self._lock = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    @contextmanager
    def job_folder(self, name: str) -> Iterator[Path]:
        """A folder that is gone afterwards; a full disk inside becomes ``disk_full``."""
        folder = self.folder / name
        try:
            folder.mkdir()
            yield folder
        except OSError as error:
            if error.errno in OUT_OF_SPACE:
                raise JobError("disk_full", str(error)) from error
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def require_space(self, needed: int) -> None:
        """Raises ``disk_full`` unless ``needed`` bytes, and a reserve, are free."""
        free = shutil.disk_usage(self.folder).free
        if free < needed + RESERVE_BYTES:
            raise JobError(
                "disk_full",
                f"{size(free)} free in {self.folder.parent}, {size(needed + RESERVE_BYTES)} needed",
            )


def _remove_if_dead(folder: Path) -> None:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return  # not one of ours, or just being made
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # its worker lives
    finally:
        os.close(lock)
    log.warning("workspace.swept", folder=folder.name)
    shutil.rmtree(folder, ignore_errors=True)
