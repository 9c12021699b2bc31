"""What is known of a resumable upload between two requests: on disk, to survive a restart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4
from weakref import WeakValueDictionary

from devstack.storage.bodies import Description
from devstack.storage.errors import no_such_upload

# After this an upload that was not finished is forgotten, as on hosted Supabase.
LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Upload:
    """An upload; `length` is None as long as the client defers it. `metadata` is as it was sent."""

    bucket: str
    name: str
    version: str
    length: int | None
    metadata: str
    description: Description
    expires_at: float
    complete: bool = False

    @property
    def id(self) -> str:
        """What the upload's URL ends with, in the shape of the real server's."""
        text = f"{self.bucket}/{self.name}/{self.version}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Uploads:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        for file in directory.iterdir():
            if file.stat().st_mtime < time.time() - LIFETIME_SECONDS:
                file.unlink()

    def create(
        self, bucket: str, name: str, length: int | None, metadata: str, description: Description
    ) -> Upload:
        expires_at = time.time() + LIFETIME_SECONDS
        upload = Upload(bucket, name, str(uuid4()), length, metadata, description, expires_at)
        self.part(upload).touch()
        self.save(upload)
        return upload

    def find(self, upload_id: str) -> Upload:
        """Raises StorageError if there is no such upload, or no longer."""
        try:
            padded = upload_id + "=" * (-len(upload_id) % 4)
            version = urlsafe_b64decode(padded).decode().rpartition("/")[2]
            saved = json.loads(self._file(version, "json").read_text())
        except (ValueError, FileNotFoundError) as error:
            raise no_such_upload() from error
        upload = Upload(**{**saved, "description": Description(**saved["description"])})
        if upload.id != upload_id or upload.expires_at < time.time():
            raise no_such_upload()
        return upload

    def save(self, upload: Upload) -> None:
        self._file(upload.version, "json").write_text(json.dumps(asdict(upload)))

    def finish(self, upload: Upload) -> None:
        """Keeps what a client that lost the last reply will ask for."""
        self.save(replace(upload, complete=True))

    def remove(self, upload: Upload) -> None:
        self._file(upload.version, "json").unlink(missing_ok=True)
        self.part(upload).unlink(missing_ok=True)

    def offset(self, upload: Upload) -> int:
        if upload.complete:
            return upload.length or 0
        try:
            return self.part(upload).stat().st_size
        except FileNotFoundError:
            # All bytes came, and then they could not be made an object.
            raise no_such_upload() from None

    def part(self, upload: Upload) -> Path:
        """The file with the bytes received so far."""
        return self._file(upload.version, "part")

    async def md5(self, upload: Upload) -> str:
        def digest() -> str:
            with self.part(upload).open("rb") as file:
                return hashlib.file_digest(file, "md5").hexdigest()

        return await asyncio.to_thread(digest)

    def lock(self, upload_id: str) -> asyncio.Lock:
        """Requests about one upload come one after the other, in the order of their arrival."""
        return self._locks.setdefault(upload_id, asyncio.Lock())

    def _file(self, version: str, suffix: str) -> Path:
        # `version` may come from a URL: no more than a file name of it is used.
        return self._directory / f"{Path(version).name}.{suffix}"
