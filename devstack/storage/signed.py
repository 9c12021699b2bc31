"""Signed URLs: a JWT that names one object, for those who have no other right to it."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.http import Json
from devstack.keys import Keys
from devstack.storage.objects import receive_object
from devstack.storage.requests import caller_of, json_body, key_of, signed_claims
from devstack.storage.store import Store, Target

_UPLOAD_SECONDS = 2 * 3600


class SignedUrls:
    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def routes(self) -> list[Route]:
        return [
            Route("/object/upload/sign/{bucket}/{name:path}", self.sign_upload, methods=["POST"]),
            Route("/object/upload/sign/{bucket}/{name:path}", self.upload, methods=["PUT"]),
            Route("/object/sign/{bucket}", self.sign_many, methods=["POST"]),
            Route("/object/sign/{bucket}/{name:path}", self.sign, methods=["POST"]),
        ]

    async def sign(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        bucket, name = key_of(request)
        body = await json_body(request, expiresIn=int)
        await self._store.find(caller, "object.sign", bucket, name)
        return Json({"signedURL": self._download_url(f"{bucket}/{name}", body["expiresIn"])})

    async def sign_many(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        bucket = request.path_params["bucket"]
        body = await json_body(request, expiresIn=int, paths=list)
        async with self._store.as_caller(caller, "object.sign_many") as connection:
            cursor = await connection.execute(
                "select name from storage.objects where bucket_id = %s and name = any (%s)",
                [bucket, body["paths"]],
            )
            visible = {row["name"] for row in await cursor.fetchall()}
        missing = "Either the object does not exist or you do not have access to it"
        return Json(
            [
                {
                    "error": None if name in visible else missing,
                    "path": name,
                    "signedURL": self._download_url(f"{bucket}/{name}", body["expiresIn"])
                    if name in visible
                    else None,
                }
                for name in body["paths"]
            ]
        )

    async def sign_upload(self, request: Request) -> Response:
        caller = caller_of(request, self._keys)
        bucket, name = key_of(request)
        target = Target(bucket, name, caller.id, request.headers.get("x-upsert") == "true")
        await self._store.bucket(bucket)
        await self._store.admit(target, caller, "object.sign_upload_url")
        claims = {"url": target.key, "owner": target.owner, "upsert": target.upsert}
        token = self._sign(claims, _UPLOAD_SECONDS)
        return Json({"url": f"/object/upload/sign/{target.key}?token={token}", "token": token})

    async def upload(self, request: Request) -> Response:
        bucket, name = key_of(request)
        token = request.query_params.get("token")
        claims = signed_claims(token, f"{bucket}/{name}", self._keys)
        target = Target(bucket, name, claims.get("owner"), bool(claims.get("upsert")))
        admitting = await self._store.bucket(bucket)
        return await receive_object(request, self._store, admitting, target)

    def _download_url(self, key: str, seconds: int) -> str:
        return f"/object/sign/{key}?token={self._sign({'url': key}, seconds)}"

    def _sign(self, claims: dict[str, Any], seconds: int) -> str:
        now = int(time.time())
        return self._keys.sign_with_secret({**claims, "iat": now, "exp": now + seconds})
