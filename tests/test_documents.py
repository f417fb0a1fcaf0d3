"""The documents stay true: tables made from models, counts, names of events, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geoplan.cli import COMMANDS
from geoplan.push.events import EventKind
from geoplan.push.outcome import StepState
from tests.conftest import ROOT
from tests.simulation.conftest import DEFAULT_SEEDS
from tests.simulation.drill_mutations import DRILL_MUTATIONS
from tests.simulation.ha_mutations import HA_MUTATIONS
from tests.simulation.mutations import MUTATIONS
from tests.tables import TABLES, with_table

NOT_OURS = {"node_modules", "venv", "build", "dist", "__snapshots__"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part in NOT_OURS or part.startswith(".") for part in path.relative_to(ROOT).parts)
)
TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]


def text_of(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text()


def first_cells(table: str) -> list[str]:
    """Return what the first column of a table has in code style."""
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def section(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.index(end)]


@pytest.mark.parametrize("name", TABLES)
def test_table_is_what_the_models_say(name: str) -> None:
    path, make = TABLES[name]
    text = path.read_text()

    assert text == with_table(text, name, make()), "write it again: python -m tests.tables"


def test_every_event_and_state_of_a_push_is_told() -> None:
    text = text_of("geoplan", "push", "README.md")

    assert first_cells(section(text, "| event | means", "| state | means")) == list(EventKind)
    assert first_cells(section(text, "| state | means", "## How many")) == list(StepState)


def test_counts_are_those_of_the_tests() -> None:
    text = " ".join(text_of("tests", "README.md").split())

    assert f"takes {len((*MUTATIONS, *DRILL_MUTATIONS, *HA_MUTATIONS))} safeguards out" in text
    assert f"without `--seeds` {DEFAULT_SEEDS}" in text


def test_every_command_is_told_somewhere() -> None:
    text = "".join(path.read_text() for path in DOCUMENTS if path.name == "README.md")

    assert [name for name in COMMANDS if f"geoplan {name}" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        name, _, heading = target.partition("#")
        linked = document.parent / name if name else document
        assert linked.exists(), target
        assert not heading or heading in anchors(linked.read_text()), target


def anchors(text: str) -> set[str]:
    """Return what links can name in a document, as GitHub spells headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", TOP, ids=lambda path: path.name)
def test_document_is_in_the_source_distribution(document: Path) -> None:
    assert document.exists()
    assert f'"{document.name}"' in text_of("pyproject.toml")
