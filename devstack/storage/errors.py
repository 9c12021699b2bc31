"""Errors as Supabase Storage words them.

A quirk that clients rely on: the status in the body is the true one, over HTTP it is 400 (500 stays
500). Resumable uploads use true statuses, see storage/tus.py.
"""

from __future__ import annotations

import logging

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import Request

from devstack.http import Json

_log = logging.getLogger(__name__)


class StorageError(Exception):
    """`code` is the error's name, `error` what older clients know it by."""

    def __init__(self, status: int, code: str, message: str, error: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.error = error or code


def render(request: Request, error: Exception) -> Json:
    assert isinstance(error, StorageError)
    if error.status >= 500:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
    body = {
        "statusCode": str(error.status),
        "error": error.error,
        "message": error.message,
        "code": error.code,
    }
    return Json(body, error.status if error.status >= 500 else 400)


def from_database(error: psycopg.Error) -> StorageError:
    message = str(error)
    match error.sqlstate:
        case "42501":
            if "row-level security" in message:
                message = "new row violates row-level security policy"
            return access_denied(message)
        case "23505":
            return already_exists()
        case "23503":
            return StorageError(404, "InvalidRequest", "The related resource does not exist")
        case "55P03":
            return resource_locked()
        case "57014":
            return database_timeout()
    if isinstance(error, PoolTimeout):
        return database_timeout()
    if isinstance(error, psycopg.DataError):
        return invalid_request(message)
    return StorageError(500, "DatabaseError", f"database error, code: {error.sqlstate}")


def no_such_bucket() -> StorageError:
    return StorageError(404, "NoSuchBucket", "Bucket not found", "Bucket not found")


def no_such_key() -> StorageError:
    return StorageError(404, "NoSuchKey", "Object not found", "not_found")


def no_such_upload() -> StorageError:
    return StorageError(404, "NoSuchUpload", "The file for this url was not found")


def already_exists() -> StorageError:
    return StorageError(409, "ResourceAlreadyExists", "The resource already exists", "Duplicate")


def access_denied(message: str) -> StorageError:
    return StorageError(403, "AccessDenied", message, "Unauthorized")


def too_large() -> StorageError:
    message = "The object exceeded the maximum allowed size"
    return StorageError(413, "EntityTooLarge", message, "Payload too large")


def invalid_mime_type(mime_type: str) -> StorageError:
    message = f"mime type {mime_type} is not supported"
    return StorageError(415, "InvalidMimeType", message, "invalid_mime_type")


def invalid_request(message: str) -> StorageError:
    return StorageError(400, "InvalidRequest", message)


def invalid_key(key: str) -> StorageError:
    return StorageError(400, "InvalidKey", f"Invalid key: {key}")


def resource_locked() -> StorageError:
    return StorageError(423, "ResourceLocked", "The resource is locked")


def database_timeout() -> StorageError:
    return StorageError(544, "DatabaseTimeout", "The connection to the database timed out")
