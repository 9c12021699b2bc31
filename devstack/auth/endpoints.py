"""/auth/v1: email confirmation is off, so that signing up signs in."""

from __future__ import annotations

from typing import Any

import jwt
import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.auth.errors import AuthError, render
from devstack.auth.passwords import check_strength, hash_password, verify_password
from devstack.auth.sessions import Sessions
from devstack.auth.users import create_user, find_user, user_json
from devstack.database import AUTH_ADMIN, Connection, Database
from devstack.http import Json, bearer_token
from devstack.keys import Keys

_ADMIN_ROLES = {"service_role", "supabase_admin"}


def create_app(database: Database, keys: Keys, issuer: str) -> Starlette:
    auth = _Auth(database, keys, Sessions(keys, issuer))
    return Starlette(
        routes=[
            Route("/health", auth.health),
            Route("/.well-known/jwks.json", auth.jwks),
            Route("/settings", auth.settings),
            Route("/signup", auth.sign_up, methods=["POST"]),
            Route("/token", auth.token, methods=["POST"]),
            Route("/logout", auth.log_out, methods=["POST"]),
            Route("/user", auth.get_user, methods=["GET"]),
            Route("/user", auth.update_user, methods=["PUT"]),
            Route("/admin/users", auth.admin_list_users, methods=["GET"]),
            Route("/admin/users", auth.admin_create_user, methods=["POST"]),
            Route("/admin/users/{user_id}", auth.admin_get_user, methods=["GET"]),
            Route("/admin/users/{user_id}", auth.admin_delete_user, methods=["DELETE"]),
        ],
        exception_handlers={AuthError: render, psycopg.DataError: _render_data_error},
    )


