"""What the doctor reads from settings without asking anyone."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import psycopg
import pytest

from worker.doctor.connection import check_addresses, refusal
from worker.doctor.project import check_key, check_url
from worker.settings import Settings

IN_2100 = 4_102_444_800


def legacy_key(**claims: object) -> str:
    payload = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2ln"


@pytest.mark.parametrize(
    ("key", "level", "what"),
    [
        ("sb_secret_x", "ok", "a secret key"),
        (legacy_key(role="service_role", exp=IN_2100), "ok", "legacy service_role"),
        ("sb_publishable_x", "error", "publishable"),
        ("Bearer sb_secret_x", "error", "Bearer"),
        (" sb_secret_x\n", "error", "spaces or quotes"),
        ('"sb_secret_x"', "error", "spaces or quotes"),
        (legacy_key(role="anon"), "error", "role anon"),
        (legacy_key(role="service_role", exp=1), "error", "expired"),
        ("eyJ.x.y", "error", "neither"),
        ("x", "error", "neither"),
    ],
)
def test_the_kind_of_a_key_is_told(key: str, level: str, what: str) -> None:
    (finding,) = check_key(key)
    assert finding.level == level
    assert what in finding.what
    assert key not in f"{finding}"


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://abc.supabase.co/", "ok"),
        ("http://127.0.0.1:54321", "ok"),
        ("http://host.docker.internal:54321", "ok"),
        ("http://abc.supabase.co", "warning"),
        ("https://abc.supabase.co/storage/v1", "error"),
    ],
)
def test_an_address_is_the_projects_own_and_encrypted(url: str, level: str) -> None:
    (finding,) = check_url(url)
    assert finding.level == level


DIRECT = "postgresql://video_worker:x@127.0.0.1:5432/postgres"
POOLER = "postgresql://video_worker.abc:x@aws-0-eu-central-1.pooler.supabase.com:{}/postgres"


@pytest.mark.parametrize(
    ("urls", "findings"),
    [
        ({"DATABASE_URL": DIRECT}, {}),
        ({"DATABASE_URL": POOLER.format(5432)}, {}),
        ({"DATABASE_URL": POOLER.format(6543), "LISTEN_DATABASE_URL": POOLER.format(5432)}, {}),
        (
            {"DATABASE_URL": POOLER.format(6543)},
            {"database.transaction_pooler": "set LISTEN_DATABASE_URL to the session pooler"},
        ),
        (
            {"DATABASE_URL": POOLER.format(5432).replace("video_worker.abc", "video_worker")},
            {"database.pooler_user": "video_worker.abc@aws-0"},
        ),
        (
            {
                "DATABASE_URL": DIRECT,
                "LISTEN_DATABASE_URL": POOLER.format(6543).replace(".abc", ""),
            },
            {"database.pooler_user": "In LISTEN_DATABASE_URL", "database.transaction_pooler": ""},
        ),
    ],
)
def test_what_a_database_url_lacks_is_read_from_it(
    monkeypatch: pytest.MonkeyPatch, urls: dict[str, str], findings: dict[str, str]
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 2, 0, "", ("192.0.2.1", 1))])
    environment = urls | {"SUPABASE_URL": "https://abc.supabase.co", "SUPABASE_SECRET_KEY": "x"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = {finding.check: finding.mend for finding in check_addresses(Settings())}
    assert set(found) == set(findings)
    for check, mend in findings.items():
        assert mend in found[check]


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ('FATAL: password authentication failed for user "video_worker"', "alter role"),
        ('FATAL: role "video_worker" does not exist', "video-worker migrate"),
        ("FATAL: Tenant or user not found", "Session pooler"),
        ("FATAL: Max client connections reached", "port 6543"),
        ("FATAL: (EMAXCONNSESSION) max clients reached in session mode", "port 6543"),
        ("FATAL: sorry, too many clients already", "port 6543"),
        ('FATAL: no pg_hba.conf entry for host "192.0.2.1", no encryption', "sslmode=verify-full"),
        ("server does not support SSL, but SSL was required", "sslmode=verify-full"),
        ("[Errno -2] Name or service not known", "Dashboard"),
        ("connection to server failed: Connection refused", "supabase start"),
        ("something new", "docs/troubleshooting.md"),
    ],
)
def test_a_refusal_of_the_database_is_explained(said: str, mend: str) -> None:
    finding = refusal("database.connect", "DATABASE_URL", psycopg.OperationalError(said))
    assert said in finding.what
    assert mend in finding.mend
    assert finding.level == "error"
