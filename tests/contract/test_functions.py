"""Edge Functions: what a client sends, what the function sees, and what comes back."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from supabase import Client
from supabase_functions.errors import FunctionsHttpError, FunctionsRelayError

from devstack.stack import Stack

from .conftest import Project, User

HERE = Path(__file__).parent / "supabase"

pytestmark = [
    pytest.mark.skipif("SUPABASE_URL" in os.environ, reason="needs the functions of supabase/"),
    pytest.mark.usefixtures("deno"),
]


@pytest.fixture(scope="module")
def functions(project: Project) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{project.url}/functions/v1", timeout=90) as client:
        yield client


def seen(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


# The request and the reply


def test_a_request_reaches_the_function_as_it_was_sent(functions: httpx.Client) -> None:
    headers = {"x-mine": "1", "content-type": "text/plain"}
    path = "/echo/a%2Fb/c?d=e%20f&d=g"
    got = seen(functions.put(path, content="héllo".encode(), headers=headers))
    assert (got["method"], got["path"], got["body"]) == ("PUT", path, "héllo")
    assert got["headers"]["x-mine"] == "1"
    assert got["headers"]["content-type"] == "text/plain"


def test_the_reply_is_the_functions_own(functions: httpx.Client) -> None:
    response = functions.get("/echo", headers={"x-wanted-status": "418"})
    assert response.status_code == 418
    assert response.headers["x-seen-by"] == "echo"
    assert "x-relay-error" not in response.headers


def test_preflight_requests_reach_the_function(functions: httpx.Client) -> None:
    headers = {
        "origin": "https://other.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    got = functions.options("/echo", headers=headers)
    assert got.json()["method"] == "OPTIONS"
    assert got.headers.get_list("access-control-allow-origin") == ["https://app.example"]


def test_the_environment_is_that_of_supabase_and_nothing_else(
    functions: httpx.Client, project: Project
) -> None:
    environment = seen(functions.get("/echo"))["environment"]
    assert environment["SUPABASE_URL"] == project.url
    keys = json.loads(environment["SUPABASE_PUBLISHABLE_KEYS"])
    assert keys == {"default": project.publishable_key}
    secrets = json.loads(environment["SUPABASE_SECRET_KEYS"])
    assert secrets == {"default": project.secret_key}
    assert json.loads(environment["SUPABASE_JWKS"])["keys"][0]["alg"] == "ES256"
    legacy = jwt.decode(
        environment["SUPABASE_SERVICE_ROLE_KEY"], options={"verify_signature": False}
    )
    assert legacy["role"] == "service_role"
    assert not {"HOME", "PWD", "USER", "VIRTUAL_ENV"} & set(environment)


def test_there_are_no_other_functions(functions: httpx.Client) -> None:
    for name in ("absent", "off", "_shared", "..%2fcontract", ""):
        assert functions.post(f"/{name}").status_code == 404, name


# Who may call


def test_no_api_key_is_needed(functions: httpx.Client) -> None:
    assert seen(functions.post("/echo"))["headers"].get("authorization") is None


def test_opaque_keys_are_passed_on_as_they_are(functions: httpx.Client, project: Project) -> None:
    key = project.publishable_key
    headers = {"apikey": key, "authorization": f"Bearer {key}"}
    got = seen(functions.post("/echo", headers=headers))["headers"]
    assert (got["apikey"], got["authorization"]) == (key, f"Bearer {key}")


def test_the_platform_wants_a_jwt_where_nothing_else_is_said(
    functions: httpx.Client, project: Project, ada: User, notes: str
) -> None:
    no_token = functions.post("/greeter")
    assert (no_token.status_code, no_token.json()["code"]) == (401, "UNAUTHORIZED_NO_AUTH_HEADER")
    for token in (project.publishable_key, "nonsense", ada.access_token[:-4]):
        refused = functions.post("/greeter", headers={"authorization": f"Bearer {token}"})
        assert (refused.status_code, refused.json()["message"]) == (401, "Invalid JWT")
    headers = {"authorization": f"Bearer {ada.access_token}"}
    assert functions.post("/greeter", json={"table": notes}, headers=headers).status_code == 200


def test_a_function_acts_with_the_rights_of_its_caller(ada: User, bob: User, shelf: str) -> None:
    def titles(user: User) -> list[str]:
        options = {"body": {"table": shelf}, "responseType": "json"}
        answer: Any = user.client.functions.invoke("greeter", options)
        return [note["title"] for note in answer["data"]]

    assert len(titles(ada)) == 4
    assert titles(bob) == []


def test_a_function_verifies_its_caller_by_the_public_keys(
    functions: httpx.Client, project: Project, ada: User
) -> None:
    for headers in ({}, {"authorization": f"Bearer {project.publishable_key}"}):
        assert functions.post("/guarded", headers=headers).status_code == 401
    assert seen(functions.post("/guarded", headers=ada.headers(project))) == {"id": ada.id}


# What goes wrong


def test_a_function_that_does_not_start_is_an_error_of_the_platform(
    functions: httpx.Client, visitor: Client
) -> None:
    response = functions.post("/broken")
    assert (response.status_code, response.json()["code"]) == (503, "BOOT_ERROR")
    assert "this function can not start" in response.json()["message"]
    with pytest.raises(FunctionsRelayError):
        visitor.functions.invoke("broken")


def test_a_function_that_ends_is_started_again(functions: httpx.Client) -> None:
    for _ in range(2):
        response = functions.post("/crashing")
        assert (response.status_code, response.json()["code"]) == (500, "WORKER_ERROR")
        assert response.headers["x-relay-error"] == "true"


def test_supabase_py_tells_a_functions_own_error(visitor: Client) -> None:
    with pytest.raises(FunctionsHttpError):
        visitor.functions.invoke("echo", {"headers": {"x-wanted-status": "400"}})


# While it is written


def test_a_changed_file_is_served_at_the_next_request(tmp_path: Path) -> None:
    project = tmp_path / "supabase"
    file = project / "functions" / "mine" / "index.ts"
    file.parent.mkdir(parents=True)
    (project / "config.toml").write_text("[functions.mine]\nverify_jwt = false\n")
    (project / "functions" / ".env").write_text("ANSWER=42\n")
    with (
        Stack.start(directory=tmp_path / "stack", project_dir=project) as stack,
        httpx.Client(base_url=stack.url, timeout=90) as http,
    ):
        for word in ("one", "two"):
            file.write_text(f'Deno.serve(() => new Response("{word}" + Deno.env.get("ANSWER")))')
            assert http.get("/functions/v1/mine").text == f"{word}42"
        log = tmp_path / "stack" / "functions" / "mine.log"
        address = re.findall(r"http://127\.0\.0\.1:\d+", log.read_text())[-1]
        assert httpx.get(address).text == "two42"
    with suppress(httpx.TransportError):  # unless someone else has got the port since
        assert httpx.get(address).text != "two42"


def test_without_deno_the_rest_of_the_stack_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, **at: None if name == "deno" else which(name, **at)
    )
    with (
        Stack.start(directory=tmp_path / "stack", project_dir=HERE) as stack,
        httpx.Client(base_url=stack.url, headers={"apikey": stack.publishable_key}) as http,
    ):
        response = http.get("/functions/v1/echo")
        assert (response.status_code, response.json()["code"]) == (503, "DENO_MISSING")
        assert "pip install deno" in response.json()["message"]
        assert http.get("/auth/v1/health").status_code == 200
