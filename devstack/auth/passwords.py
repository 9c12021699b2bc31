"""Password hashes by scrypt from the standard library (Supabase Auth uses bcrypt)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

from devstack.auth.errors import AuthError

_MIN_LENGTH = 6
_PREFIX = "scrypt"


async def hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    digest = await _scrypt(password, salt)
    return "$".join((_PREFIX, b64encode(salt).decode(), b64encode(digest).decode()))


async def verify_password(password: str, encoded: str | None) -> bool:
    """False also for users without a password, and for hashes that were made elsewhere."""
    prefix, *parts = (encoded or "").split("$")
    if prefix != _PREFIX:
        return False
    salt, expected = (b64decode(part) for part in parts)
    return hmac.compare_digest(await _scrypt(password, salt), expected)


def check_strength(password: str) -> None:
    if len(password) < _MIN_LENGTH:
        message = f"Password should be at least {_MIN_LENGTH} characters."
        raise AuthError(422, "weak_password", message, weak_password={"reasons": ["length"]})


async def _scrypt(password: str, salt: bytes) -> bytes:
    # Some 30 ms of work: not on the event loop.
    return await asyncio.to_thread(
        hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32
    )
