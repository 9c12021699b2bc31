"""The body of an upload: raw bytes, or a form with the file as one of its parts.

Either way the bytes go to disk as they come, and never more than a chunk of them is in memory.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from devstack.storage.errors import invalid_request
from devstack.storage.files import Incoming
from devstack.storage.limits import Bucket

_MAX_FIELD_BYTES = 1024**2


@dataclass(frozen=True)
class Description:
    """What the client says of the file."""

    mime_type: str
    cache_control: str
    user_metadata: dict[str, Any] | None


async def receive_upload(request: Request, bucket: Bucket, file: Incoming) -> Description:
    """Writes the body to `file`. Raises StorageError as soon as the bucket does not admit it."""
    # A form is somewhat longer than the file in it.
    bucket.require_size(int(request.headers.get("content-length", 0)) - _MAX_FIELD_BYTES)
    content_type = request.headers.get("content-type", "application/octet-stream")
    if content_type.startswith("multipart/form-data"):
        return await _receive_form(request, bucket, file)
    bucket.require_mime_type(content_type)
    async for chunk in request.stream():
        file.write(chunk)
        bucket.require_size(file.size)
    return Description(
        content_type,
        request.headers.get("cache-control", "no-cache"),
        parse_metadata(request.headers.get("x-metadata", ""), is_base64=True),
    )


async def _receive_form(request: Request, bucket: Bucket, file: Incoming) -> Description:
    try:
        form = _Form(request, bucket, file)
        async for chunk in request.stream():
            form.feed(chunk)
    except FormParserError as error:
        raise invalid_request(f"The form can't be read: {error}") from error
    if form.mime_type is None or not form.is_whole:
        raise invalid_request("No content provided")
    seconds = form.fields.get("cacheControl")
    return Description(
        form.mime_type,
        f"max-age={seconds}" if seconds else "no-cache",
        parse_metadata(form.fields.get("metadata", "")),
    )


class _Form:
    """Sorts the parts of a form: that with a file name goes to `file`, the others to `fields`."""

    def __init__(self, request: Request, bucket: Bucket, file: Incoming) -> None:
        _, options = parse_options_header(request.headers["content-type"])
        self._bucket = bucket
        self._file = file
        self._headers: dict[str, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._field: str | None = None
        self._value = b""
        self.fields: dict[str, str] = {}
        self.mime_type: str | None = None
        self.is_whole = False
        self._parser = MultipartParser(
            options.get(b"boundary", b""),
            {
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.decode().lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        if b"filename" in options:
            self._field = None
            type_of_part = self._headers.get("content-type", b"application/octet-stream")
            self.mime_type = type_of_part.decode()
            self._bucket.require_mime_type(self.mime_type)
        else:
            self._field = options.get(b"name", b"").decode()
        self._headers = {}
        self._value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._file.write(data[start:end])
            self._bucket.require_size(self._file.size)
        else:
            self._value += data[start:end]
            if len(self._value) > _MAX_FIELD_BYTES:
                raise invalid_request(f"The form field {self._field} is too long")

    def _on_part_end(self) -> None:
        if self._field is not None:
            self.fields[self._field] = self._value.decode()

    def _on_end(self) -> None:
        self.is_whole = True


def parse_metadata(text: str, *, is_base64: bool = False) -> dict[str, Any] | None:
    """The client's own metadata of the file; like the real server, it drops what is no object."""
    try:
        metadata = json.loads(b64decode(text) if is_base64 else text)
    except ValueError:
        return None
    return metadata if isinstance(metadata, dict) else None
