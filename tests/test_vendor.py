"""The ledger of what the vendor's product fixes."""

from __future__ import annotations

import ast
import json
import re

import pytest

from geoplan import vendor
from geoplan.lab.variants import Variant
from tests.conftest import ROOT, Geoplan

DOCUMENT = ROOT.parent / "shared" / "reference" / "000_5c861d0f50be9bb6.txt"
LABELS = [fact for fact in vendor.FACTS if fact.meaning == vendor.WUI]
PLAIN_WORDS = {"REBOOT"}  # the document uses it, and not for a button

# Facts that are known and that no part of geoplan goes by yet.
UNUSED: set[str] = set()


def test_every_fact_is_the_constant_of_its_name_and_stands_once() -> None:
    assert {fact.name: fact.value for fact in vendor.FACTS} == {
        name: value for name, value in vars(vendor).items() if name.isupper() and name in _names()
    }
    assert len(_names()) == len(vendor.FACTS)


def _names() -> set[str]:
    return {fact.name for fact in vendor.FACTS}


def test_every_fact_is_held_by_a_test_that_exists() -> None:
    tests = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {fact.held_by for fact in vendor.FACTS} <= tests


def test_facts_that_nothing_goes_by_yet() -> None:
    sources = [path.read_text() for path in (ROOT / "geoplan").rglob("*.py") if path.name != "vendor.py"]
    used = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", "\n".join(sources)))
    assert not used & UNUSED
    assert {fact.name for fact in vendor.FACTS if fact.held_by == "test_facts_that_nothing_goes_by_yet"} == UNUSED


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")
def test_labels_of_the_document_stand_in_it() -> None:
    sections = re.split(r"(?m)^(?=[1-8](?:\.\d)* [A-Z])", DOCUMENT.read_text())
    texts = {section.split(" ", 1)[0]: section for section in sections}
    for label in LABELS:
        section = label.source.rpartition(", ")[2]
        assert not label.confirmed or label.shown in texts[section], label


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")
def test_labels_that_the_document_lacks_are_unconfirmed() -> None:
    text = DOCUMENT.read_text()
    for label in LABELS:
        assert label.confirmed == (label.shown in text and label.name not in PLAIN_WORDS), label


def test_facts_in_each_format(geoplan: Geoplan) -> None:
    table, report, markdown = (geoplan("facts", "--format", name) for name in ("text", "json", "markdown"))
    assert [outcome.code for outcome in (table, report, markdown)] == [0, 0, 0]
    facts = json.loads(report.stdout)["facts"]
    assert [fact["name"] for fact in facts] == [fact.name for fact in vendor.FACTS]
    assert {"name": "SYNC_PORT", "value": "6973", "confirmed": True}.items() <= facts[0].items()
    assert next(fact["value"] for fact in facts if fact["name"] == "API_V2_SINCE") == "7.2.52"
    by_name = {fact["name"]: fact["variants"] for fact in facts}
    assert by_name["CLUSTER_KEY"] == ["clusters-by-id", "clusters-by-ip"]
    assert by_name["SYNC_PORT"] == []
    assert {variant for variants in by_name.values() for variant in variants} == set(Variant)
    assert "| clusters-by-id, clusters-by-ip |" in markdown.stdout
    assert "url-2000" in table.stdout
    assert "SYNC_PORT" in table.stdout
    assert len(markdown.stdout.splitlines()) == len(facts) + 2
