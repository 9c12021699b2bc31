"""/upload/resumable: TUS 1.0.0 with creation, creation-with-upload, creation-defer-length,
termination and expiration. Protocol: https://tus.io/protocols/resumable-upload

Unlike the rest of Storage it answers with true statuses and plain text. Hosted Supabase documents
that every chunk but the last must have 6 MiB, and does not document what it says to others; this
server refuses them (400), so that a client that breaks the rule fails here already. What a broken
connection brought of a chunk is kept: the offset to go on from need not be a multiple of 6 MiB.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import formatdate
from functools import wraps

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack.keys import Keys
from devstack.storage.bodies import Description, parse_metadata
from devstack.storage.errors import StorageError, invalid_request, resource_locked
from devstack.storage.limits import MAX_OBJECT_BYTES, Bucket
from devstack.storage.requests import caller_of, signed_claims
from devstack.storage.resumable import Upload, Uploads
from devstack.storage.store import Store, Target

CHUNK_BYTES = 6 * 1024**2

_VERSION = "1.0.0"
_CONTENT_TYPE = "application/offset+octet-stream"
_EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,expiration"
_LOCK_SECONDS = 10

_Endpoint = Callable[..., Awaitable[Response]]


def _tus(endpoint: _Endpoint) -> _Endpoint:
    """Checks the protocol's version, and renders errors as TUS clients expect them."""

    @wraps(endpoint)
    async def wrapped(self: Tus, request: Request) -> Response:
        try:
            if request.method != "OPTIONS" and request.headers.get("tus-resumable") != _VERSION:
                raise StorageError(412, "TusError", "Tus-Resumable Required")
            response = await endpoint(self, request)
        except StorageError as error:
            response = PlainTextResponse(error.message, error.status)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody is there to read this
        response.headers["tus-resumable"] = _VERSION
        return response

    return wrapped


