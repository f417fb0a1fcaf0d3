"""Templates for CloudFormation: read, linted, and tried on assignments of their parameters."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import yaml

from geoplan import Topology
from geoplan.render import cloudformation

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0d0b11a1-c0ff-4ee0-8000-000000000001"


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]  # its base is chosen above
    """Reads the short functions as the long ones that they stand for."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if suffix == "Ref":
        assert isinstance(node, yaml.ScalarNode)
        return {"Ref": loader.construct_scalar(node)}
    if suffix == "GetAtt":
        assert isinstance(node, yaml.ScalarNode)
        return {"Fn::GetAtt": str(loader.construct_scalar(node)).split(".")}
    assert isinstance(node, yaml.SequenceNode)
    return {f"Fn::{suffix}": loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


def read(text: str) -> dict[str, Any]:
    """Return a template as plain values, functions in their long form."""
    template = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from the safe one
    assert isinstance(template, dict)
    return template


def template_of(topology: Topology, site: str | None = None) -> dict[str, Any]:
    """Return the template of a topology as plain values."""
    return read(cloudformation.render(topology, site))


def require_linter() -> None:
    """Skip the test if pyproject.toml leaves cfn-lint out for this Python."""
    if sys.version_info >= (3, 15):
        pytest.skip("no release of cfn-lint takes Python 3.15")


@cache
def _linter() -> Any:
    from cfnlint.config import ConfigMixIn, ManualArgs
    from cfnlint.runner import Runner

    return Runner(ConfigMixIn(**ManualArgs(regions=["eu-west-1", "us-east-2"], include_checks=["I"])))


def lint(text: str) -> list[str]:
    """Return everything that cfn-lint has to say of a template, its mere information too."""
    require_linter()
    from cfnlint.decode.decode import decode_str

    template, faults = decode_str(text)
    return [str(fault) for fault in (*faults, *(_linter().validate_template(template) if template else ()))]


def pair(number: int = 1, **aws: Any) -> dict[str, Any]:
    """Return an HA pair with a load balancer, as a topology writes it."""
    return {
        "master": {"address": f"10.{number}.1.5", "instance_id": f"i-000000{number}1"},
        "slave": {"address": f"10.{number}.2.5", "instance_id": f"i-000000{number}2"},
        "aws": {
            "region": "eu-west-1",
            "vpc_id": f"vpc-0000000{number}",
            "subnets": [
                {"subnet_id": f"subnet-000000{number}1", "allocation_id": f"eipalloc-000000{number}1"},
                {"subnet_id": f"subnet-000000{number}2", "allocation_id": f"eipalloc-000000{number}2"},
            ],
            "listeners": [{"protocol": "TCP", "port": 80}],
            **aws,
        },
    }


def topology(*sites: Mapping[str, Any], **more: Any) -> Topology:
    """Return a topology; a site without a unit of its own gets a pair."""
    return Topology.model_validate({"name": "trial", "sites": sites, **more})


def one_pair(**aws: Any) -> Topology:
    """Return a topology of one pair whose load balancer has certain settings."""
    return topology({"name": "Dublin", "ha_pair": pair(**aws)})


INTERNAL = {"scheme": "internal", "subnets": [{"subnet_id": "subnet-00000011"}, {"subnet_id": "subnet-00000012"}]}


def over_ipv6(number: int = 1) -> dict[str, Any]:
    """Return a pair whose units are known by IPv6 addresses alone."""
    listeners = [{"protocol": "TCP", "port": 443}, {"protocol": "TCP_UDP", "port": 53}]
    drawn = pair(number, listeners=listeners)
    drawn["master"]["address"], drawn["slave"]["address"] = "2001:db8::5", "2001:db8::6"
    return drawn


def variants() -> dict[str, Topology]:
    """Return topologies that bring out everything that a template can hold."""
    tls = {"protocol": "TLS", "port": 443, "certificate_arn": CERTIFICATE}
    unknown = {**pair(), "master": "10.1.1.5", "slave": "10.1.2.5"}
    mixed = pair(listeners=[{"protocol": "TCP", "port": 443}])
    mixed["slave"]["address"] = "2001:db8::6"
    often = {**pair(), "health_check": {"port": 8555, "interval_seconds": 5, "unhealthy_threshold": 3}}
    api = pair(listeners=[{"protocol": "TCP", "port": 443}])
    api["master"]["api"] = "https://10.1.1.5:9443"
    return {
        "internal": one_pair(**INTERNAL, listeners=[tls]),
        "every protocol": one_pair(
            listeners=[
                {"protocol": "TCP", "port": 80, "target_port": 8080},
                {"protocol": "TCP", "port": 81, "target_port": 8080},
                {"protocol": "UDP", "port": 514},
                {"protocol": "TCP_UDP", "port": 53},
                {"protocol": "TCP", "port": 54, "target_protocol": "TCP_UDP", "target_port": 53},
                tls,
                {**tls, "port": 444, "target_protocol": "TLS"},
            ]
        ),
        "without Elastic IPs": one_pair(subnets=[{"subnet_id": "subnet-00000011"}]),
        "instances unknown": topology({"name": "Dublin", "ha_pair": unknown}),
        "over IPv6": topology({"name": "Dublin", "ha_pair": over_ipv6()}, {"name": "Far", "standalone": "2001:db8::9"}),
        "families mixed": topology({"name": "Dublin", "ha_pair": mixed}),
        "checked often": topology({"name": "Dublin", "ha_pair": often}),
        "API on a port of its own": topology({"name": "Dublin", "ha_pair": api}),
        "partners": topology(
            {"name": "Dublin", "ha_pair": pair(), "extra_remote_geo_access": ["172.24.1.5", "2001:db8::9"]},
            {"name": "Zürich & Söhne \N{SNOWMAN}", "standalone": {"address": "192.0.2.5", "nat_address": "10.2.0.5"}},
        ),
        "several in a region": topology(
            {"name": "Dublin", "ha_pair": pair(1, listeners=[{"protocol": "TCP", "port": 443}])},
            {
                "name": "dublin-north",
                "ha_pair": pair(2, listeners=[{"protocol": "UDP", "port": 53}], tags={"Name": "x"}),
            },
            {"name": "東京", "ha_pair": over_ipv6(3)},
        ),
    }
