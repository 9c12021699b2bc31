"""The Data API: functions, and the shape of each error."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from supabase import Client

from .conftest import Project, User
from .test_rest import error_of, run, slugs

# Functions


def test_a_function_is_called_by_name_with_named_arguments(ada: User, notes: str) -> None:
    assert run(ada.client.rpc(f"{notes}_add", {"a": 1, "b": 2})) == 3
    assert run(ada.client.rpc(f"{notes}_add", {"a": 1})) == 11
    assert run(ada.client.rpc(f"{notes}_add", {"a": 1, "b": 2}, get=True)) == 3


def test_a_function_that_returns_rows_is_filtered_like_a_table(ada: User, shelf: str) -> None:
    call = ada.client.rpc(f"{shelf}_mine", {"min_stars": 3}).select("slug").neq("slug", "hi")
    assert slugs(run(call.order("slug"))) == ["sale", "sun"]


def test_a_function_returns_values_rows_or_nothing(
    http: httpx.Client, project: Project, ada: User, shelf: str
) -> None:
    assert run(ada.client.rpc(f"{shelf}_titles"))[:2] == ["50% off, (now)", "Rain"]
    response = http.post(f"/rest/v1/rpc/{shelf}_nothing", headers=ada.headers(project), json={})
    assert (response.status_code, response.content) == (204, b"")


def test_a_function_runs_as_the_caller(ada: User, visitor: Client, notes: str) -> None:
    name = f"{notes}_whoami"
    user = {"role": "authenticated", "user_id": ada.id, "method": "POST"}
    assert run(ada.client.rpc(name)) == [user]
    assert run(visitor.rpc(name)) == [{"role": "anon", "user_id": None, "method": "POST"}]


def test_each_role_has_its_own_patience(ada: User, visitor: Client, notes: str) -> None:
    assert run(visitor.rpc(f"{notes}_timeout")) == "3s"
    assert run(ada.client.rpc(f"{notes}_timeout")) == "8s"


def test_a_function_that_changes_rows_can_not_be_called_by_get(
    http: httpx.Client, project: Project, ada: User, notes: str, database: Any
) -> None:
    database.execute(
        f"create function {notes}_write() returns void language sql"
        f" as 'insert into {notes} (title) values (''x'')'; notify pgrst, 'reload schema'"
    )
    try:
        response = http.get(f"/rest/v1/rpc/{notes}_write", headers=ada.headers(project))
        assert error_of(response) == (405, "25006")
    finally:
        database.execute(f"drop function {notes}_write()")


# Errors


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("P0001", 400),
        ("23503", 409),
        ("23505", 409),
        ("42883", 404),
        ("42501", 403),
        ("57014", 500),
        ("53100", 503),
        ("22P02", 400),
        ("PT402", 402),
    ],
)
def test_a_sqlstate_decides_the_status(
    http: httpx.Client, project: Project, ada: User, notes: str, state: str, status: int
) -> None:
    response = http.post(
        f"/rest/v1/rpc/{notes}_fail", headers=ada.headers(project), json={"state": state}
    )
    assert response.status_code == status
    assert response.json() == {
        "code": state,
        "message": "I refuse",
        "details": "a detail",
        "hint": "a hint",
    }


def test_a_function_may_decide_the_whole_reply(
    http: httpx.Client, project: Project, ada: User, notes: str
) -> None:
    response = http.post(
        f"/rest/v1/rpc/{notes}_fail_in_full", headers=ada.headers(project), json={}
    )
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json()["code"] == "quota"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nowhere_at_all", 404, "PGRST205"),
        ("rpc/nothing_at_all", 404, "PGRST202"),
        ("{notes}?stars=noop.1", 400, "PGRST100"),
        ("{notes}?stars=is.one", 400, "PGRST100"),
        ("{notes}?order=stars.sideways", 400, "PGRST100"),
        ("{notes}?or=(stars.eq.1", 400, "PGRST100"),
        ("{notes}?select=stars.sum()", 400, "PGRST123"),
        ("{notes}?select=title,others(title)", 400, "PGRST200"),
        ("{notes}?select=absent", 400, "42703"),
        ("{notes}?absent=eq.1", 400, "42703"),
        ("{notes}?stars=eq.many", 400, "22P02"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_why(
    http: httpx.Client, project: Project, ada: User, notes: str, path: str, status: int, code: str
) -> None:
    response = http.get(f"/rest/v1/{path.format(notes=notes)}", headers=ada.headers(project))
    assert error_of(response) == (status, code)


def test_a_schema_that_is_not_exposed_is_refused(
    http: httpx.Client, project: Project, admin: Client
) -> None:
    headers = {"apikey": project.secret_key, "accept-profile": "auth"}
    assert error_of(http.get("/rest/v1/users", headers=headers)) == (406, "PGRST106")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "PGRST102"),
        ('{"absent": 1}', 400, "PGRST204"),
        ('[{"title": "x"}, {"stars": 1}]', 400, "PGRST102"),
        ('{"title": "", "user_id": "00000000-0000-0000-0000-000000000000"}', 400, "23514"),
        ('{"title": null}', 400, "23502"),
        ('{"title": "x", "user_id": "00000000-0000-0000-0000-000000000000"}', 409, "23503"),
    ],
)
def test_a_body_that_can_not_be_a_row_is_refused(
    http: httpx.Client, project: Project, notes: str, body: str, status: int, code: str
) -> None:
    headers = {"apikey": project.secret_key, "content-type": "application/json"}
    assert error_of(http.post(f"/rest/v1/{notes}", headers=headers, content=body)) == (status, code)


@pytest.mark.parametrize(
    "attack",
    [
        {"select": 'title";drop table x;--'},
        {"select": "title::text);drop"},
        {"order": "title;--"},
        {"title": "eq.'; drop table x; --"},
        {"slug": 'in.("\'",\')--")'},
        {"data->'x'": "eq.1"},
        {'title" or "1"="1': "eq.1"},
        {"or": "(title.eq.') or (true)"},
        {"title%s": "eq.1"},
        {"select": "a%(p0)s:title"},
    ],
)
def test_text_never_becomes_sql(
    http: httpx.Client, project: Project, bob: User, shelf: str, attack: dict[str, str]
) -> None:
    response = http.get(f"/rest/v1/{shelf}", params=attack, headers=bob.headers(project))
    assert response.status_code in (200, 400)
    assert response.json() == [] or response.json()["code"] in ("PGRST100", "PGRST200", "42703")
