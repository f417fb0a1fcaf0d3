"""The Amazon EC2 console (section 6.1): screens, labels and buttons, and names that it takes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from geoplan.aws import BALANCER_NAME_LENGTH, console_host
from geoplan.render.runbook.prose import Label, Url, Value
from geoplan.render.runbook.wui import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable

LOAD_BALANCERS = Screen(Label("Load Balancing > Load Balancers"), "document")
TARGET_GROUPS = Label("Load Balancing > Target Groups")
TARGETS_SCREEN = Screen(TARGET_GROUPS, "document")

REGION = Label("Region")
CREATE_LOAD_BALANCER = Label("Create Load Balancer")
NETWORK_LOAD_BALANCER = Label("Network Load Balancer")
CREATE = Label("Create")
NAME = Label("Name")
SCHEME = Label("Scheme")
LISTENERS = Label("Listeners")
VPC = Label("VPC")
AVAILABILITY_ZONES = Label("Availability Zones")
CHOOSE_ELASTIC_IP = Label("Choose an Elastic IP")
TAGS = Label("Tags")
TARGET_GROUP = Label("Target group")
TARGET_TYPE = Label("Target type")
INSTANCE = Label("Instance")
PROTOCOL = Label("Protocol")
PORT = Label("Port")
HEALTH_CHECK_PROTOCOL = Label("Health check Protocol")
HEALTH_CHECK_PATH = Label("Health check Path")
ADVANCED = Label("Advanced health check settings")
OVERRIDE = Label("override")
HEALTHY_THRESHOLD = Label("Healthy threshold")
UNHEALTHY_THRESHOLD = Label("Unhealthy threshold")
INTERVAL = Label("Interval")
ADD_TO_REGISTERED = Label("Add to registered")

# The console of today; the document has no name for these.
TARGETS = Label("Targets")
DNS_NAME = Label("DNS name")
DEREGISTER = Label("Deregister")
REGISTER_TARGETS = Label("Register targets")
INCLUDE_AS_PENDING = Label("Include as pending below")
REGISTER_PENDING = Label("Register pending targets")
CROSS_ZONE = Label("cross-zone load balancing")

LONGEST_STEM = BALANCER_NAME_LENGTH.most - len("-tcp-udp-65535")


def console_of(region: str) -> Url:
    """Return where the EC2 console of a region is."""
    return Url(f"https://{console_host(region)}/ec2/home?region={region}")


CONSOLE = Url("https://console.aws.amazon.com/ec2/home")
"""Where it is when the region is not known."""


def stems_of(sites: Iterable[str]) -> dict[str, str]:
    """Give each site what the names of its load balancer and target groups begin with: a to z, digits and hyphens.

    No two are the same, and there is room for every ending within the 32 characters that AWS allows.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for site in sites:
        letters = unicodedata.normalize("NFKD", site).encode("ascii", "ignore").decode().lower()
        plain = re.sub(r"[^a-z0-9]+", "-", letters).strip("-") or "pair"
        if f"{plain}-".startswith("internal-"):  # AWS keeps that for itself, and a hyphen follows the stem
            plain = f"lm-{plain}"
        stem, number = plain[:LONGEST_STEM].rstrip("-"), 2
        while stem in taken:
            stem = f"{plain[: LONGEST_STEM - len(f'-{number}')].rstrip('-')}-{number}"
            number += 1
        taken.add(stem)
        stems[site] = stem
    return stems


def balancer_name(stem: str) -> Value:
    """Return a name for the load balancer of a pair."""
    return Value(f"{stem}-nlb")


def target_group_name(stem: str, protocol: str, port: int) -> Value:
    """Return a name for the target group of a protocol and port."""
    return Value(f"{stem}-{protocol.lower().replace('_', '-')}-{port}")
