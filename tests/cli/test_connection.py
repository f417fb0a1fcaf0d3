"""Where a command goes: a lab, whose file names every unit, or the network; and that a push says so before it asks."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import yaml

from geoplan.lab.request_log import logger
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import Site

__all__ = ["make_site"]

NEW_UNIT = "192.0.2.9"


def with_new_site(site: Site) -> Path:
    """Return the topology with a site that came after its lab was started."""
    document = yaml.safe_load(site.topology.read_text())
    document["sites"].append({"name": "Paris", "standalone": NEW_UNIT})
    path = site.topology.parent / "grown.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["push", "--yes"],
        ["push", "--dry-run"],
        ["push", "--only-preflight"],
        ["push", "--yes", "--resume"],
        ["diff"],
        ["status"],
        ["status", "--watch"],
        ["trust", "--yes"],
        ["upgrade", "--live", "--to", "7.2.60.1"],
        ["plan", "--live"],
    ],
    ids=" ".join,
)
def test_unit_that_the_lab_does_not_name_is_refused_before_any_connection(
    geoplan: Geoplan,
    make_site: MakeSite,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    arguments: list[str],
) -> None:
    site = make_site("5.3")
    monkeypatch.delenv("GEOPLAN_PASSWORD")  # what comes before credentials comes before connections
    caplog.set_level(logging.INFO, logger.name)
    name, *options = arguments
    ended = geoplan(name, with_new_site(site), "--endpoints", site.endpoints, *options)
    assert (ended.code, ended.stdout) == (4 if name == "push" else 2, "")
    assert f"{NEW_UNIT} ('Paris')" in ended.stderr
    assert "172.24.1.5" not in ended.stderr
    assert "hint: start geoplan lab anew with this topology" in ended.stderr
    assert caplog.records == []  # none of its units was asked either
    assert site.journals() == []


def test_push_says_that_it_goes_to_a_lab_before_it_asks(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints)
    assert ended.code == 4  # there is no terminal to ask on
    assert ended.stdout.splitlines()[0] == f"push to the lab of {site.endpoints}"
    told = geoplan("push", site.topology, "--endpoints", site.endpoints, "--format", "json")
    first = json.loads(told.stdout.splitlines()[0])
    assert (first["event"], first["destination"], first["lab_file"]) == ("destination", "lab", str(site.endpoints))


def test_push_says_that_it_goes_to_the_network(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    content = yaml.safe_load(site.endpoints.read_text())
    del content["control"]  # pins of real LoadMasters have none
    site.endpoints.write_text(yaml.safe_dump(content))
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--only-preflight")
    assert ended.stdout.splitlines()[0] == "push to the network: these are real LoadMasters"
    told = geoplan("push", site.topology, "--endpoints", site.endpoints, "--only-preflight", "--format", "json")
    assert json.loads(told.stdout.splitlines()[0])["destination"] == "network"


def test_push_says_that_it_goes_to_an_embedded_lab(geoplan: Geoplan) -> None:
    topology = TOPOLOGIES / "section-5.1.yaml"
    ended = geoplan("push", topology, "--lab", "--only-preflight", "--format", "json")
    assert json.loads(ended.stdout.splitlines()[0])["destination"] == "embedded_lab"
