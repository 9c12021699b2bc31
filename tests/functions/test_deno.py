"""The edge functions' own tests, on Deno: supabase/functions/**/*_test.ts."""

from __future__ import annotations

import subprocess

from .conftest import PROJECT


def test_the_functions_own_tests_pass(deno: str) -> None:
    functions = PROJECT / "functions"
    config = functions / "process-video" / "deno.json"
    run = subprocess.run(
        [deno, "test", "--no-prompt", f"--config={config}", *functions.glob("*/*_test.ts")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 failed" in run.stdout
