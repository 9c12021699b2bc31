"""``video-worker doctor``."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict

from worker.cli.console import DONE, FAILED, Commands, add_command, out, say
from worker.doctor.examination import examine
from worker.doctor.finding import Finding

SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "error": "[red]✗[/]"}


def add(commands: Commands) -> None:
    text = (
        "Check settings, database, Storage, ffmpeg and host; say what is wrong and how to mend it. "
        "Exit code 1 if there is an error, 0 if there are none or warnings only."
    )
    parser = add_command(commands, "doctor", doctor, text)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def doctor(arguments: argparse.Namespace) -> int:
    findings = asyncio.run(_examine(quiet=arguments.json))
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if arguments.json:
        say(json.dumps({"ok": not errors, "findings": [asdict(found) for found in findings]}))
    else:
        say(f"\n{errors} errors, {warnings} warnings")
    return FAILED if errors else DONE


async def _examine(*, quiet: bool) -> list[Finding]:
    findings = []
    async for finding in examine():
        findings.append(finding)
        if not quiet:
            _show(finding)
    return findings


def _show(finding: Finding) -> None:
    out.print(f"{SIGNS[finding.level]} [bold]{finding.check}[/]", end="  ", highlight=False)
    say(finding.what)
    if finding.why:
        say(f"    why:  {finding.why}")
    if finding.mend:
        say(f"    mend: {finding.mend}")
