"""``geoplan push --history`` as an operator types it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, PASSWORD

__all__ = ["make_site"]


def test_history_tells_what_was_typed_and_how_it_ended(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    assert geoplan("push", "--history").stdout == "no push yet\n"
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    options = ("--endpoints", site.endpoints, "--yes", "--reboot", "always=HA Pair 1", "--jobs", "1")
    assert geoplan("push", site.topology, *options).code == 3
    for words in ((), (site.topology, "--endpoints", site.endpoints)):
        outcome = geoplan("push", *words, "--history", "--format", "json")
        assert outcome.code == 0, outcome
        (push,) = json.loads(outcome.stdout)["pushes"]
        assert push["outcome"] == "stopped"
        assert push["file"] == str(site.topology)
        assert push["number"] == 1
        flags = ["--yes", "--jobs", "1", "--reboot", "always=HA Pair 1", "--endpoints", str(site.endpoints)]
        assert push["flags"] == flags
        assert A1 in push["units"]
        assert PASSWORD not in outcome.stdout
    assert json.loads(geoplan("push", site.topology, "--history", "--format", "json").stdout)["pushes"] == []
    text = geoplan("push", "--history").stdout
    assert text.startswith("1  2")
    assert "stopped at step" in text
    assert "unfinished" in text
    with site.store.only_push("another"):
        assert "running now" in geoplan("push", "--history").stdout


def test_damaged_journal_is_named_beside_the_others(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    (journal,) = site.journals()
    broken = journal.with_name("000007-broken.jsonl")
    broken.write_text("nothing\n")
    for words in ((), (site.topology, "--endpoints", site.endpoints)):
        outcome = geoplan("push", *words, "--history")
        assert outcome.code == 0
        assert M1 in outcome.stdout
        assert broken.name in outcome.stdout.replace("\n", "")
        assert "1 journal cannot be read" in outcome.stderr


def test_every_other_use_wants_a_topology(geoplan: Geoplan) -> None:
    for option in ("--status", "--yes", "--resume"):
        outcome = geoplan("push", option)
        assert outcome.code == 2
        assert "TOPOLOGY" in outcome.stderr


@pytest.mark.parametrize("reader", ["head -n 1", "jq -r '.pushes[0].outcome'"])
def test_history_goes_through_a_pipe(make_site: MakeSite, geoplan: Geoplan, reader: str) -> None:
    site = make_site("5.1")
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    form = "json" if "jq" in reader else "text"
    command = f"{sys.executable} -m geoplan push --history --format {form} | {reader}"
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "done" in ended.stdout
