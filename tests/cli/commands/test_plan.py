"""``geoplan plan``."""

from __future__ import annotations

import json

import pytest
import yaml

from geoplan import Plan, load_topology, make_plan
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"


def test_plan_from_standard_input_is_called_stdin(geoplan: Geoplan) -> None:
    outcome = geoplan("plan", "-", "--format", "json", stdin="sites: [{name: A, standalone: 10.0.0.1}]")

    assert json.loads(outcome.stdout)["topology"] == "stdin"


def test_warnings_go_to_standard_error_and_do_not_stop_a_plan(geoplan: Geoplan) -> None:
    mixed = "sites: [{name: A, standalone: 10.0.0.1}, {name: B, standalone: 2001:db8::1}]"
    outcome = geoplan("plan", "-", "--format", "json", stdin=mixed)

    assert outcome.code == 0
    assert "warning: GEO504" in outcome.stderr
    assert len(json.loads(outcome.stdout)["sites"]) == 2


def test_plan_as_json_has_the_keys_of_the_design(geoplan: Geoplan) -> None:
    plan = json.loads(geoplan("plan", EXAMPLE, "--format", "json").stdout)

    keys = ["format", "topology", "checksum", "groups", "sites", "clusters", "steps"]
    assert list(plan)[: len(keys)] == keys
    assert plan["format"] == "geoplan/plan/1"
    assert set(plan["groups"][0]) >= {"name", "section", "sites"}
    assert set(plan["sites"][0]) >= {"name", "kind", "group", "units", "remote_geo_access", "geo_partners"}
    assert set(plan["sites"][0]["units"][0]) >= {"address", "role"}
    assert set(plan["clusters"][0]) >= {"group", "site", "name", "address", "type"}
    step_keys = {"number", "id", "action", "site", "on", "after", "section", "why", "note"}
    assert set(plan["steps"][0]) >= step_keys
    assert plan["steps"][0]["on"] == {"site": "HA Pair 1", "unit": "active"}
    assert plan["steps"][0]["id"] == "ha-pair-1/set-remote-geo-access"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_plan_is_read_back_to_an_equal_one(form: str, geoplan: Geoplan) -> None:
    written = geoplan("plan", EXAMPLE, "--format", form).stdout
    read = Plan.model_validate_json(written) if form == "json" else Plan.model_validate(yaml.safe_load(written))

    assert read == make_plan(load_topology(EXAMPLE))