class Tus:
    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self._uploads = Uploads(store.files.resumable)

    def routes(self) -> list[Route]:
        routes = []
        for base in ("/upload/resumable/sign", "/upload/resumable"):
            routes += [
                Route(base, self.options, methods=["OPTIONS"]),
                Route(base, self.create, methods=["POST"]),
                Route(f"{base}/{{id}}", self.options, methods=["OPTIONS"]),
                Route(f"{base}/{{id}}", self.head, methods=["HEAD"]),
                Route(f"{base}/{{id}}", self.patch, methods=["PATCH"]),
                Route(f"{base}/{{id}}", self.terminate, methods=["DELETE"]),
            ]
        return routes

    @_tus
    async def options(self, request: Request) -> Response:
        return Response(
            status_code=204,
            headers={
                "tus-version": _VERSION,
                "tus-extension": _EXTENSIONS,
                "tus-max-size": str(MAX_OBJECT_BYTES),
            },
        )

    @_tus
    async def create(self, request: Request) -> Response:
        metadata = _metadata(request.headers.get("upload-metadata", ""))
        bucket_id, name = metadata.get("bucketName", ""), metadata.get("objectName", "")
        length = _number(request, "upload-length")
        if (length is None) != (request.headers.get("upload-defer-length") == "1"):
            raise invalid_request("Upload-Length or Upload-Defer-Length header required")
        bucket = await self._store.bucket(bucket_id)
        target = await self._admitted(request, bucket_id, name)
        _require_size(bucket, length or 0)
        if mime_type := metadata.get("contentType"):
            bucket.require_mime_type(mime_type)
        upload = self._uploads.create(
            bucket_id,
            name,
            length,
            request.headers["upload-metadata"],
            _description(metadata),
        )
        # Of the path as it was asked for: /upload/resumable, or .../sign.
        location = f"{str(request.url).partition('?')[0].rstrip('/')}/{upload.id}"
        headers = {"location": location}
        if length == 0 or request.headers.get("content-type") == _CONTENT_TYPE:
            headers |= await self._receive(request, bucket, target, upload)
        return Response(status_code=201, headers={**headers, **_expires(upload)})

    @_tus
    async def head(self, request: Request) -> Response:
        async with self._locked(request) as upload:
            if _is_signed(request):
                self._signed_target(request, upload.bucket, upload.name)
            else:
                caller_of(request, self._keys)
            headers = {
                "cache-control": "no-store",
                "upload-offset": str(self._uploads.offset(upload)),
                "upload-metadata": upload.metadata,
                **_expires(upload),
            }
        if upload.length is None:
            headers["upload-defer-length"] = "1"
        else:
            headers["upload-length"] = str(upload.length)
        return Response(headers=headers)

    @_tus
    async def patch(self, request: Request) -> Response:
        if request.headers.get("content-type") != _CONTENT_TYPE:
            raise StorageError(415, "TusError", f"Content-Type must be {_CONTENT_TYPE}")
        async with self._locked(request) as upload:
            target = await self._admitted(request, upload.bucket, upload.name)
            bucket = await self._store.bucket(upload.bucket)
            offset = _number(request, "upload-offset")
            if upload.complete or offset != self._uploads.offset(upload):
                raise StorageError(409, "TusError", "Upload-Offset conflict")
            upload = self._with_length(request, bucket, upload)
            headers = await self._receive(request, bucket, target, upload)
        return Response(status_code=204, headers={**headers, **_expires(upload)})

    @_tus
    async def terminate(self, request: Request) -> Response:
        async with self._locked(request) as upload:
            await self._admitted(request, upload.bucket, upload.name)
            if upload.complete:
                raise invalid_request("Cannot terminate an already completed upload")
            self._uploads.remove(upload)
        return Response(status_code=204)

    @asynccontextmanager
    async def _locked(self, request: Request) -> AsyncIterator[Upload]:
        """The upload that the request is about, once no earlier request is about it.

        A client that lost its connection may be back before the server has noticed. What the old
        request still brought counts, so that the offset is told or checked after it.
        """
        upload_id = request.path_params["id"]
        lock = self._uploads.lock(upload_id)
        try:
            await asyncio.wait_for(lock.acquire(), _LOCK_SECONDS)
        except TimeoutError:
            raise resource_locked() from None
        try:
            yield self._uploads.find(upload_id)
        finally:
            lock.release()

    async def _admitted(self, request: Request, bucket: str, name: str) -> Target:
        """Where the upload goes, if the signature or the caller's policies allow it."""
        if _is_signed(request):
            return self._signed_target(request, bucket, name)
        caller = caller_of(request, self._keys)
        target = Target(bucket, name, caller.id, request.headers.get("x-upsert") == "true")
        operation = "create" if request.method == "POST" else "part"
        await self._store.admit(target, caller, f"tus.upload.{operation}")
        return target

    def _signed_target(self, request: Request, bucket: str, name: str) -> Target:
        signature = request.headers.get("x-signature")
        if signature is None:
            raise StorageError(400, "InvalidSignature", "Missing x-signature header")
        claims = signed_claims(signature, f"{bucket}/{name}", self._keys)
        return Target(bucket, name, claims.get("owner"), bool(claims.get("upsert")))

    def _with_length(self, request: Request, bucket: Bucket, upload: Upload) -> Upload:
        """The upload with the length that its client deferred, once the client knows it."""
        length = _number(request, "upload-length")
        if length is None or upload.length is not None:
            return upload
        _require_size(bucket, length)
        upload = replace(upload, length=length)
        self._uploads.save(upload)
        return upload

    async def _receive(
        self, request: Request, bucket: Bucket, target: Target, upload: Upload
    ) -> dict[str, str]:
        """Appends the body, and makes it the object's content when it is the last of it."""
        part, start = self._uploads.part(upload), self._uploads.offset(upload)
        limit = bucket.max_bytes if upload.length is None else upload.length
        announced = _number(request, "content-length")
        if announced is not None:
            _require_chunk(upload, start, announced)
        size = start
        with part.open("ab") as file:
            try:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > limit:
                        raise StorageError(413, "TusError", "Maximum size exceeded")
                    file.write(chunk)
                _require_chunk(upload, start, size - start)
            except StorageError:
                file.truncate(start)
                raise
        headers = {"upload-offset": str(size)}
        if size == upload.length:
            md5 = await self._uploads.md5(upload)
            version = self._store.files.keep(part)
            await self._store.complete(target, upload.description, version, md5)
            self._uploads.finish(upload)
            headers["tus-complete"] = "1"
        return headers


def _require_chunk(upload: Upload, offset: int, size: int) -> None:
    is_last = offset + size == upload.length
    if size != CHUNK_BYTES and not is_last:
        raise invalid_request(
            f"Every chunk but the last must have exactly {CHUNK_BYTES} bytes, this one has {size}"
        )


def _require_size(bucket: Bucket, length: int) -> None:
    if length > bucket.max_bytes:
        raise StorageError(413, "TusError", "Maximum size exceeded")


def _is_signed(request: Request) -> bool:
    return "/upload/resumable/sign/" in request.scope["path"] + "/"


def _number(request: Request, header: str) -> int | None:
    text = request.headers.get(header)
    if text is None:
        return None
    if not text.isdecimal():
        raise invalid_request(f"{header} invalid")
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """`key base64,key base64`; a key may have no value."""
    try:
        pairs = (item.strip().partition(" ") for item in header.split(",") if item.strip())
        return {key: b64decode(value, validate=True).decode() for key, _, value in pairs}
    except ValueError as error:
        raise invalid_request("Upload-Metadata is invalid") from error


def _description(metadata: dict[str, str]) -> Description:
    seconds = metadata.get("cacheControl", "")
    return Description(
        metadata.get("contentType", "application/octet-stream"),
        f"max-age={seconds}" if seconds.isdecimal() else "no-cache",
        parse_metadata(metadata.get("metadata", "")),
    )


def _expires(upload: Upload) -> dict[str, str]:
    return {"upload-expires": formatdate(upload.expires_at, usegmt=True)}
