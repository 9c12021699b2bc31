"""Storage: objects, with policies as the only judge of who may."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from storage3.exceptions import StorageApiError
from supabase import Client

from .conftest import BODY, Project, User

ETAG = f'"{hashlib.md5(BODY).hexdigest()}"'


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """The true status of a refused call, and what the client calls its code."""
    with pytest.raises(StorageApiError) as caught:
        call()
    return str(caught.value.status), caught.value.code


def get(
    http: httpx.Client, project: Project, user: User, key: str, **headers: str
) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.get(f"/storage/v1/object/{key}", headers={**user.headers(project), **names})


# Objects


def test_what_was_uploaded_comes_back(ada: User, bucket: str, name: str) -> None:
    assert ada.client.storage.from_(bucket).download(name) == BODY


def test_an_object_is_described_by_its_headers_and_its_info(
    ada: User, bucket: str, name: str, http: httpx.Client, project: Project
) -> None:
    response = get(http, project, ada, f"{bucket}/{name}")
    assert response.headers["content-type"] == "video/x-test"
    assert response.headers["content-length"] == str(len(BODY))
    assert response.headers["cache-control"] == "max-age=60"
    assert response.headers["etag"] == ETAG
    assert response.headers["accept-ranges"] == "bytes"
    assert "last-modified" in response.headers
    info = ada.client.storage.from_(bucket).info(name)
    assert (info["name"], info["size"], info["content_type"]) == (name, len(BODY), "video/x-test")
    assert (info["etag"], info["metadata"]) == (ETAG, {"take": 2})


def test_head_is_get_without_the_body(
    ada: User, bucket: str, name: str, http: httpx.Client, project: Project
) -> None:
    url = f"/storage/v1/object/{bucket}/{name}"
    response = http.head(url, headers=ada.headers(project))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(BODY))
    missing = http.head(f"{url}.absent", headers=ada.headers(project))
    assert missing.status_code == 400


@pytest.mark.parametrize(
    ("asked", "expected", "content_range"),
    [
        ("bytes=10-19", BODY[10:20], "bytes 10-19/10240"),
        ("bytes=10000-", BODY[10000:], "bytes 10000-10239/10240"),
        ("bytes=-5", BODY[-5:], "bytes 10235-10239/10240"),
        ("bytes=10000-99999", BODY[10000:], "bytes 10000-10239/10240"),
    ],
)
def test_a_range_brings_a_part(
    ada: User,
    bucket: str,
    name: str,
    http: httpx.Client,
    project: Project,
    asked: str,
    expected: bytes,
    content_range: str,
) -> None:
    response = get(http, project, ada, f"{bucket}/{name}", range=asked)
    assert (response.status_code, response.content) == (206, expected)
    assert response.headers["content-range"] == content_range
    assert response.headers["content-length"] == str(len(expected))


def test_a_range_past_the_end_is_refused(
    ada: User, bucket: str, name: str, http: httpx.Client, project: Project
) -> None:
    response = get(http, project, ada, f"{bucket}/{name}", range=f"bytes={len(BODY)}-")
    assert response.status_code == 400
    assert response.json()["statusCode"] == "416"


def test_a_range_of_an_object_that_changed_brings_all_of_it(
    ada: User, bucket: str, name: str, http: httpx.Client, project: Project
) -> None:
    part = get(http, project, ada, f"{bucket}/{name}", range="bytes=0-3", if_range=ETAG)
    assert part.status_code == 206
    whole = get(http, project, ada, f"{bucket}/{name}", range="bytes=0-3", if_range='"other"')
    assert (whole.status_code, whole.content) == (200, BODY)


def test_a_client_that_has_it_is_told_so(
    ada: User, bucket: str, name: str, http: httpx.Client, project: Project
) -> None:
    response = get(http, project, ada, f"{bucket}/{name}", if_none_match=ETAG)
    assert (response.status_code, response.content) == (304, b"")
    assert get(http, project, ada, f"{bucket}/{name}", if_none_match='"other"').content == BODY
    assert get(http, project, ada, f"{bucket}/{name}", if_match=ETAG).content == BODY
    changed = get(http, project, ada, f"{bucket}/{name}", if_match='"other"')
    assert (changed.status_code, changed.json()["statusCode"]) == (400, "412")


def test_an_object_is_replaced_only_if_that_is_asked_for(ada: User, bucket: str, name: str) -> None:
    files = ada.client.storage.from_(bucket)
    assert refusal(lambda: files.upload(name, b"new")) == ("409", "Duplicate")
    assert files.download(name) == BODY
    files.upload(name, b"new", {"upsert": "true"})
    assert files.download(name) == b"new"
    files.update(name, b"newer")
    assert files.download(name) == b"newer"


def test_http_says_400_whatever_the_body_says(
    ada: User, bucket: str, name: str, http: httpx.Client, project: Project
) -> None:
    url = f"/storage/v1/object/{bucket}"
    duplicate = http.post(f"{url}/{name}", headers=ada.headers(project), content=b"x")
    missing = http.get(f"{url}/{name}.absent", headers=ada.headers(project))
    forbidden = http.post(f"{url}/elsewhere", headers=ada.headers(project), content=b"x")
    bodies = [response.json() for response in (duplicate, missing, forbidden)]
    assert [response.status_code for response in (duplicate, missing, forbidden)] == [400] * 3
    assert [(body["statusCode"], body["error"], body["message"]) for body in bodies] == [
        ("409", "Duplicate", "The resource already exists"),
        ("404", "not_found", "Object not found"),
        ("403", "Unauthorized", "new row violates row-level security policy"),
    ]


def test_raw_bytes_are_an_upload_too(
    ada: User, bucket: str, folder: str, http: httpx.Client, project: Project
) -> None:
    response = http.post(
        f"/storage/v1/object/{bucket}/{folder}/raw.txt",
        headers={
            **ada.headers(project),
            "content-type": "text/plain;charset=UTF-8",
            "cache-control": "max-age=7",
        },
        content="Grüße".encode(),
    )
    assert response.json().keys() == {"Id", "Key"}
    assert response.json()["Key"] == f"{bucket}/{folder}/raw.txt"
    stored = get(http, project, ada, f"{bucket}/{folder}/raw.txt")
    assert stored.text == "Grüße"
    assert stored.headers["content-type"] == "text/plain;charset=UTF-8"
    assert stored.headers["cache-control"] == "max-age=7"


def test_a_page_in_a_bucket_is_served_as_text(
    ada: User, bucket: str, folder: str, http: httpx.Client, project: Project
) -> None:
    name = f"{folder}/page.html"
    ada.client.storage.from_(bucket).upload(name, b"<script>", {"content-type": "text/html"})
    response = get(http, project, ada, f"{bucket}/{name}")
    assert response.headers["content-type"].startswith("text/plain")


def test_an_upload_that_breaks_off_leaves_nothing(
    ada: User, bucket: str, folder: str, http: httpx.Client, project: Project
) -> None:
    def half() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionAbortedError

    url = f"/storage/v1/object/{bucket}/{folder}/half.bin"
    headers = {**ada.headers(project), "content-length": "200000"}
    with pytest.raises(ConnectionAbortedError):
        http.post(url, headers=headers, content=half())
    assert ada.client.storage.from_(bucket).list(folder) == []
    assert not ada.client.storage.from_(bucket).exists(f"{folder}/half.bin")


@pytest.mark.parametrize(
    "name",
    [
        "two words & more.txt",
        "Übergröße/字幕 😀.srt",
        "a+b=c;d,e@f!g$h'i(j)*.txt",
    ],
)
def test_a_name_may_hold_any_letter(
    ada: User, bucket: str, folder: str, http: httpx.Client, name: str
) -> None:
    files = ada.client.storage.from_(bucket)
    key = f"{folder}/{name}"
    files.upload(key, BODY)
    try:
        assert files.download(key) == BODY
        url = files.create_signed_url(key, 60)["signedURL"]
        assert url is not None
        assert http.get(url).content == BODY
    finally:
        assert [item["name"] for item in files.remove([key])] == [key]


@pytest.mark.parametrize("name", ["a%2F..%2F..%2Fb", "%2E%2E", "a%00b", "a%5Cb", "%22"])
def test_a_name_that_could_mislead_is_refused(
    ada: User, bucket: str, folder: str, http: httpx.Client, project: Project, name: str
) -> None:
    response = http.post(
        f"/storage/v1/object/{bucket}/{folder}/{name}", headers=ada.headers(project), content=b"x"
    )
    assert response.status_code == 400
    assert response.json()["error"] == "InvalidKey"
    assert response.json()["message"].startswith("Invalid key")


def test_a_bucket_that_does_not_exist_is_not_found(ada: User) -> None:
    absent = ada.client.storage.from_("absent")
    assert refusal(lambda: absent.upload("x", b"x")) == ("404", "Bucket not found")
    assert refusal(lambda: absent.download("x")) == ("404", "Bucket not found")


# Listing, moving, copying, removing


def test_a_list_shows_one_folder_at_a_time(ada: User, bucket: str, folder: str) -> None:
    files = ada.client.storage.from_(bucket)
    names = [f"{folder}/{rest}" for rest in ("b.txt", "a.txt", "sub/c.txt", "sub/deep/d.txt")]
    for name in names:
        files.upload(name, BODY)
    listed = files.list(folder)
    assert [(item["name"], item["id"] is None) for item in listed] == [
        ("sub", True),
        ("a.txt", False),
        ("b.txt", False),
    ]
    assert listed[1]["metadata"]["size"] == len(BODY)
    newest = files.list(folder, {"sortBy": {"column": "name", "order": "desc"}, "limit": 2})
    assert [item["name"] for item in newest] == ["sub", "b.txt"]
    assert [item["name"] for item in files.list(folder, {"offset": 2})] == ["b.txt"]
    assert [item["name"] for item in files.list(folder, {"search": "a"})] == ["a.txt"]
    assert [item["name"] for item in files.list(f"{folder}/sub")] == ["deep", "c.txt"]
    files.remove(names)


def test_an_object_moves_with_its_bytes(ada: User, bucket: str, folder: str, name: str) -> None:
    files = ada.client.storage.from_(bucket)
    files.move(name, f"{folder}/moved.bin")
    assert files.download(f"{folder}/moved.bin") == BODY
    assert not files.exists(name)
    assert refusal(lambda: files.move(name, f"{folder}/again.bin"))[0] == "404"


def test_a_copy_is_an_object_of_its_own(ada: User, bucket: str, folder: str, name: str) -> None:
    files = ada.client.storage.from_(bucket)
    copy = f"{folder}/copy.bin"
    assert files.copy(name, copy)["Key"] == f"{bucket}/{copy}"
    files.remove([name])
    assert files.download(copy) == BODY
    assert files.info(copy)["content_type"] == "video/x-test"


def test_removing_says_what_was_removed(ada: User, bucket: str, name: str) -> None:
    files = ada.client.storage.from_(bucket)
    removed = files.remove([name, f"{name}.absent"])
    assert [item["name"] for item in removed] == [name]
    assert files.remove([name]) == []


# Who may


def test_users_reach_their_own_folder_only(bob: User, bucket: str, name: str) -> None:
    files = bob.client.storage.from_(bucket)
    assert refusal(lambda: files.download(name)) == ("404", "not_found")
    assert refusal(lambda: files.info(name)) == ("404", "not_found")
    assert refusal(lambda: files.create_signed_url(name, 60)) == ("404", "not_found")
    assert refusal(lambda: files.upload(name, b"x"))[0] == "403"
    assert refusal(lambda: files.upload(name, b"x", {"upsert": "true"}))[0] == "403"
    assert refusal(lambda: files.create_signed_upload_url(name))[0] == "403"
    assert refusal(lambda: files.copy(name, f"{bob.id}/stolen"))[0] == "404"
    assert refusal(lambda: files.move(name, f"{bob.id}/stolen"))[0] == "404"
    assert files.list(name.rpartition("/")[0]) == []
    assert files.remove([name]) == []


def test_visitors_reach_nothing_of_a_private_bucket(
    visitor: Client, http: httpx.Client, project: Project, bucket: str, name: str
) -> None:
    assert refusal(lambda: visitor.storage.from_(bucket).download(name)) == ("404", "not_found")
    public = http.get(f"/storage/v1/object/public/{bucket}/{name}")
    assert (public.status_code, public.json()["error"]) == (400, "Bucket not found")
    bare = http.get(f"/storage/v1/object/{bucket}/{name}")
    assert bare.status_code == 400


def test_the_secret_key_reaches_everything(admin: Client, bucket: str, name: str) -> None:
    assert admin.storage.from_(bucket).download(name) == BODY


def test_an_upsert_needs_more_than_the_right_to_insert(
    ada: User, admin: Client, database: psycopg.Connection[Any]
) -> None:
    inbox = f"inbox-{uuid4().hex[:8]}"
    admin.storage.create_bucket(inbox)
    names = {"policy": sql.Identifier(inbox), "bucket": sql.Literal(inbox)}
    policy = (
        "create policy {policy} on storage.objects for insert with check (bucket_id = {bucket})"
    )
    database.execute(sql.SQL(policy).format(**names))
    files = ada.client.storage.from_(inbox)
    files.upload("letter.txt", b"first")
    assert refusal(lambda: files.upload("letter.txt", b"second", {"upsert": "true"}))[0] == "403"
    assert refusal(lambda: files.download("letter.txt"))[0] == "404"
    database.execute(sql.SQL("drop policy {policy} on storage.objects").format(**names))
    admin.storage.empty_bucket(inbox)
    admin.storage.delete_bucket(inbox)


def test_a_row_says_whose_the_object_is(
    ada: User, bucket: str, name: str, database: psycopg.Connection[Any]
) -> None:
    row = database.execute(
        "select owner_id, path_tokens[1], version is not null from storage.objects"
        " where bucket_id = %s and name = %s",
        [bucket, name],
    ).fetchone()
    assert row == (ada.id, ada.id, True)


def test_rows_are_not_deleted_by_sql(bucket: str, database: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Use the Storage API instead"):
        database.execute("delete from storage.objects where bucket_id = %s", [bucket])


@pytest.mark.parametrize(
    ("token", "message"),
    [("sb_secret_of_nobody", "Invalid Compact JWS"), ("", "authorization")],
)
def test_a_request_without_a_token_is_refused(
    http: httpx.Client, bucket: str, token: str, message: str
) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    response = http.post(f"/storage/v1/object/list/{bucket}", headers=headers, json={"prefix": ""})
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_a_file_goes_up_from_disk_as_it_is(
    ada: User, bucket: str, folder: str, tmp_path: Path
) -> None:
    # Line ends and a boundary's look-alike: what a form parser could stumble on.
    content = b"\r\n--boundary\r\n\r\n--\r\n" * 20_000 + b"\r\n-"
    path = tmp_path / "tricky.bin"
    path.write_bytes(content)
    ada.client.storage.from_(bucket).upload(f"{folder}/tricky.bin", path)
    assert ada.client.storage.from_(bucket).download(f"{folder}/tricky.bin") == content
