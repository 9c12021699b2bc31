"""API keys and CORS: what happens before any service is reached."""

from __future__ import annotations

import httpx
import pytest

from .conftest import Project, User

ANY_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize("path", ["/rest/v1/anything", "/auth/v1/settings"])
def test_a_request_without_an_api_key_is_refused(http: httpx.Client, path: str) -> None:
    response = http.get(path)
    assert response.status_code == 401
    assert response.json()["message"] == "No API key found in request"


@pytest.mark.parametrize("key", ["sb_publishable_of_another_project", "eyJ.not.ours", ""])
def test_a_key_of_another_project_is_refused(http: httpx.Client, key: str) -> None:
    response = http.get("/auth/v1/settings", headers={"apikey": key})
    assert response.status_code == 401


def test_an_opaque_key_is_no_bearer_token(http: httpx.Client, project: Project) -> None:
    headers = {"authorization": f"Bearer {project.secret_key}"}
    assert http.get("/auth/v1/admin/users", headers=headers).status_code == 401


def test_an_opaque_key_may_stand_in_both_headers(http: httpx.Client, project: Project) -> None:
    headers = {
        "apikey": project.secret_key,
        "authorization": f"Bearer {project.secret_key}",
    }
    assert http.get("/auth/v1/admin/users", headers=headers).status_code == 200


def test_the_secret_key_alone_is_enough(http: httpx.Client, project: Project) -> None:
    response = http.get("/auth/v1/admin/users", headers={"apikey": project.secret_key})
    assert response.status_code == 200


def test_the_publishable_key_is_no_admin(http: httpx.Client, project: Project) -> None:
    response = http.get("/auth/v1/admin/users", headers={"apikey": project.publishable_key})
    assert response.status_code == 403


def test_a_secret_key_is_refused_in_a_browser(http: httpx.Client, project: Project) -> None:
    headers = {"apikey": project.secret_key, "user-agent": ANY_BROWSER}
    response = http.get("/auth/v1/settings", headers=headers)
    assert response.status_code == 401
    assert "secret API key in browser" in response.json()["message"]


def test_a_forged_user_token_is_refused(http: httpx.Client, project: Project, ada: User) -> None:
    head, payload, signature = ada.access_token.split(".")
    forged = f"{head}.{payload}.{signature[::-1]}"
    headers = {"apikey": project.publishable_key, "authorization": f"Bearer {forged}"}
    assert http.get("/rest/v1/anything", headers=headers).status_code == 401
    assert http.get("/auth/v1/user", headers=headers).json()["error_code"] == "bad_jwt"


@pytest.mark.parametrize("path", ["/rest/v1/x", "/auth/v1/token", "/storage/v1/object/b/o"])
def test_any_page_may_call_every_service(http: httpx.Client, path: str) -> None:
    wanted = "authorization,apikey,x-client-info,content-type,prefer,range,x-upsert,tus-resumable"
    preflight = http.options(
        path,
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "PATCH",
            "access-control-request-headers": wanted,
        },
    )
    assert preflight.is_success
    assert preflight.headers["access-control-allow-origin"] in ("*", "https://app.example")
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert allowed == "*" or all(name in allowed for name in wanted.split(","))


def test_a_page_can_read_what_it_needs_of_a_refusal(http: httpx.Client) -> None:
    response = http.get("/rest/v1/anything", headers={"origin": "https://app.example"})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] in ("*", "https://app.example")
