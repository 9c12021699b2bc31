"""What a bucket or an object may be called, and what a bucket admits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from devstack.storage.errors import (
    StorageError,
    invalid_key,
    invalid_mime_type,
    invalid_request,
    too_large,
)

# The most that any bucket admits; on hosted Supabase it depends on the plan, up to 50 GB.
MAX_OBJECT_BYTES = 50 * 1024**3

_MAX_KEY_BYTES = 1024
# Any Unicode but controls, what S3 advises against, and characters that can't be seen.
_KEY = re.compile(
    r'[^\x00-\x1f\x7f-\x9f#\[\]{}^`"<>\\|%~'
    "\u034f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+"
)
_DOT_SEGMENT = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
_BUCKET_NAME = re.compile(r"[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(gb|mb|kb|b)", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


@dataclass(frozen=True)
class Bucket:
    id: str
    public: bool
    file_size_limit: int | None
    allowed_mime_types: list[str] | None

    @property
    def max_bytes(self) -> int:
        return min(self.file_size_limit or MAX_OBJECT_BYTES, MAX_OBJECT_BYTES)

    def require_size(self, size: int) -> None:
        if size > self.max_bytes:
            raise too_large()

    def require_mime_type(self, mime_type: str) -> None:
        """Allowed types may end in a wildcard (`video/*`)."""
        essence = mime_type.partition(";")[0].strip().lower()
        if not self.allowed_mime_types:
            return
        wildcards = (essence, f"{essence.partition('/')[0]}/*", "*/*")
        if not any(allowed.lower() in wildcards for allowed in self.allowed_mime_types):
            raise invalid_mime_type(mime_type)


def require_key(key: str) -> None:
    is_valid = _KEY.fullmatch(key) and not _DOT_SEGMENT.search(key)
    if not is_valid or len(key.encode()) > _MAX_KEY_BYTES:
        raise invalid_key(key)


def require_bucket_name(name: str) -> None:
    if not _BUCKET_NAME.fullmatch(name):
        raise StorageError(400, "InvalidBucketName", "Bucket name invalid", "Invalid Input")


def parse_size(value: int | str | None) -> int | None:
    """A number of bytes, or text such as "20MB"."""
    if value is None or isinstance(value, int):
        return value
    if value.isdecimal():
        return int(value)
    match = _SIZE.fullmatch(value)
    if match is None:
        raise invalid_request("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B")
    return round(float(match[1]) * _UNITS[match[2].lower()])
