"""``geoplan schema``, and the schema that is published."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from tests.conftest import TOPOLOGIES, Geoplan


def test_schemas_fit_what_they_describe(geoplan: Geoplan) -> None:
    of_topologies = json.loads(geoplan("schema", "topology").stdout)
    of_plans = json.loads(geoplan("schema", "plan").stdout)

    for path in TOPOLOGIES.glob("*.yaml"):
        jsonschema.validate(yaml.safe_load(path.read_text()), of_topologies)
        jsonschema.validate(json.loads(geoplan("plan", path, "--format", "json").stdout), of_plans)


@pytest.mark.parametrize(
    "site",
    [
        {"name": "A"},
        {"name": "A", "standalone": "10.0.0.1", "ha_pair": {"master": "10.0.0.2", "slave": "10.0.0.3"}},
        {"name": "A", "standalone": {"firmware": "7.2.59.4"}},
        {"name": "A", "standalon": "10.0.0.1"},
        {"name": "", "standalone": "10.0.0.1"},
    ],
)
def test_schema_refuses_what_has_another_shape(site: dict[str, object], geoplan: Geoplan) -> None:
    schema = json.loads(geoplan("schema", "topology").stdout)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"sites": [site]}, schema)


def test_published_schema_is_the_present_one(geoplan: Geoplan) -> None:
    assert (TOPOLOGIES / "topology.schema.json").read_text() == geoplan("schema", "topology").stdout


def test_examples_name_the_published_schema() -> None:
    for path in TOPOLOGIES.glob("*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=topology.schema.json\n")
