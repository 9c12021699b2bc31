"""The JavaScript clients, on Node: one test here, whose parts are in js/*.test.mjs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .conftest import PASSWORD, Project, User

JS = Path(__file__).parent / "js"


def test_supabase_js_and_tus_js_client_notice_no_difference(
    node_modules: Path, project: Project, ada: User, notes: str, bucket: str, room: str, deno: str
) -> None:
    run = subprocess.run(
        # Timers of a client that was left would hold the process for ten seconds more.
        ["node", "--test", "--test-timeout=60000", "--test-force-exit", "--test-reporter=spec"],
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
            "TOPIC": room,
            "FUNCTIONS": "" if "SUPABASE_URL" in os.environ else "here",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
