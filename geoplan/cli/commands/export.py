"""``geoplan export``."""

from __future__ import annotations

import click

from geoplan.cli.files import load_topology, write
from geoplan.cli.options import Group, output_option, topology_argument


@click.group("export", cls=Group)
def command() -> None:
    """Write what another engine carries out: AWS CloudFormation, for what stands in front of pairs in AWS.

    \b
      geoplan export cloudformation my.yaml --site dublin -o dublin.yaml

    geoplan export cloudformation --help says what the template makes, and how to deploy it.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines


@command.command("cloudformation", short_help="Write a template for AWS: the Network Load Balancers.")
@topology_argument
@click.option(
    "--site",
    "sites",
    metavar="NAME",
    multiple=True,
    help="This HA pair (repeatable), by its name in any case or its slug.  [default: all that have aws]",
)
@output_option
def cloudformation(path: str, sites: tuple[str, ...], output: str | None) -> None:
    """Write a template for AWS CloudFormation: the Network Load Balancers of section 6.1.

    For each HA pair with aws it makes the load balancer with its Elastic IPs, a target group for each protocol and
    port of targets with the health check that tells the active unit, the listeners, the load balancer's security
    group, and the rules of the units' own groups: synchronisation, health check, SSH between GEO sites, operators,
    clients.

    A stack is of one region: where the pairs are in several, write a template for each with --site. A template for
    one pair has no prefixes; in one for several, every name begins with its site's.

    \b
    Parameters of a deployment (in a template for several pairs, all but OperatorCidr once for each):
      MasterSecurityGroupId   groups that the units are in. They may be one group: AWS refuses a
      SlaveSecurityGroupId    rule that a group has already, so each is then made once. Two pairs
                              cannot share a group.
      OperatorCidr            where you and geoplan reach the units from: API and health check
      ClientCidr              where clients come from; everyone, unless the balancer is internal
      MasterInstanceId        only where the topology has no instance_id
      SlaveInstanceId
    Where units have IPv6 addresses, OperatorCidrIpv6 and ClientCidrIpv6 come in.

    \b
      geoplan export cloudformation my.yaml --site dublin -o dublin.yaml
      aws cloudformation deploy --region eu-west-1 --stack-name dublin --template-file dublin.yaml \\
        --parameter-overrides OperatorCidr=192.0.2.0/24 MasterSecurityGroupId=sg-… SlaveSecurityGroupId=sg-…
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from geoplan.render.cloudformation import render

    write(render(load_topology(path), *sites), output)
