"""``geoplan export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.ansible_folder import serial_of
from geoplan.cli.files import load_topology, write
from geoplan.cli.formats import require_yaml
from geoplan.cli.options import Group, output_option, phase_option, site_option, topology_argument
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from geoplan.render.cloudformation import Template


@click.group("export", cls=Group)
def command() -> None:
    """Write files for other tools: AWS CloudFormation, for the load balancers in front of pairs in AWS, and Ansible.

    \b
      geoplan export cloudformation my.yaml --site dublin -o dublin.yaml
      geoplan export ansible my.yaml -o my-ansible/

    Each one's --help describes what is written and how to use it.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines


@command.command("cloudformation", short_help="Write a template for the Network Load Balancers in AWS.")
@topology_argument
@site_option("Only this HA pair, in place of all that have aws")
@output_option
def cloudformation(path: str, sites: tuple[str, ...], output: str | None) -> None:
    """Write a template for AWS CloudFormation: the Network Load Balancers of section 6.1.

    For each HA pair with aws it creates the load balancer with its Elastic IPs, a target group for each protocol and
    port of targets with the health check that finds the active unit, the listeners, the load balancer's security
    group, and the rules of the units' own groups: synchronisation, health check, SSH between GEO sites, operators.
    Clients reach the units through the load balancer alone.

    A stack belongs to one region. If the pairs are in several, write a template for each region with --site. A
    template for one pair has no prefixes; in one for several pairs, every name begins with that of its site.

    \b
    Parameters of a deployment (in a template for several pairs, all but OperatorCidr once for each):
      MasterSecurityGroupId   the security groups of the units. They may be the same group: each
      SlaveSecurityGroupId    rule is then created once. Two pairs cannot share a group.
      OperatorCidr            where you and geoplan connect from: API and health check
      ClientCidr              where clients of the load balancer are; everywhere, unless it is internal
      MasterInstanceId        only where the topology has no instance_id
      SlaveInstanceId
    If units have IPv6 addresses, there are also OperatorCidrIpv6 and ClientCidrIpv6.

    \b
      geoplan export cloudformation my.yaml --site dublin -o dublin.yaml
      aws cloudformation deploy --region eu-west-1 --stack-name dublin --template-file dublin.yaml \\
        --parameter-overrides OperatorCidr=192.0.2.0/24 MasterSecurityGroupId=sg-… SlaveSecurityGroupId=sg-…
    A template of more than 51,200 bytes needs --s3-bucket as well; the command is then printed.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from geoplan.render.cloudformation import make_template
    from geoplan.render.cloudformation.limits import crowded_groups

    require_yaml(output)
    template = make_template(load_topology(path), *sites)
    write(template.text, output)
    for sentence in crowded_groups(template.pairs):
        click.echo(f"geoplan: warning: {sentence}\n  hint: see Service Quotas in your account, Amazon VPC", err=True)
    _say_how_to_deploy_by_bucket(template, output)


@command.command("ansible", short_help="Write an inventory, a playbook and a role that push each group from its host.")
@topology_argument
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    required=True,
    help="The folder to write; other files in it stay.",
)
@click.option(
    "--region",
    "regions",
    metavar="NAME=GROUP",
    multiple=True,
    help="Push this group from the host of a region, in place of one of its own (repeatable).",
)
@phase_option
@click.option(
    "--serial",
    metavar="N|N%",
    default="1",
    show_default=True,
    callback=serial_of,
    help="How many hosts push at the same time.",
)
@click.option(
    "--max-fail-percentage",
    metavar="N",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="How many of these may fail, in percent, before no other begins.",
)
def ansible(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    output: str,
    regions: tuple[str, ...],
    phase: str | None,
    serial: int | str,
    max_fail_percentage: int,
) -> None:
    """Write a folder for Ansible: each group of the topology is pushed by geoplan on a host that reaches its units.

    The inventory has a host for each group, or for each region that you name, with the checksum of each group's plan:
    a push of anything else is refused. A playbook runs a role there. With --check it compares units with the plan and
    changes nothing; without, it pushes. Journals are brought back to the controller, and backups stay on the host.

    Hosts push one after the other, and after a failure no other begins, unless --serial and --max-fail-percentage say
    otherwise. The README in the folder says where to put addresses of hosts and secrets; none is in what is written.

    \b
      geoplan export ansible my.yaml -o fleet/
      geoplan export ansible my.yaml -o fleet/ --region europe=shop --region europe=bank
      ansible-playbook -i fleet/inventory.yaml fleet/push.yaml --check
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from geoplan.cli.ansible_folder import export

    export(path, output, regions=regions, phase=phase, serial=serial, max_fail_percentage=max_fail_percentage)


def _say_how_to_deploy_by_bucket(template: Template, output: str | None) -> None:
    from geoplan.aws import TEMPLATE_BYTES_IN_REQUEST
    from geoplan.render.cloudformation.limits import is_for_bucket, size_of

    if not is_for_bucket(template.text):
        return
    file = "TEMPLATE" if output in (None, "-") else str(output)
    where = ("--region", template.region, "--stack-name", "STACK", "--template-file", file, "--s3-bucket", "BUCKET")
    values = [f"{name}=VALUE" for name in template.needed_parameters]
    click.echo(
        f"the template has {size_of(template.text):,} bytes, and AWS takes {TEMPLATE_BYTES_IN_REQUEST.most:,} in a "
        "request: deploy it by way of an S3 bucket of yours in that region\n  "
        + shell_command("aws", "cloudformation", "deploy", *where, "--parameter-overrides", *values),
        err=True,
    )
