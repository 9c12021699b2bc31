"""Users and sessions, driven by the `supabase` client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import jwt
import psycopg
import pytest
from psycopg.rows import TupleRow
from supabase import AuthApiError, AuthWeakPasswordError, Client

from .conftest import PASSWORD, Project, User


@pytest.fixture
def email() -> str:
    return f"{uuid4().hex}@example.com"


@pytest.fixture
def settings(project: Project, http: httpx.Client) -> dict[str, object]:
    headers = {"apikey": project.publishable_key}
    body: dict[str, object] = http.get("/auth/v1/settings", headers=headers).json()
    return body


@pytest.fixture
def newcomer(admin: Client, email: str) -> Iterator[str]:
    """The email address of a user who was made for this test."""
    created = admin.auth.admin.create_user(
        {"email": email, "password": PASSWORD, "email_confirm": True}
    )
    yield email
    admin.auth.admin.delete_user(created.user.id)


def claims_of(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def code_of(call: Callable[[], object]) -> tuple[int, str | None]:
    with pytest.raises(AuthApiError) as caught:
        call()
    return caught.value.status, caught.value.code


def test_signing_up_signs_in(
    visitor: Client, admin: Client, email: str, settings: dict[str, object]
) -> None:
    if not settings["mailer_autoconfirm"]:
        pytest.skip("this project confirms email addresses")
    answer = visitor.auth.sign_up(
        {"email": email, "password": PASSWORD, "options": {"data": {"name": "Ada"}}}
    )
    assert answer.user is not None
    assert answer.session is not None
    assert answer.user.user_metadata["name"] == "Ada"
    assert answer.user.app_metadata["provider"] == "email"
    current = visitor.auth.get_user()
    assert current is not None
    assert current.user.email == email
    taken = code_of(lambda: visitor.auth.sign_up({"email": email, "password": PASSWORD}))
    assert taken == (422, "user_already_exists")
    admin.auth.admin.delete_user(answer.user.id)


def test_an_anonymous_user_is_a_user(
    visitor: Client, admin: Client, settings: dict[str, object]
) -> None:
    external = settings["external"]
    if not (isinstance(external, dict) and external.get("anonymous_users")):
        pytest.skip("this project has no anonymous sign-in")
    answer = visitor.auth.sign_in_anonymously()
    assert answer.user is not None
    assert answer.session is not None
    assert answer.user.is_anonymous
    claims = claims_of(answer.session.access_token)
    assert (claims["role"], claims["is_anonymous"]) == ("authenticated", True)
    admin.auth.admin.delete_user(answer.user.id)


def test_an_access_token_says_who_it_is_for(ada: User, project: Project) -> None:
    claims = claims_of(ada.access_token)
    assert claims["sub"] == ada.id
    assert claims["email"] == ada.email
    assert claims["iss"] == f"{project.url}/auth/v1"
    assert (claims["aud"], claims["role"]) == ("authenticated", "authenticated")
    assert (claims["aal"], claims["is_anonymous"]) == ("aal1", False)
    assert {"exp", "iat", "session_id", "amr", "app_metadata", "user_metadata"} <= claims.keys()


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_an_unknown_user_look_the_same(
    visitor: Client, ada: User, known: bool
) -> None:
    address = ada.email if known else "nobody@example.com"
    refused = code_of(
        lambda: visitor.auth.sign_in_with_password({"email": address, "password": "wrong"})
    )
    assert refused == (400, "invalid_credentials")


def test_a_weak_password_is_refused(visitor: Client, email: str) -> None:
    with pytest.raises(AuthWeakPasswordError) as caught:
        visitor.auth.sign_up({"email": email, "password": "short"})
    assert "length" in caught.value.reasons


def test_an_impossible_email_address_is_refused(visitor: Client) -> None:
    status, _ = code_of(
        lambda: visitor.auth.sign_up({"email": "not an address", "password": PASSWORD})
    )
    assert status == 400


def test_errors_have_the_first_shape_without_an_api_version(
    http: httpx.Client, project: Project
) -> None:
    response = http.post(
        "/auth/v1/token?grant_type=password",
        headers={"apikey": project.publishable_key},
        json={"email": "nobody@example.com", "password": "wrong"},
    )
    assert response.status_code == 400
    assert response.json() == {
        "code": 400,
        "error_code": "invalid_credentials",
        "msg": "Invalid login credentials",
    }


def test_a_body_that_is_no_json_is_refused(http: httpx.Client, project: Project) -> None:
    response = http.post(
        "/auth/v1/signup", headers={"apikey": project.publishable_key}, content=b"{"
    )
    assert (response.status_code, response.json()["error_code"]) == (400, "bad_json")


def test_a_refresh_token_is_swapped_for_a_new_one(visitor: Client, newcomer: str) -> None:
    visitor.auth.sign_in_with_password({"email": newcomer, "password": PASSWORD})
    first = visitor.auth.get_session()
    second = visitor.auth.refresh_session().session
    assert first is not None
    assert second is not None
    assert second.refresh_token != first.refresh_token
    assert (
        claims_of(second.access_token)["session_id"] == claims_of(first.access_token)["session_id"]
    )


def test_a_client_that_lost_the_reply_gets_the_same_token_again(
    visitor: Client, newcomer: str
) -> None:
    session = visitor.auth.sign_in_with_password({"email": newcomer, "password": PASSWORD}).session
    assert session is not None
    lost, again = (visitor.auth.refresh_session(session.refresh_token).session for _ in range(2))
    assert lost is not None
    assert again is not None
    assert again.refresh_token == lost.refresh_token


def test_a_token_that_was_used_long_ago_is_refused(
    visitor: Client, newcomer: str, database: psycopg.Connection[TupleRow]
) -> None:
    session = visitor.auth.sign_in_with_password({"email": newcomer, "password": PASSWORD}).session
    assert session is not None
    stolen = session.refresh_token
    for _ in range(2):
        visitor.auth.refresh_session()
    database.execute(
        "update auth.refresh_tokens set updated_at = now() - interval '1 hour' where token = %s",
        [stolen],
    )
    refused = (400, "refresh_token_already_used")
    assert code_of(lambda: visitor.auth.refresh_session(stolen)) == refused


def test_an_unknown_refresh_token_is_refused(visitor: Client) -> None:
    refused = code_of(lambda: visitor.auth.refresh_session("abcdefghijkl"))
    assert refused == (400, "refresh_token_not_found")


def test_signing_out_ends_the_session(
    visitor: Client, http: httpx.Client, project: Project, newcomer: str
) -> None:
    session = visitor.auth.sign_in_with_password({"email": newcomer, "password": PASSWORD}).session
    assert session is not None
    visitor.auth.sign_out()
    headers = {
        "apikey": project.publishable_key,
        "authorization": f"Bearer {session.access_token}",
    }
    response = http.get("/auth/v1/user", headers=headers)
    assert (response.status_code, response.json()["error_code"]) == (403, "session_not_found")
    assert code_of(lambda: visitor.auth.refresh_session(session.refresh_token))[0] == 400


def test_a_user_can_change_password_and_metadata(visitor: Client, newcomer: str) -> None:
    visitor.auth.sign_in_with_password({"email": newcomer, "password": PASSWORD})
    visitor.auth.update_user({"data": {"theme": "dark"}})
    same = code_of(lambda: visitor.auth.update_user({"password": PASSWORD}))
    assert same == (422, "same_password")
    visitor.auth.update_user({"password": "another long password"})
    signed_in = visitor.auth.sign_in_with_password(
        {"email": newcomer, "password": "another long password"}
    )
    assert signed_in.user is not None
    assert signed_in.user.user_metadata["theme"] == "dark"


def test_an_admin_sees_all_users_page_by_page(
    http: httpx.Client, project: Project, ada: User, bob: User
) -> None:
    headers = {"apikey": project.secret_key}
    seen: list[str] = []
    for page in range(1, 1000):
        response = http.get(f"/auth/v1/admin/users?page={page}&per_page=1", headers=headers)
        users = response.json()["users"]
        if not users:
            break
        assert len(users) == 1
        seen.append(users[0]["id"])
        assert int(response.headers["x-total-count"]) >= 2
    assert {ada.id, bob.id} <= set(seen)
    assert len(seen) == len(set(seen))


def test_an_email_address_is_given_once(admin: Client, ada: User) -> None:
    taken = code_of(lambda: admin.auth.admin.create_user({"email": ada.email}))
    assert taken == (422, "email_exists")


def test_an_unconfirmed_user_can_not_sign_in(admin: Client, visitor: Client, email: str) -> None:
    created = admin.auth.admin.create_user({"email": email, "password": PASSWORD})
    refused = code_of(
        lambda: visitor.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    )
    assert refused == (400, "email_not_confirmed")
    admin.auth.admin.delete_user(created.user.id)


def test_a_deleted_user_is_gone_with_the_rows_that_are_theirs(
    admin: Client, email: str, notes: str, database: psycopg.Connection[TupleRow]
) -> None:
    user = admin.auth.admin.create_user({"email": email}).user
    admin.table(notes).insert({"title": "doomed", "user_id": user.id}).execute()
    admin.auth.admin.delete_user(user.id)
    assert code_of(lambda: admin.auth.admin.get_user_by_id(user.id)) == (404, "user_not_found")
    assert not admin.table(notes).select("id").eq("user_id", user.id).execute().data


def test_a_user_who_is_no_admin_can_not_manage_users(ada: User) -> None:
    refused = code_of(lambda: ada.client.auth.admin.list_users())
    assert refused[0] == 403


# Public keys


def test_everybody_can_verify_a_users_token(http: httpx.Client, ada: User) -> None:
    keys = jwt.PyJWKSet.from_dict(http.get("/auth/v1/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(ada.access_token)["kid"]]
    claims = jwt.decode(ada.access_token, key, audience="authenticated")
    assert claims["sub"] == ada.id
    assert "d" not in http.get("/auth/v1/.well-known/jwks.json").text.split('"')


def test_supabase_py_verifies_claims_by_itself(ada: User) -> None:
    response = ada.client.auth.get_claims()
    assert response is not None
    assert response["claims"]["sub"] == ada.id
    assert response["headers"]["alg"] == "ES256"
