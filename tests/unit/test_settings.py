"""Settings come from the environment and say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from worker.settings import Settings

REQUIRED = {
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_SECRET_KEY": "sb_secret_x",
    "DATABASE_URL": "postgresql://video_worker:p@db.abc.supabase.co:5432/postgres",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    for name in (*REQUIRED, "SUPABASE_SERVICE_ROLE_KEY", "PORT", "FONT_DIRS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_three_variables_are_enough(environment: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        environment.setenv(name, value)
    settings = Settings()
    assert settings.concurrency == 1
    assert settings.lease_seconds == 60
    assert "sb_secret_x" not in repr(settings)


def test_the_legacy_key_has_its_own_name(environment: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        environment.setenv(name.replace("SECRET_KEY", "SERVICE_ROLE_KEY"), value)
    assert Settings().supabase_secret_key.get_secret_value() == "sb_secret_x"


def test_folders_are_separated_by_colons(environment: pytest.MonkeyPatch) -> None:
    for name, value in (REQUIRED | {"FONT_DIRS": "/a:/b"}).items():
        environment.setenv(name, value)
    assert Settings().font_dirs == (Path("/a"), Path("/b"))


@pytest.mark.parametrize("missing", REQUIRED)
def test_what_is_missing_is_named(environment: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in REQUIRED.items():
        if name != missing:
            environment.setenv(name, value)
    with pytest.raises(ValidationError, match=missing):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_CONCURRENCY", "0"),
        ("WORKER_LEASE_SECONDS", "1"),
        ("DATABASE_URL", "mysql://x"),
        ("SUPABASE_URL", "abc"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_what_is_out_of_range_is_named(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for key, good in (REQUIRED | {name: value}).items():
        environment.setenv(key, good)
    with pytest.raises(ValidationError, match=name):
        Settings()
