"""``geoplan export``."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from geoplan import load_topology
from geoplan.render import cloudformation
from tests.conftest import TOPOLOGIES, Geoplan
from tests.render.templates import read

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


def in_one_region(tmp_path: Path, *, pairs: int, partners: int = 0, listeners: int = 1) -> Path:
    """Write a topology of pairs in eu-west-1, each with GEO units outside the topology."""
    document = yaml.safe_load(EXAMPLE.read_text())
    dublin = document["sites"][0]["ha_pair"]["aws"]
    aws = {
        "region": dublin["region"],
        "vpc_id": dublin["vpc_id"],
        "scheme": "internal",
        "subnets": [{"subnet_id": each["subnet_id"]} for each in dublin["subnets"]],
        "listeners": [{"protocol": "TCP", "port": 1000 + number} for number in range(listeners)],
    }
    sites = [
        {
            "name": f"Pair {place}",
            "ha_pair": {"master": f"10.{place}.1.5", "slave": f"10.{place}.2.5", "aws": aws},
            "extra_remote_geo_access": [f"172.16.{place}.{number}" for number in range(1, partners + 1)],
        }
        for place in range(1, pairs + 1)
    ]
    path = tmp_path / "one region.yaml"
    path.write_text(yaml.safe_dump({"sites": sites}))
    return path


def test_template_too_large_for_a_request_comes_with_the_command_that_takes_it_from_a_bucket(
    tmp_path: Path, geoplan: Geoplan
) -> None:
    path, output = in_one_region(tmp_path, pairs=6), tmp_path / "a template.yaml"
    outcome = geoplan("export", "cloudformation", path, "-o", output)
    assert outcome.code == 0
    assert output.stat().st_size > 51_200
    words = shlex.split(outcome.stderr.splitlines()[-1])
    assert words[:3] == ["aws", "cloudformation", "deploy"]
    assert words[words.index("--s3-bucket") + 1] == "BUCKET"
    assert words[words.index("--template-file") + 1] == str(output)
    assert words[words.index("--region") + 1] == "eu-west-1"
    given = {word.partition("=")[0] for word in words[words.index("--parameter-overrides") + 1 :]}
    parameters = read(output.read_text())["Parameters"]
    assert given == {name for name, body in parameters.items() if "Default" not in body}
    assert "--template-file TEMPLATE --s3-bucket" in geoplan("export", "cloudformation", path).stderr


def test_template_of_too_many_resources_is_refused_with_site_as_the_way(tmp_path: Path, geoplan: Geoplan) -> None:
    path, output = in_one_region(tmp_path, pairs=12), tmp_path / "t.yaml"
    refused = geoplan("export", "cloudformation", path, "-o", output)
    assert refused.code == 2
    assert "AWS takes 500 resources of a template" in refused.stderr
    assert "--site" in refused.stderr
    assert not output.exists()
    assert geoplan("export", "cloudformation", path, "--site", "Pair 1", "--site", "Pair 2").code == 0


@pytest.mark.parametrize(
    ("size", "is_most", "way"),
    [
        ({"partners": 250}, "GEO units elsewhere", "extra_remote_geo_access"),
        ({"listeners": 120}, "its listeners", "fewer listeners"),
    ],
)
def test_pair_of_too_many_resources_is_refused_with_what_they_are(
    size: dict[str, int], is_most: str, way: str, tmp_path: Path, geoplan: Geoplan
) -> None:
    path = in_one_region(tmp_path, pairs=1, **size)
    refused = geoplan("export", "cloudformation", path)
    assert refused.code == 2
    assert "the template of 'Pair 1' is too large: AWS takes 500 resources of a template" in refused.stderr
    hint = refused.stderr.partition("  hint: most ")[2]
    assert hint.startswith(f"belong to {is_most}"), refused.stderr
    assert way in hint
    assert "--site" not in refused.stderr


@pytest.mark.parametrize(
    ("partners", "listeners", "told"),
    [
        (54, 1, []),
        (55, 1, ["a security group of the units of 'Pair 1' gets 61 rules"]),
        (0, 29, []),
        (0, 30, ["a security group of the load balancer of 'Pair 1' gets 62 rules"]),
    ],
)
def test_group_with_more_rules_than_the_default_quota_is_told(
    partners: int, listeners: int, told: list[str], tmp_path: Path, geoplan: Geoplan
) -> None:
    path = in_one_region(tmp_path, pairs=1, partners=partners, listeners=listeners)
    outcome = geoplan("export", "cloudformation", path)
    assert outcome.code == 0
    warnings = [line for line in outcome.stderr.splitlines() if "warning" in line]
    assert [line.partition("warning: ")[2].partition(";")[0] for line in warnings] == told
    assert all("the default quota of AWS is 60" in line for line in warnings)
