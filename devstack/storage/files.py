"""Files on disk: one per version of an object, under a name that no client chooses.

Bytes arrive in `incoming/`, and become a version by a rename once they are whole. Versions never
change, so that a download goes on from the same bytes while the object is replaced.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from uuid import uuid4


class Files:
    def __init__(self, directory: Path) -> None:
        self._versions = directory / "objects"
        self._incoming = directory / "incoming"
        self.resumable = directory / "resumable"
        for path in (self._versions, self._incoming, self.resumable):
            path.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

    def path(self, version: str) -> Path:
        # Rows can be written by SQL: what they say is no more than the name of a file.
        return self._versions / Path(version).name

    def receive(self) -> Incoming:
        return Incoming(self._incoming / str(uuid4()))

    def keep(self, arrived: Path) -> str:
        """Makes a version of a file that is whole."""
        version = str(uuid4())
        arrived.rename(self.path(version))
        return version

    def copy(self, version: str) -> str:
        """A second version with the same bytes: a hard link, as neither will ever change."""
        copied = str(uuid4())
        os.link(self.path(version), self.path(copied))
        return copied

    def remove(self, version: str) -> None:
        self.path(version).unlink(missing_ok=True)


class Incoming:
    """A file that is being received: gone at the end of the `with`, unless it was kept before.

    Writing 64 KiB to the page cache takes less time than handing it to a thread would.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._file = path.open("xb")

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._md5.update(chunk)
        self.size += len(chunk)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)
