"""Sessions: access tokens that live an hour, and refresh tokens that are used once."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from psycopg.rows import DictRow

from devstack.auth.errors import AuthError
from devstack.auth.users import find_user, user_json
from devstack.database import Connection
from devstack.keys import Keys

_ACCESS_TOKEN_SECONDS = 3600
# Two tabs of one browser refresh at the same moment: within this time that is not theft.
_REUSE_INTERVAL = timedelta(seconds=10)


class Sessions:
    def __init__(self, keys: Keys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer

    async def create(self, connection: Connection, user: DictRow) -> dict[str, Any]:
        """Signs the user in: a new session and its first pair of tokens."""
        cursor = await connection.execute(
            "update auth.users set last_sign_in_at = now() where id = %s returning *", [user["id"]]
        )
        user = await cursor.fetchone() or user
        session = {"id": uuid4(), "created_at": datetime.now(UTC)}
        await connection.execute(
            "insert into auth.sessions (id, user_id, created_at, updated_at, aal)"
            " values (%s, %s, %s, now(), 'aal1')",
            [session["id"], user["id"], session["created_at"]],
        )
        token = await self._issue(connection, user, session, parent=None)
        return self._response(user, session, token)

    async def refresh(self, connection: Connection, token: str) -> dict[str, Any] | AuthError:
        """Swaps a refresh token for a new pair, or says why not.

        The error is returned, not raised: a token that is used twice revokes those that came of
        it, and that has to be committed. A used token is good for its own successor as long as
        that was not used (the client never got the reply), and for a new one within the reuse
        interval.
        """
        cursor = await connection.execute(
            """
            select tokens.*, sessions.user_id as owner, sessions.created_at as session_created_at
            from auth.refresh_tokens as tokens
            join auth.sessions as sessions on sessions.id = tokens.session_id
            where token = %s for update
            """,
            [token],
        )
        used = await cursor.fetchone()
        if used is None:
            return _refused("refresh_token_not_found", "Refresh Token Not Found")
        successor = await self._unused_successor(connection, used) if used["revoked"] else None
        reusable = datetime.now(UTC) < used["updated_at"] + _REUSE_INTERVAL
        if used["revoked"] and successor is None and not reusable:
            await connection.execute(
                "update auth.refresh_tokens set revoked = true, updated_at = now()"
                " where session_id = %s",
                [used["session_id"]],
            )
            return _refused("refresh_token_already_used", "Already Used")
        user = await find_user(connection, str(used["owner"]))
        assert user is not None, "a session goes with its user"
        session = {"id": used["session_id"], "created_at": used["session_created_at"]}
        if successor is None:
            await connection.execute(
                "update auth.refresh_tokens set revoked = true, updated_at = now() where id = %s",
                [used["id"]],
            )
            successor = await self._issue(connection, user, session, parent=token)
        return self._response(user, session, successor)

    async def end(self, connection: Connection, claims: dict[str, Any], scope: str) -> None:
        """Ends this session ("local"), the user's others ("others"), or all of them ("global")."""
        ended = {
            "local": "id = %(session)s",
            "others": "user_id = %(user)s and id <> %(session)s",
            "global": "user_id = %(user)s",
        }.get(scope)
        if ended is None:
            raise AuthError(400, "validation_failed", f'Unsupported logout scope "{scope}"')
        await connection.execute(
            f"delete from auth.sessions where {ended}",
            {"session": claims.get("session_id"), "user": claims["sub"]},
        )

    async def _unused_successor(self, connection: Connection, used: DictRow) -> str | None:
        cursor = await connection.execute(
            "select token from auth.refresh_tokens where parent = %s and not revoked",
            [used["token"]],
        )
        row = await cursor.fetchone()
        return row["token"] if row else None

    async def _issue(
        self, connection: Connection, user: DictRow, session: DictRow, parent: str | None
    ) -> str:
        token = secrets.token_urlsafe(9)
        await connection.execute(
            "insert into auth.refresh_tokens"
            " (token, user_id, session_id, parent, revoked, created_at, updated_at)"
            " values (%s, %s, %s, %s, false, now(), now())",
            [token, user["id"], session["id"], parent],
        )
        return token

    def _response(self, user: DictRow, session: DictRow, refresh_token: str) -> dict[str, Any]:
        now = int(time.time())
        method = "anonymous" if user["is_anonymous"] else "password"
        claims = {
            "iss": self._issuer,
            "sub": str(user["id"]),
            "aud": user["aud"],
            "exp": now + _ACCESS_TOKEN_SECONDS,
            "iat": now,
            "email": user["email"] or "",
            "phone": user["phone"] or "",
            "app_metadata": user["raw_app_meta_data"] or {},
            "user_metadata": user["raw_user_meta_data"] or {},
            "role": user["role"],
            "aal": "aal1",
            "amr": [{"method": method, "timestamp": int(session["created_at"].timestamp())}],
            "session_id": str(session["id"]),
            "is_anonymous": user["is_anonymous"],
        }
        return {
            "access_token": self._keys.sign(claims),
            "token_type": "bearer",
            "expires_in": _ACCESS_TOKEN_SECONDS,
            "expires_at": claims["exp"],
            "refresh_token": refresh_token,
            "user": user_json(user),
        }


def _refused(code: str, reason: str) -> AuthError:
    return AuthError(400, code, f"Invalid Refresh Token: {reason}")
