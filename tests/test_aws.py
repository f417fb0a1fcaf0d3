"""What AWS fixes, held to what its own SDK and the linter of its templates know."""

from __future__ import annotations

import re

import pytest

from geoplan import aws


def sdk_partitions() -> list[dict[str, object]]:
    from botocore.loaders import Loader

    partitions = Loader().load_data("partitions")["partitions"]
    assert isinstance(partitions, list)
    return partitions


def sdk_sign_in() -> str:
    """Return what botocore knows of where one signs in, in each partition."""
    from botocore.loaders import Loader

    return str(Loader().load_service_model("signin", "endpoint-rule-set-1"))


def test_partitions_are_those_of_the_sdk() -> None:
    assert {str(each["id"]) for each in sdk_partitions()} <= {each.name for each in aws.PARTITIONS}


@pytest.mark.parametrize("partition", sdk_partitions(), ids=lambda each: str(each["id"]))
def test_each_region_of_the_sdk_is_one_of_its_partition(partition: dict[str, object]) -> None:
    regions = partition["regions"]
    assert isinstance(regions, dict)
    real = [region for region in regions if not region.endswith("-global")]
    assert real
    for region in real:
        assert re.fullmatch(aws.REGION, region)
        assert aws.partition_of(region).name == partition["id"]
        assert re.fullmatch(str(partition["regionRegex"]), region)


@pytest.mark.parametrize("partition", aws.PARTITIONS, ids=lambda each: each.name)
def test_console_is_beside_the_sign_in_of_the_sdk(partition: aws.Partition) -> None:
    assert f"https://{{Region}}.signin.{partition.domain}'" in sdk_sign_in()


def test_a_region_is_of_one_partition_alone() -> None:
    for partition in sdk_partitions():
        regions = partition["regions"]
        assert isinstance(regions, dict)
        for region in regions:
            matching = [each.name for each in aws.PARTITIONS if re.fullmatch(each.regions, region)]
            assert matching in ([partition["id"]], ["aws-cn", "aws"], []), region


@pytest.mark.parametrize("text", ["", "eu-west-1a", "eu-west", "ireland", "eu-west-0", "EU-WEST-1", "aws-global"])
def test_what_is_no_region_has_no_partition(text: str) -> None:
    assert not re.fullmatch(aws.REGION, text)
    with pytest.raises(ValueError, match="no region"):
        aws.partition_of(text)


def test_limits_of_templates_are_those_of_the_linter() -> None:
    helpers = pytest.importorskip("cfnlint.helpers", reason="no release of cfn-lint takes this Python")
    limits = helpers.LIMITS
    assert limits["template"]["body"] == aws.TEMPLATE_BYTES_IN_BUCKET.most
    for section, limit in (
        ("Resources", aws.TEMPLATE_RESOURCES),
        ("Parameters", aws.TEMPLATE_PARAMETERS),
        ("Outputs", aws.TEMPLATE_OUTPUTS),
    ):
        assert limits[section]["number"] == limit.most
        assert limits[section]["name"] == aws.NAME_LENGTH.most


def test_every_limit_has_a_source() -> None:
    limits = [value for value in vars(aws).values() if isinstance(value, aws.Limit)]
    assert limits
    assert all(limit.most > 0 and limit.of and limit.source for limit in limits)
