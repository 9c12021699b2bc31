"""Storage: signed URLs and buckets, the two ways in that no policy of the object decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from supabase import Client

from .conftest import BODY, User
from .test_storage import refusal


@pytest.fixture
def strict_bucket(admin: Client) -> Iterator[str]:
    """A public bucket that takes small pictures only."""
    name = f"strict-{uuid4().hex[:8]}"
    admin.storage.create_bucket(
        name,
        options={"public": True, "file_size_limit": 1000, "allowed_mime_types": ["image/*"]},
    )
    yield name
    admin.storage.empty_bucket(name)
    admin.storage.delete_bucket(name)


# Signed URLs


def test_a_signed_url_needs_nothing_else(
    ada: User, bucket: str, name: str, http: httpx.Client
) -> None:
    url = ada.client.storage.from_(bucket).create_signed_url(name, 60)["signedURL"]
    assert url is not None
    assert http.get(url).content == BODY
    assert http.head(url).headers["content-length"] == str(len(BODY))
    part = http.get(url, headers={"range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, BODY[1:3])


def test_a_signed_url_names_the_download(
    ada: User, bucket: str, name: str, http: httpx.Client
) -> None:
    options: Any = {"download": "my clip.bin"}
    url = ada.client.storage.from_(bucket).create_signed_url(name, 60, options)["signedURL"]
    assert url is not None
    disposition = http.get(url).headers["content-disposition"]
    assert disposition.startswith("attachment")
    assert "my%20clip.bin" in disposition


def test_a_signed_url_expires(ada: User, bucket: str, name: str, http: httpx.Client) -> None:
    url = ada.client.storage.from_(bucket).create_signed_url(name, -1)["signedURL"]
    assert url is not None
    response = http.get(url)
    assert response.status_code == 400
    assert response.json()["message"] == '"exp" claim timestamp check failed'


def test_a_signed_url_is_for_one_object(
    ada: User, bucket: str, name: str, http: httpx.Client
) -> None:
    url = ada.client.storage.from_(bucket).create_signed_url(name, 60)["signedURL"]
    assert url is not None
    response = http.get(url.replace("clip.bin", "other.bin"))
    assert (response.status_code, response.json()["error"]) == (400, "InvalidSignature")
    assert http.get(url[:-3] + "AAA").json()["error"] == "InvalidJWT"


def test_many_urls_are_signed_at_once(
    ada: User, bucket: str, name: str, http: httpx.Client
) -> None:
    first, second = ada.client.storage.from_(bucket).create_signed_urls([name, "absent"], 60)
    assert first["error"] is None
    assert first["signedURL"] is not None
    assert http.get(first["signedURL"]).content == BODY
    assert (second["path"], second["signedURL"]) == ("absent", None)
    assert second["error"]


def test_a_signed_upload_needs_no_other_right_and_works_once(
    ada: User, visitor: Client, bucket: str, folder: str
) -> None:
    name = f"{folder}/signed.bin"
    signed = ada.client.storage.from_(bucket).create_signed_upload_url(name)
    upload = visitor.storage.from_(bucket).upload_to_signed_url
    upload(name, signed["token"], BODY)
    assert ada.client.storage.from_(bucket).download(name) == BODY
    assert refusal(lambda: upload(name, signed["token"], b"again")) == ("409", "Duplicate")
    assert (
        refusal(lambda: upload(f"{folder}/other", signed["token"], b"x"))[1] == "InvalidSignature"
    )


# Buckets


def test_a_public_bucket_is_read_by_everybody(
    admin: Client, strict_bucket: str, http: httpx.Client
) -> None:
    files = admin.storage.from_(strict_bucket)
    files.upload("dot.png", b"dot", {"content-type": "image/png"})
    assert http.get(files.get_public_url("dot.png")).content == b"dot"
    assert http.get(f"/storage/v1/object/{strict_bucket}/dot.png").content == b"dot"


def test_a_bucket_admits_no_more_and_nothing_else_than_it_says(
    admin: Client, strict_bucket: str
) -> None:
    files = admin.storage.from_(strict_bucket)
    picture: Any = {"content-type": "image/png"}
    assert refusal(lambda: files.upload("x", b"x" * 1001, picture)) == ("413", "Payload too large")
    film: Any = {"content-type": "video/mp4"}
    assert refusal(lambda: files.upload("x", b"x", film)) == ("415", "invalid_mime_type")
    assert files.list() == []


def test_a_bucket_can_be_changed(admin: Client, strict_bucket: str) -> None:
    admin.storage.update_bucket(strict_bucket, {"public": False, "allowed_mime_types": ["a/b"]})
    bucket = admin.storage.get_bucket(strict_bucket)
    assert (bucket.public, bucket.allowed_mime_types) == (False, ["a/b"])
    assert strict_bucket in [each.id for each in admin.storage.list_buckets()]


def test_a_bucket_is_deleted_when_it_is_empty(admin: Client) -> None:
    name = f"brief-{uuid4().hex[:8]}"
    admin.storage.create_bucket(name)
    assert refusal(lambda: admin.storage.create_bucket(name)) == ("409", "Duplicate")
    admin.storage.from_(name).upload("x", b"x")
    assert refusal(lambda: admin.storage.delete_bucket(name))[0] == "409"
    admin.storage.empty_bucket(name)
    admin.storage.delete_bucket(name)
    assert refusal(lambda: admin.storage.get_bucket(name)) == ("404", "Bucket not found")


def test_users_make_no_buckets_without_a_policy(ada: User) -> None:
    assert refusal(lambda: ada.client.storage.create_bucket("mine"))[0] == "403"
