"""The reference pages say what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from docs.reference import PAGES, ROOT
from worker.cli.main import build_parser
from worker.errors import CATALOGUE


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_is_fresh(page: str) -> None:
    assert (ROOT / page).read_text() == PAGES[page](), "run: make docs"


def test_every_code_in_the_catalogue_is_used() -> None:
    """The other way round is sure: a code that is not in the catalogue can't be raised."""
    sources = [*(ROOT / "worker").rglob("*.py"), *(ROOT / "migrations").glob("*.sql")]
    text = "\n".join(path.read_text() for path in sources if path.name != "errors.py")
    unused = {code for code in CATALOGUE if not re.search(rf"[\"']{code}[\"']", text)}
    assert unused == set()


SKIPPED = {"node_modules", ".venv", ".devstack", ".git"}
DOCUMENTS = [
    path
    for path in sorted([*ROOT.rglob("*.md"), ROOT / "llms.txt"])
    if not SKIPPED & set(path.relative_to(ROOT).parts)
]


def anchors(document: Path) -> set[str]:
    """The ids that GitHub gives to the headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", document.read_text())
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in re.findall(
        r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)]*))?\)", document.read_text()
    ):
        file = document.parent / target if target else document
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), f"{target}#{anchor}"


def test_files_that_documents_name_are_there() -> None:
    folders = "worker|devstack|frontend|tests|docs|migrations|benchmarks|deploy|supabase/functions"
    made = {"frontend/public"}
    for document in DOCUMENTS:
        for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", document.read_text()):
            assert path in made or (ROOT / path).exists(), f"{document}: {path}"


def test_every_alert_has_its_section_in_the_runbook() -> None:
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    runbooks = re.findall(r"runbook: (\S+)#(\S+)", rules)
    assert len(runbooks) == rules.count("alert:")
    for page, anchor in runbooks:
        assert anchor in anchors(ROOT / page), anchor


def test_commands_in_the_documents_exist() -> None:
    """Of `make` and of `video-worker`: the command, and its options."""
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    subparsers: Any = build_parser()._subparsers
    commands = subparsers._group_actions[0].choices
    assert {"run", "doctor"} <= set(commands)
    for document in DOCUMENTS:
        text = document.read_text()
        found = re.findall(r"(?s)```(?:sh|console)\n(.*?)```|`([^`\n]+)`", text)
        code = "\n".join(block or inline for block, inline in found)
        for target in re.findall(r"(?m)^\$? ?make ([a-z-]+)", code):
            assert target in targets, f"{document}: make {target}"
        for command, rest in re.findall(r"(?m)(?<![\w/-])video-worker ([a-z]+)([^\n]*)", code):
            assert command in commands, f"{document}: video-worker {command}"
            known = commands[command].format_help()
            for option in re.findall(r"--[a-z]+", rest.partition("#")[0]):
                assert option in known, f"{document}: video-worker {command} {option}"