class _Auth:
    def __init__(self, database: Database, keys: Keys, sessions: Sessions) -> None:
        self._database = database
        self._keys = keys
        self._sessions = sessions

    async def health(self, request: Request) -> Response:
        return Json({"name": "GoTrue", "version": "devstack", "description": "GoTrue stand-in"})

    async def jwks(self, request: Request) -> Response:
        return Json(self._keys.jwks, headers={"cache-control": "public, max-age=600"})

    async def settings(self, request: Request) -> Response:
        return Json(
            {
                "external": {"email": True, "phone": False, "anonymous_users": True},
                "disable_signup": False,
                "mailer_autoconfirm": True,
                "phone_autoconfirm": False,
            }
        )

    async def sign_up(self, request: Request) -> Response:
        body = await _body(request)
        email, password = _text(body, "email"), _text(body, "password")
        if email is None and password is not None:
            raise AuthError(400, "validation_failed", "Signup requires a valid email address")
        if email is not None and password is None:
            raise AuthError(400, "validation_failed", "Signup requires a valid password")
        async with self._database.transaction(AUTH_ADMIN) as connection:
            user = await create_user(
                connection,
                email=email,
                password=password,
                user_metadata=body.get("data") or {},
                if_taken=AuthError(422, "user_already_exists", "User already registered"),
            )
            return Json(await self._sessions.create(connection, user))

    async def token(self, request: Request) -> Response:
        body = await _body(request)
        grant_type = request.query_params.get("grant_type")
        async with self._database.transaction(AUTH_ADMIN) as connection:
            if grant_type == "password":
                outcome = await self._sign_in(connection, body)
            elif grant_type == "refresh_token":
                token = _text(body, "refresh_token") or ""
                outcome = await self._sessions.refresh(connection, token)
            else:
                outcome = AuthError(400, "invalid_credentials", "unsupported_grant_type")
        if isinstance(outcome, AuthError):
            raise outcome
        return Json(outcome)

    async def _sign_in(
        self, connection: Connection, body: dict[str, Any]
    ) -> dict[str, Any] | AuthError:
        cursor = await connection.execute(
            "select * from auth.users where lower(email) = lower(%s) and deleted_at is null",
            [_text(body, "email")],
        )
        user = await cursor.fetchone()
        password = _text(body, "password") or ""
        if user is None or not await verify_password(password, user["encrypted_password"]):
            return AuthError(400, "invalid_credentials", "Invalid login credentials")
        if user["email_confirmed_at"] is None:
            return AuthError(400, "email_not_confirmed", "Email not confirmed")
        return await self._sessions.create(connection, user)

    async def log_out(self, request: Request) -> Response:
        claims = self._claims(request)
        async with self._database.transaction(AUTH_ADMIN) as connection:
            await self._user_of(connection, claims)
            scope = request.query_params.get("scope", "global")
            await self._sessions.end(connection, claims, scope)
        return Response(status_code=204)

    async def get_user(self, request: Request) -> Response:
        async with self._database.transaction(AUTH_ADMIN) as connection:
            return Json(user_json(await self._user_of(connection, self._claims(request))))

    async def update_user(self, request: Request) -> Response:
        body = await _body(request)
        if unsupported := set(body) & {"email", "phone"}:
            message = f"devstack does not change {unsupported}: it sends no confirmations"
            raise AuthError(422, "validation_failed", message)
        async with self._database.transaction(AUTH_ADMIN) as connection:
            user = await self._user_of(connection, self._claims(request))
            if password := _text(body, "password"):
                check_strength(password)
                if await verify_password(password, user["encrypted_password"]):
                    message = "New password should be different from the old password."
                    raise AuthError(422, "same_password", message)
                await connection.execute(
                    "update auth.users set encrypted_password = %s where id = %s",
                    [await hash_password(password), user["id"]],
                )
            cursor = await connection.execute(
                "update auth.users set updated_at = now(),"
                " raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || %s"
                " where id = %s returning *",
                [Jsonb(body.get("data") or {}), user["id"]],
            )
            return Json(user_json(await cursor.fetchone() or user))

    async def admin_create_user(self, request: Request) -> Response:
        self._require_admin(request)
        body = await _body(request)
        if _text(body, "email") is None:
            message = "Cannot create a user without either an email or phone"
            raise AuthError(400, "validation_failed", message)
        async with self._database.transaction(AUTH_ADMIN) as connection:
            user = await create_user(
                connection,
                email=_text(body, "email"),
                password=_text(body, "password"),
                user_metadata=body.get("user_metadata") or {},
                app_metadata=body.get("app_metadata"),
                confirmed=bool(body.get("email_confirm")),
                if_taken=AuthError(
                    422,
                    "email_exists",
                    "A user with this email address has already been registered",
                ),
            )
            return Json(user_json(user))

    async def admin_list_users(self, request: Request) -> Response:
        self._require_admin(request)
        try:
            page = max(1, int(request.query_params.get("page") or 1))
            per_page = max(1, int(request.query_params.get("per_page") or 50))
        except ValueError as error:
            message = f"Bad Pagination Parameters: {error}"
            raise AuthError(400, "validation_failed", message) from error
        async with self._database.transaction(AUTH_ADMIN) as connection:
            cursor = await connection.execute("select count(*) as total from auth.users")
            total = (await cursor.fetchone() or {})["total"]
            cursor = await connection.execute(
                "select * from auth.users order by created_at desc, id limit %s offset %s",
                [per_page, (page - 1) * per_page],
            )
            users = [user_json(user) for user in await cursor.fetchall()]
        last = max(1, -(-total // per_page))
        links = [("next", page + 1)] * (page < last) + [("last", last)]
        link = ", ".join(
            f'</admin/users?page={number}&per_page={per_page}>; rel="{name}"'
            for name, number in links
        )
        return Json(
            {"users": users, "aud": "authenticated"},
            headers={"x-total-count": str(total), "link": link},
        )

    async def admin_get_user(self, request: Request) -> Response:
        self._require_admin(request)
        async with self._database.transaction(AUTH_ADMIN) as connection:
            return Json(user_json(await _existing_user(connection, request)))

    async def admin_delete_user(self, request: Request) -> Response:
        self._require_admin(request)
        if (await _body(request)).get("should_soft_delete"):
            raise AuthError(422, "validation_failed", "devstack does not delete users softly")
        async with self._database.transaction(AUTH_ADMIN) as connection:
            user = await _existing_user(connection, request)
            try:
                await connection.execute("delete from auth.users where id = %s", [user["id"]])
            except psycopg.Error as error:
                # A foreign key of the project's that does not cascade, or a trigger.
                message = "Database error deleting user"
                raise AuthError(500, "unexpected_failure", message) from error
        return Json({})

    def _claims(self, request: Request) -> dict[str, Any]:
        token = bearer_token(request)
        if token is None:
            raise AuthError(401, "no_authorization", "This endpoint requires a Bearer token")
        try:
            return self._keys.verify(token)
        except jwt.InvalidTokenError as error:
            message = f"invalid JWT: unable to parse or verify signature, {error}"
            raise AuthError(403, "bad_jwt", message) from error

    def _require_admin(self, request: Request) -> None:
        if self._claims(request).get("role") not in _ADMIN_ROLES:
            raise AuthError(403, "not_admin", "User not allowed")

    async def _user_of(self, connection: Connection, claims: dict[str, Any]) -> DictRow:
        """The user whom an access token was issued to, while its session lives."""
        if not claims.get("sub"):
            raise AuthError(403, "bad_jwt", "invalid claim: missing sub claim")
        user = await find_user(connection, claims["sub"])
        if user is None:
            message = "User from sub claim in JWT does not exist"
            raise AuthError(403, "user_not_found", message)
        if session_id := claims.get("session_id"):
            cursor = await connection.execute(
                "select from auth.sessions where id = %s", [session_id]
            )
            if await cursor.fetchone() is None:
                message = "Session from session_id claim in JWT does not exist"
                raise AuthError(403, "session_not_found", message)
        return user


def _render_data_error(request: Request, error: Exception) -> Response:
    # Text that no column can hold.
    return render(request, AuthError(400, "validation_failed", str(error)))


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = await request.json()
    except ValueError as error:
        message = f"Could not parse request body as JSON: {error}"
        raise AuthError(400, "bad_json", message) from error
    if not isinstance(body, dict):
        raise AuthError(400, "bad_json", "Could not parse request body as JSON: not an object")
    return body


def _text(body: dict[str, Any], name: str) -> str | None:
    """A member of the body as text; None if it is absent or empty."""
    return str(body.get(name) or "") or None


async def _existing_user(connection: Connection, request: Request) -> DictRow:
    user = await find_user(connection, request.path_params["user_id"])
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    return user
