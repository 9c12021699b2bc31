"""What Storage's endpoints read of a request."""

from __future__ import annotations

from typing import Any

import jwt
from starlette.requests import Request

from devstack.database import Caller
from devstack.http import bearer_token
from devstack.keys import Keys
from devstack.storage.errors import StorageError, access_denied

# PyJWT's words for it, and those of the library that the real server uses.
_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: '"exp" claim timestamp check failed',
    jwt.InvalidSignatureError: "signature verification failed",
    jwt.DecodeError: "Invalid Compact JWS",
}


def caller_of(request: Request, keys: Keys) -> Caller:
    token = bearer_token(request)
    if token is None:
        raise _bad_request("headers must have required property 'authorization'")
    try:
        return Caller(keys.verify(token))
    except jwt.InvalidTokenError as error:
        raise access_denied(reason(error)) from error


def signed_claims(token: str | None, key: str, keys: Keys) -> dict[str, Any]:
    """The claims of a signed URL's token, if it was signed for this object."""
    if token is None:
        raise _bad_request("querystring must have required property 'token'")
    try:
        claims = keys.verify(token)
    except jwt.InvalidTokenError as error:
        raise StorageError(400, "InvalidJWT", reason(error)) from error
    if claims.get("url") != key:
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    return claims


def reason(error: jwt.InvalidTokenError) -> str:
    return next((text for kind, text in _REASONS.items() if isinstance(error, kind)), str(error))


def key_of(request: Request) -> tuple[str, str]:
    """Bucket and name of the object that the path is about."""
    return request.path_params["bucket"], request.path_params["name"]


async def json_body(request: Request, **required: type) -> dict[str, Any]:
    """The body's members; those that are named must be there, and of the type."""
    try:
        body = await request.json()
    except ValueError as error:
        raise _bad_request("body must be JSON") from error
    if not isinstance(body, dict):
        raise _bad_request("body must be object")
    for name, kind in required.items():
        if name not in body:
            raise _bad_request(f"body must have required property '{name}'")
        if kind is int and isinstance(body[name], str) and body[name].lstrip("-").isdecimal():
            body[name] = int(body[name])  # as supabase-py sends it
        if not isinstance(body[name], kind):
            raise _bad_request(f"body/{name} must be {kind.__name__}")
    return body


def _bad_request(message: str) -> StorageError:
    return StorageError(400, "InvalidRequest", message, "Error")
