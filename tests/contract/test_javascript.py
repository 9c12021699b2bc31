"""The JavaScript clients, on Node: one test here, whose parts are in js/clients.test.mjs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from .conftest import PASSWORD, Project, User

JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the clients installed. Without them the test is skipped, but never in CI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _absent("there is no Node.js")
    if not (JS / "node_modules").exists():
        install = subprocess.run([npm, "ci"], cwd=JS, capture_output=True, text=True, check=False)
        if install.returncode != 0:
            _absent(f"npm ci failed: {install.stderr}")
    return node


def test_supabase_js_and_tus_js_client_notice_no_difference(
    node: str, project: Project, ada: User, notes: str, bucket: str
) -> None:
    run = subprocess.run(
        [node, "--test", "--test-reporter=spec"],
        cwd=JS,
        env={
            "PATH": os.environ["PATH"],
            "SUPABASE_URL": project.url,
            "SUPABASE_PUBLISHABLE_KEY": project.publishable_key,
            "SUPABASE_SECRET_KEY": project.secret_key,
            "EMAIL": ada.email,
            "PASSWORD": PASSWORD,
            "TABLE": notes,
            "BUCKET": bucket,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def _absent(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
