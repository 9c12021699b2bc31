"""The reference pages say what the code does."""

from __future__ import annotations

import re

import pytest

from docs.reference import PAGES, ROOT
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


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "devstack/README.md",
    ):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
