"""The Data API: reading and writing rows as the caller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from postgrest import CountMethod
from supabase import Client, PostgrestAPIError

from .conftest import Project, User

ONE_OBJECT = {"accept": "application/vnd.pgrst.object+json"}


@pytest.fixture
def url(notes: str) -> str:
    return f"/rest/v1/{notes}"


def run(query: Any) -> Any:
    """What a query of the client's comes to, without the client's own type of JSON."""
    return query.execute().data


def slugs(rows: Any) -> list[str]:
    return [row["slug"] for row in rows]


def error_of(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert body.keys() == {"code", "details", "hint", "message"}
    return response.status_code, body["code"]


# Reading


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("slug=eq.rain", ["rain"]),
        ("slug=neq.rain", ["hi", "sale", "sun"]),
        ("stars=gt.3", ["sale", "sun"]),
        ("stars=gte.3&stars=lt.5", ["hi", "sun"]),
        ("stars=lte.1", ["rain"]),
        ("title=like.*ai*", ["rain"]),
        ("title=ilike.s*", ["hi", "sun"]),
        ("title=eq.50% off, (now)", ["sale"]),
        ('title=in.("50% off, (now)","say \\"hi\\"")', ["hi", "sale"]),
        ("stars=in.(1,4)", ["rain", "sun"]),
        ("stars=in.()", []),
        ("stars=not.in.(1,4)", ["hi", "sale"]),
        ("data=is.null", ["hi"]),
        ("data=not.is.null&stars=eq.5", ["sale"]),
        ("data=is.not_null&stars=eq.1", ["rain"]),
        ("tags=cs.{b}", ["rain", "sale"]),
        ("tags=cd.{b,c}", ["hi", "sale", "sun"]),
        ("tags=ov.{a,c}", ["rain", "sun"]),
        ("data->n->>m=eq.7", ["rain"]),
        ("data->n->0=eq.1", ["sale"]),
        ('data=cs.{"n":"text"}', ["sun"]),
        ("or=(stars.eq.1,stars.eq.5)", ["rain", "sale"]),
        ("or=(slug.eq.sun,and(stars.gt.2,data.is.null))", ["hi", "sun"]),
        ("not.or=(stars.eq.1,stars.eq.5)", ["hi", "sun"]),
        ("and=(stars.gt.1,not.or(slug.eq.hi,tags.cs.{b}))", ["sun"]),
        ('or=(title.eq."50% off, (now)",stars.in.(3))', ["hi", "sale"]),
    ],
)
def test_filters_choose_rows(
    http: httpx.Client, project: Project, ada: User, shelf: str, filters: str, expected: list[str]
) -> None:
    parameters = httpx.QueryParams(filters).merge({"select": "slug", "order": "slug"})
    response = http.get(f"/rest/v1/{shelf}", params=parameters, headers=ada.headers(project))
    assert response.status_code == 200, response.text
    assert slugs(response.json()) == expected


def test_a_select_names_renames_casts_and_digs(ada: User, shelf: str) -> None:
    query = ada.client.table(shelf).select("name:title, stars::text, data->n->m, t:tags->>0")
    assert run(query.eq("slug", "rain").single()) == {
        "name": "Rain",
        "stars": "1",
        "m": 7,
        "t": "a",
    }


def test_an_order_may_have_many_keys_and_say_where_nulls_go(
    http: httpx.Client, project: Project, ada: User, shelf: str
) -> None:
    def ordered(order: str) -> list[str]:
        parameters = {"select": "slug", "order": order}
        response = http.get(f"/rest/v1/{shelf}", params=parameters, headers=ada.headers(project))
        return slugs(response.json())

    assert ordered("stars.desc") == ["sale", "sun", "hi", "rain"]
    assert ordered("data->>n.desc.nullslast,slug")[-1] == "hi"
    assert ordered("data->>n.nullsfirst")[0] == "hi"


def test_a_page_says_where_it_is(
    ada: User, shelf: str, http: httpx.Client, project: Project
) -> None:
    page = (
        ada.client.table(shelf)
        .select("slug", count=CountMethod.exact)
        .order("stars")
        .range(1, 2)
        .execute()
    )
    assert (slugs(page.data), page.count) == (["hi", "sun"], 4)

    def ranges(**headers: str) -> tuple[int, str]:
        response = http.get(
            f"/rest/v1/{shelf}?select=slug&order=stars", headers={**ada.headers(project), **headers}
        )
        return response.status_code, response.headers["content-range"]

    assert ranges() == (200, "0-3/*")
    assert ranges(prefer="count=exact") == (200, "0-3/4")
    assert ranges(prefer="count=exact", range="0-1") == (206, "0-1/4")
    assert ranges(prefer="count=exact", range="3-") == (206, "3-3/4")


def test_a_page_past_the_end_is_refused_when_the_end_is_known(
    http: httpx.Client, project: Project, ada: User, shelf: str
) -> None:
    headers = {**ada.headers(project), "prefer": "count=exact"}
    assert error_of(http.get(f"/rest/v1/{shelf}?offset=9", headers=headers)) == (416, "PGRST103")
    beyond = http.get(f"/rest/v1/{shelf}?offset=9", headers=ada.headers(project))
    assert (beyond.status_code, beyond.json()) == (200, [])


def test_head_counts_without_a_body(ada: User, shelf: str) -> None:
    answer = (
        ada.client.table(shelf)
        .select("*", count=CountMethod.exact, head=True)
        .gt("stars", 3)
        .execute()
    )
    assert (answer.count, answer.data) == (2, [])


def test_one_object_is_asked_for_and_no_other_number_comes(
    http: httpx.Client, project: Project, ada: User, shelf: str
) -> None:
    headers = {**ada.headers(project), **ONE_OBJECT}
    one = http.get(f"/rest/v1/{shelf}?slug=eq.sun", headers=headers)
    assert one.json()["title"] == "Sun"
    assert one.headers["content-type"].startswith(ONE_OBJECT["accept"])
    for filters, count in (("slug=eq.none", 0), ("stars=gt.3", 2)):
        response = http.get(f"/rest/v1/{shelf}?{filters}", headers=headers)
        assert error_of(response) == (406, "PGRST116")
        assert response.json()["details"] == f"The result contains {count} rows"


def test_numbers_and_times_arrive_as_the_database_writes_them(ada: User, shelf: str) -> None:
    big = 9007199254740993
    ada.client.table(shelf).update({"data": {"big": big, "pi": 3.10}}).eq("slug", "hi").execute()
    row = run(ada.client.table(shelf).select("data, created_at").eq("slug", "hi").single())
    assert row["data"] == {"big": big, "pi": 3.1}
    assert row["created_at"].endswith("+00:00")


# Who may


def test_users_see_their_own_rows_only(ada: User, bob: User, admin: Client, shelf: str) -> None:
    assert len(run(ada.client.table(shelf).select("id"))) == 4
    assert run(bob.client.table(shelf).select("id")) == []
    assert len(run(admin.table(shelf).select("id"))) == 4


def test_users_change_their_own_rows_only(ada: User, bob: User, shelf: str) -> None:
    assert run(bob.client.table(shelf).update({"stars": 0}).eq("slug", "sun")) == []
    assert run(bob.client.table(shelf).delete().eq("slug", "sun")) == []
    assert run(ada.client.table(shelf).select("stars").eq("slug", "sun").single()) == {"stars": 4}


def test_a_row_for_somebody_else_violates_the_policy(ada: User, bob: User, notes: str) -> None:
    with pytest.raises(PostgrestAPIError) as caught:
        ada.client.table(notes).insert({"title": "x", "user_id": bob.id}).execute()
    assert caught.value.code == "42501"
    assert caught.value.message is not None
    assert "row-level security" in caught.value.message


def test_a_missing_right_is_401_for_visitors_and_403_for_users(
    http: httpx.Client, project: Project, ada: User, bob: User, url: str
) -> None:
    visitor = http.get(url, headers={"apikey": project.publishable_key})
    assert error_of(visitor) == (401, "42501")
    user = http.post(url, headers=ada.headers(project), json={"title": "x", "user_id": bob.id})
    assert error_of(user) == (403, "42501")


# Writing


def test_an_insert_answers_with_no_more_than_it_is_asked_for(
    http: httpx.Client, project: Project, ada: User, url: str, shelf: str
) -> None:
    def insert(slug: str, prefer: str | None) -> httpx.Response:
        headers = ada.headers(project) | ({"prefer": prefer} if prefer else {})
        return http.post(f"{url}?select=slug", headers=headers, json={"title": "t", "slug": slug})

    silent = insert("one", None)
    assert (silent.status_code, silent.content) == (201, b"")
    assert insert("two", "return=minimal").content == b""
    assert insert("three", "return=representation").json() == [{"slug": "three"}]
    location = insert("four", "return=headers-only").headers["location"]
    stored = http.get(f"/rest/v1{location}", headers=ada.headers(project))
    assert slugs(stored.json()) == ["four"]


def test_many_rows_are_inserted_at_once_or_not_at_all(ada: User, notes: str, shelf: str) -> None:
    good, bad = {"title": "x", "slug": "fresh"}, {"title": "y", "slug": "sun"}
    with pytest.raises(PostgrestAPIError) as caught:
        ada.client.table(notes).insert([good, bad]).execute()
    assert caught.value.code == "23505"
    assert run(ada.client.table(notes).select("id").eq("slug", "fresh")) == []


def test_absent_members_are_null_or_the_default_as_preferred(ada: User, shelf: str) -> None:
    rows: list[dict[str, Any]] = [{"title": "x", "stars": 1}, {"title": "y"}]
    inserted = run(ada.client.table(shelf).insert(rows, default_to_null=False))
    assert [row["stars"] for row in inserted] == [1, 3]
    with pytest.raises(PostgrestAPIError) as caught:
        ada.client.table(shelf).insert(rows).execute()
    assert caught.value.code == "23502"


def test_an_upsert_merges_or_ignores(ada: User, shelf: str) -> None:
    changed = {"title": "Sunny", "slug": "sun"}
    table = ada.client.table(shelf)
    assert run(table.upsert(changed, on_conflict="slug", ignore_duplicates=True)) == []
    merged = run(ada.client.table(shelf).upsert(changed, on_conflict="slug"))
    assert [(row["title"], row["stars"]) for row in merged] == [("Sunny", 4)]


def test_an_update_changes_the_rows_that_match(ada: User, shelf: str) -> None:
    updated = run(ada.client.table(shelf).update({"stars": 2, "tags": ["z"]}).gt("stars", 3))
    assert sorted(slugs(updated)) == ["sale", "sun"]
    assert all((row["stars"], row["tags"]) == (2, ["z"]) for row in updated)


def test_a_delete_removes_the_rows_that_match(ada: User, shelf: str) -> None:
    assert slugs(run(ada.client.table(shelf).delete().eq("slug", "hi"))) == ["hi"]
    assert len(run(ada.client.table(shelf).select("id"))) == 3


def test_a_change_of_one_object_that_meets_more_is_undone(
    http: httpx.Client, project: Project, ada: User, url: str, shelf: str
) -> None:
    headers = {**ada.headers(project), **ONE_OBJECT, "prefer": "return=representation"}
    response = http.patch(f"{url}?stars=gt.3", headers=headers, json={"stars": 0})
    assert error_of(response) == (406, "PGRST116")
    assert len(run(ada.client.table(shelf).select("id").eq("stars", 0))) == 0


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_of_all_rows_is_refused(
    http: httpx.Client, project: Project, ada: User, url: str, method: str
) -> None:
    response = http.request(method, url, headers=ada.headers(project), json={"stars": 1})
    assert error_of(response) == (400, "21000")
