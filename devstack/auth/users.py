"""Rows of auth.users, and the JSON that clients see of them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from devstack.auth.errors import AuthError
from devstack.auth.passwords import check_strength, hash_password
from devstack.database import Connection

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


async def create_user(
    connection: Connection,
    *,
    email: str | None,
    password: str | None,
    user_metadata: dict[str, Any],
    app_metadata: dict[str, Any] | None = None,
    confirmed: bool = True,
    if_taken: AuthError,
) -> DictRow:
    """Inserts a user; one without an email address is anonymous.

    Raises AuthError: `if_taken` where another user has the email address.
    """
    if email is not None:
        email = email.strip().lower()
        if not _EMAIL.fullmatch(email):
            raise AuthError(
                400, "validation_failed", "Unable to validate email address: invalid format"
            )
    if password is not None:
        check_strength(password)
    provider = {"provider": "email", "providers": ["email"]} if email else {}
    try:
        cursor = await connection.execute(
            """
            insert into auth.users (
              instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
              raw_app_meta_data, raw_user_meta_data, is_anonymous, created_at, updated_at
            ) values (
              '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated',
              'authenticated', %(email)s, %(password_hash)s, case when %(confirmed)s then now() end,
              %(app_metadata)s, %(user_metadata)s, %(anonymous)s, now(), now()
            ) returning *
            """,
            {
                "email": email,
                "password_hash": await hash_password(password) if password else None,
                "confirmed": confirmed and email is not None,
                "app_metadata": Jsonb({**provider, **(app_metadata or {})}),
                "user_metadata": Jsonb(user_metadata),
                "anonymous": email is None,
            },
        )
    except psycopg.Error as error:
        if error.diag.constraint_name == "users_email_partial_key":
            raise if_taken from error
        # A trigger that the project itself put on auth.users failed.
        raise AuthError(500, "unexpected_failure", "Database error saving new user") from error
    user = await cursor.fetchone()
    assert user is not None
    return user


async def find_user(connection: Connection, user_id: str) -> DictRow | None:
    try:
        UUID(user_id)
    except ValueError:
        return None
    cursor = await connection.execute("select * from auth.users where id = %s", [user_id])
    return await cursor.fetchone()


def user_json(user: DictRow) -> dict[str, Any]:
    return {
        "id": user["id"],
        "aud": user["aud"],
        "role": user["role"],
        "email": user["email"] or "",
        "email_confirmed_at": user["email_confirmed_at"],
        "phone": user["phone"] or "",
        "confirmed_at": user["confirmed_at"],
        "last_sign_in_at": user["last_sign_in_at"],
        "app_metadata": user["raw_app_meta_data"] or {},
        "user_metadata": user["raw_user_meta_data"] or {},
        "identities": _identities(user),
        "created_at": user["created_at"],
        "updated_at": user["updated_at"],
        "is_anonymous": user["is_anonymous"],
    }


def _identities(user: DictRow) -> list[dict[str, Any]]:
    """One identity for a user with an email address; there are no other providers here."""
    if not user["email"]:
        return []
    return [
        {
            "identity_id": user["id"],
            "id": user["id"],
            "user_id": user["id"],
            "identity_data": {"email": user["email"], "sub": user["id"]},
            "provider": "email",
            "last_sign_in_at": user["last_sign_in_at"],
            "created_at": user["created_at"],
            "updated_at": user["updated_at"],
            "email": user["email"],
        }
    ]
