"""``geoplan export``."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan import load_topology
from geoplan.render import cloudformation
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "aws-dublin-ohio.yaml"
DUBLIN = cloudformation.render(load_topology(EXAMPLE), "Dublin")


def test_template_of_a_site_by_its_slug(geoplan: Geoplan) -> None:
    outcome = geoplan("export", "cloudformation", EXAMPLE, "--site", "dublin")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, DUBLIN, "")


def test_site_that_is_named_twice_is_there_once(geoplan: Geoplan) -> None:
    assert geoplan("export", "cloudformation", EXAMPLE, "--site", "dublin", "--site", "Dublin").stdout == DUBLIN


def test_template_goes_into_a_file(tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("export", "cloudformation", EXAMPLE, "--site", "DUBLIN", "-o", tmp_path / "d.yaml")
    assert (outcome.code, outcome.stdout) == (0, "")
    assert (tmp_path / "d.yaml").read_text() == DUBLIN


def test_topology_comes_from_standard_input_and_is_not_replaced(tmp_path: Path, geoplan: Geoplan) -> None:
    written = EXAMPLE.read_text()
    assert geoplan("export", "cloudformation", "-", "--site", "dublin", stdin=written).stdout == DUBLIN
    copy = tmp_path / "my.yaml"
    copy.write_text(written)
    outcome = geoplan("export", "cloudformation", copy, "--site", "dublin", "-o", copy)
    assert (outcome.code, copy.read_text()) == (2, written)


@pytest.mark.parametrize(
    ("site", "told"),
    [
        (["--site", "dubln"], "hint: did you mean 'Dublin'?"),
        (["--site", "Singapore data centre"], "is a standalone"),
        ([], "hint: write a template for each: --site dublin or --site ohio"),
        (["--site", "dublin", "--site", "ohio"], "hint: write a template for each: --site dublin or --site ohio"),
    ],
)
def test_site_that_cannot_be_is_wrong_usage(site: list[str], told: str, tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("export", "cloudformation", EXAMPLE, *site, "-o", tmp_path / "d.yaml")
    assert (outcome.code, outcome.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert told in outcome.stderr


def test_topology_without_aws_is_told_what_to_add(geoplan: Geoplan) -> None:
    outcome = geoplan("export", "cloudformation", TOPOLOGIES / "section-5.4.yaml")
    assert outcome.code == 2
    assert "hint: add aws: {region: …, vpc_id: …, subnets: […], listeners: […]}" in outcome.stderr


def test_help_says_what_there_is_and_how_to_deploy(geoplan: Geoplan) -> None:
    assert "cloudformation" in geoplan("export", "--help").stdout
    shown = geoplan("export", "cloudformation", "--help").stdout
    for word in ("--site", "OperatorCidr", "ClientCidr", "MasterSecurityGroupId", "aws cloudformation deploy"):
        assert word in shown


def test_unknown_format_is_wrong_usage(geoplan: Geoplan) -> None:
    outcome = geoplan("export", "cloudfrmation", EXAMPLE)
    assert outcome.code == 2
    assert "cloudformation" in outcome.stderr
