"""The project's address and key, as far as they can be judged without asking anyone."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from worker.doctor.finding import Finding, error, ok, warning
from worker.settings import ProjectSettings

GET_KEY = "Dashboard → Project Settings → API keys → Secret keys; set SUPABASE_SECRET_KEY to it"


def check_project(settings: ProjectSettings) -> Iterator[Finding]:
    yield from check_url(str(settings.supabase_url))
    yield from check_key(settings.supabase_secret_key.get_secret_value())


def check_url(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.path.strip("/"):
        yield error(
            "project.url",
            f"SUPABASE_URL has a path: {parts.path}",
            "The worker adds /storage/v1 and so on itself, so every request would miss.",
            f"SUPABASE_URL={parts.scheme}://{parts.netloc}",
        )
    elif parts.scheme == "http" and not is_local(parts.hostname or ""):
        yield warning(
            "project.url",
            "SUPABASE_URL is http, not https",
            "The secret key and the videos cross the network in clear text.",
            f"SUPABASE_URL=https://{parts.netloc}",
        )
    else:
        yield ok("project.url", url)


def check_key(key: str) -> Iterator[Finding]:
    name = "project.key"
    if key.lower().startswith("bearer "):
        yield error(
            name,
            "SUPABASE_SECRET_KEY begins with 'Bearer'",
            "It is the key alone; with the word in front Supabase knows no such key.",
            "Take 'Bearer ' away from the front of SUPABASE_SECRET_KEY",
        )
    elif key != key.strip() or key[:1] in "'\"":
        yield error(
            name,
            "SUPABASE_SECRET_KEY has spaces or quotes around it",
            "They would be sent along as a part of the key.",
            "Take them away; a .env file needs no quotes",
        )
    elif key.startswith("sb_publishable_"):
        yield error(
            name,
            "SUPABASE_SECRET_KEY is a publishable key",
            "It may do what an anonymous visitor may: no video can be read or written with it.",
            GET_KEY,
        )
    elif key.startswith("sb_secret_"):
        yield ok(name, "a secret key")
    else:
        yield _legacy_key(name, key)


def _legacy_key(name: str, key: str) -> Finding:
    claims = _claims(key)
    if claims is None:
        return error(
            name,
            "SUPABASE_SECRET_KEY is neither an sb_secret_… key nor a JWT",
            "Supabase would refuse every request.",
            GET_KEY,
        )
    if claims.get("role") != "service_role":
        return error(
            name,
            f"SUPABASE_SECRET_KEY is the legacy key of role {claims.get('role')}",
            "It may do what an anonymous visitor may: no video can be read or written with it.",
            GET_KEY,
        )
    if claims.get("exp", time.time() + 1) < time.time():
        return error(name, "SUPABASE_SECRET_KEY has expired", "Every request is refused.", GET_KEY)
    return ok(name, "a legacy service_role key")


def _claims(token: str) -> dict[str, Any] | None:
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def is_local(host: str) -> bool:
    """Whether what is sent to ``host`` stays on this machine, or on Docker's network on it."""
    local = ("localhost", "::1", "host.docker.internal", "kong", "db")
    return host in local or host.startswith("127.") or not host
