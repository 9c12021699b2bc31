"""Whom a channel belongs to: the claims of the JWT that it was joined with."""

from __future__ import annotations

import time

import jwt

from devstack.database import Caller
from devstack.keys import Keys


class TokenError(Exception):
    """A JWT that opens no channel; `code` and message as Realtime words them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def confirm_token(keys: Keys, token: str) -> Caller:
    """Raises TokenError."""
    try:
        claims = keys.verify(token)
    except jwt.ExpiredSignatureError as error:
        expired = jwt.decode(token, options={"verify_signature": False})["exp"]
        message = f"Token has expired {int(time.time() - expired)} seconds ago"
        raise TokenError("InvalidJWTToken", message) from error
    except jwt.DecodeError as error:
        if isinstance(error, jwt.InvalidSignatureError):
            raise TokenError("JwtSignatureError", "Failed to validate JWT signature") from error
        raise TokenError("MalformedJWT", "The token provided is not a valid JWT") from error
    except jwt.InvalidTokenError as error:
        raise TokenError("JwtSignatureError", "Failed to validate JWT signature") from error
    if "role" not in claims or "exp" not in claims:
        raise TokenError("InvalidJWTToken", "Fields `role` and `exp` are required in JWT")
    return Caller(claims)
