"""What AWS fixes: its partitions, and the limits of what is in front of a pair there; each with its source."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

BALANCING = "Elastic Load Balancing, Quotas for your Network Load Balancers"
CLOUDFORMATION = "AWS CloudFormation, Understand CloudFormation quotas"
TAGGING = "Tagging AWS resources"
VPC = "Amazon VPC quotas"


class Partition(NamedTuple):
    """A part of AWS with accounts, certificates and a console of its own."""

    name: str
    """As ARNs have it: ``aws-cn``."""
    regions: str
    """The pattern of its regions."""
    domain: str
    """What the names of its console and of its sign-in end with."""


# botocore has names and regions of the partitions, and their domains as those of the service "signin".
PARTITIONS = (
    Partition("aws-cn", "cn-[a-z]+-[1-9][0-9]?", "amazonaws.cn"),
    Partition("aws-us-gov", "us-gov-[a-z]+-[1-9][0-9]?", "amazonaws-us-gov.com"),
    Partition("aws-eusc", "eusc-[a-z]{2}-[a-z]+-[1-9][0-9]?", "amazonaws-eusc.eu"),
    Partition("aws-iso", "us-iso-[a-z]+-[1-9][0-9]?", "c2shome.ic.gov"),
    Partition("aws-iso-b", "us-isob-[a-z]+-[1-9][0-9]?", "sc2shome.sgov.gov"),
    Partition("aws-iso-e", "eu-isoe-[a-z]+-[1-9][0-9]?", "csphome.adc-e.uk"),
    Partition("aws-iso-f", "us-isof-[a-z]+-[1-9][0-9]?", "csphome.hci.ic.gov"),
    Partition("aws", "[a-z]{2}-[a-z]+-[1-9][0-9]?", "aws.amazon.com"),
)
REGION = f"(?:{'|'.join(partition.regions for partition in PARTITIONS)})"


def partition_of(region: str) -> Partition:
    """Return the partition of a region; raises :class:`ValueError` for what is no region."""
    for partition in PARTITIONS:
        if re.fullmatch(partition.regions, region):
            return partition
    raise ValueError(f"{region!r} is no region of AWS")


def console_host(region: str) -> str:
    """Return the host of a region's console."""
    return f"{region}.console.{partition_of(region).domain}"


class Limit(NamedTuple):
    """How much AWS takes of something."""

    most: int
    of: str
    source: str


TEMPLATE_BYTES_IN_REQUEST = Limit(51_200, "bytes of a template in a request", CLOUDFORMATION)
TEMPLATE_BYTES_IN_BUCKET = Limit(1_000_000, "bytes of a template in an S3 bucket", CLOUDFORMATION)
TEMPLATE_RESOURCES = Limit(500, "resources of a template", CLOUDFORMATION)
TEMPLATE_PARAMETERS = Limit(200, "parameters of a template", CLOUDFORMATION)
TEMPLATE_OUTPUTS = Limit(200, "outputs of a template", CLOUDFORMATION)
NAME_LENGTH = Limit(255, "characters of the name of a parameter, resource or output", CLOUDFORMATION)
DESCRIPTION_LENGTH = Limit(255, "characters of the description of a rule", "EC2, AuthorizeSecurityGroupIngress")
BALANCER_NAME_LENGTH = Limit(32, "characters of the name of a load balancer or target group", BALANCING)
LISTENERS = Limit(50, "listeners of a Network Load Balancer", BALANCING)
RULES_OF_GROUP = Limit(60, "inbound rules of a security group, and outbound ones, of each IP version", VPC)
TAGS = Limit(50, "tags of a resource", TAGGING)
TAG_VALUE_LENGTH = Limit(256, "characters of a tag's value", TAGGING)

TAG_MARKS = set("_.:/=+-@")  # beside letters, digits and spaces (Elastic Load Balancing, Tag)


def fits_tag(mark: str) -> bool:
    """Return whether a load balancer's tags can have this character."""
    return unicodedata.category(mark)[0] in "LNZ" or mark in TAG_MARKS
