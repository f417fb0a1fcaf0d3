"""The voices of the steps that make a pair: load balancer, HA parameters, and a look at both (6.1, 6.2, 8)."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import ec2, trouble_ha, wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.logins import log_in, log_in_to_both
from geoplan.render.runbook.model import Button, Choice, Field, Login, Task
from geoplan.render.runbook.prose import Name, Pasted, Prose, Value, count, listing, prose
from geoplan.render.runbook.voices import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Step
    from geoplan.plan.pairs import HaParameters, HealthCheckTiming, LoadBalancer, PlannedListener, PlannedSubnet
    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.model import Move

IN_SERVICE = Value("InService")  # section 6.2
OUT_OF_SERVICE = Value("OutOfService")


def _log_in_to_aws(step: Step, bearings: RunbookContext) -> Login:
    region = _balancer(step, bearings).region
    return Login(prose("the Amazon EC2 console, for {}", Name(step.site)), ec2.console_of(region))


def _balancer(step: Step, bearings: RunbookContext) -> LoadBalancer:
    balancer = bearings.ha_pairs[step.site].load_balancer
    if balancer is None:
        message = f"{step.id} is a step of a pair without a load balancer"
        raise ValueError(message)
    return balancer


def _balancer_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    balancer = _balancer(step, bearings)
    stem = bearings.names_in_aws[step.site]
    template = Pasted(f"geoplan export cloudformation TOPOLOGY --site {shlex.quote(step.site)}")
    words = (
        "By hand as follows; or by a template for AWS CloudFormation that makes the same: {} with your topology file."
    )
    yield Task(prose(words, template))
    yield Choice(ec2.REGION, Value(balancer.region), prose("Top right in the console."))
    words = "Press {}, and under {} press {}. Where the console asks for target groups first, make those first; they "
    words += "are described at the end of this step."
    yield Task(prose(words, ec2.CREATE_LOAD_BALANCER, ec2.NETWORK_LOAD_BALANCER, ec2.CREATE))
    free = prose("Or another name: up to 32 letters, digits and hyphens.")
    yield Field(ec2.NAME, ec2.balancer_name(stem), free)
    yield Choice(ec2.SCHEME, Value(balancer.scheme))
    for listener in balancer.listeners:
        yield _listener(listener, stem)
    yield Field(ec2.VPC, Value(balancer.vpc_id))
    for subnet in balancer.subnets:
        yield _subnet(subnet, balancer)
    if balancer.tags:
        tags = [prose("{} = {}", Value(key), Value(value)) for key, value in balancer.tags.items()]
        yield Task(prose("{}: {}.", ec2.TAGS, listing(tags)))
    yield from _target_groups(step, bearings)
    yield Button(ec2.CREATE)
    if len(balancer.subnets) > 1:
        words = "Then turn {} on, in the load balancer's attributes: each zone has but one unit, and without it a "
        words += "zone whose unit is the standby reaches nobody."
        yield Task(prose(words, ec2.CROSS_ZONE))


def _listener(listener: PlannedListener, stem: str) -> Task:
    group = ec2.target_group_name(stem, listener.target.protocol, listener.target.port)
    words = "{}: add {} on port {}, to the target group {}."
    line = prose(words, ec2.LISTENERS, Value(listener.protocol), Value(str(listener.port)), group)
    if listener.certificate_arn:
        line = prose("{} Its certificate: {}", line, Pasted(listener.certificate_arn))
    return Task(line)


def _subnet(subnet: PlannedSubnet, balancer: LoadBalancer) -> Task:
    line = prose("{}: tick the one of the subnet {}", ec2.AVAILABILITY_ZONES, Value(subnet.subnet_id))
    if subnet.allocation_id:
        elastic = Value(subnet.allocation_id)
        return Task(prose("{}, select {}, and of those {}.", line, ec2.CHOOSE_ELASTIC_IP, elastic))
    if balancer.scheme == "internet-facing":
        return Task(prose("{}. The topology names no Elastic IP for it: AWS assigns an address.", line))
    return Task(prose("{}.", line))


def _target_groups(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    balancer = _balancer(step, bearings)
    for group in balancer.target_groups:
        name = ec2.target_group_name(bearings.names_in_aws[step.site], group.protocol, group.port)
        how = prose("{} {}, {} {}.", ec2.PROTOCOL, Value(group.protocol), ec2.PORT, Value(str(group.port)))
        yield Field(ec2.TARGET_GROUP, name, how)
    if len(balancer.target_groups) > 1:
        yield Task(prose("What follows is the same in each of these target groups."))
    yield Choice(ec2.TARGET_TYPE, ec2.INSTANCE)
    yield from _health_check(bearings.ha_pairs[step.site].health_check)
    units = bearings.pairs[step.site]
    instances = [
        prose(f"the {role}, {{}}", Value(instance) if instance else prose("the instance with {}", address))
        for role, instance, address in zip(
            ("master", "slave"), balancer.instances, (units.master, units.slave), strict=True
        )
    ]
    yield Task(prose("Select both units, {}, and press {}.", listing(instances), ec2.ADD_TO_REGISTERED))


def _health_check(check: HealthCheckTiming) -> Iterator[Move]:
    yield Choice(ec2.HEALTH_CHECK_PROTOCOL, Value("HTTP"))
    yield Choice(ec2.HEALTH_CHECK_PATH, Value("/"))
    words = "Under {}, for the port select {}, and enter {}: that is where the units answer, not where traffic goes."
    yield Task(prose(words, ec2.ADVANCED, ec2.OVERRIDE, Pasted(str(check.port))))
    within = f"With the interval: in service after {count(check.in_service_seconds, 'second')} at least."
    yield Choice(ec2.HEALTHY_THRESHOLD, Value(str(check.healthy_threshold)), prose(within))
    without = f"With the interval: out of service after {count(check.out_of_service_seconds, 'second')} at least."
    yield Choice(ec2.UNHEALTHY_THRESHOLD, Value(str(check.unhealthy_threshold)), prose(without))
    yield Choice(ec2.INTERVAL, Value(count(check.interval_seconds, "second")))


def _balancer_seen(step: Step, bearings: RunbookContext) -> Prose:
    name = ec2.balancer_name(bearings.names_in_aws[step.site])
    words = "The console lists {}. Under {} both units are registered in every target group, and none is in service: "
    return prose(words + "that is right, for they do not answer the health check yet.", name, ec2.TARGET_GROUPS)


def _parameter_moves(parameters: HaParameters) -> Iterator[Move]:
    newer = prose(f"Newer firmware says {'First' if parameters.mode == 'master' else 'Second'} for it.")
    yield Choice(wui.HA_MODE, wui.MODES[parameters.mode], newer)
    yield Choice(wui.PREFERRED_SERVER, wui.PREFERRED_CHOICE[parameters.preferred_host], _preferred(parameters))
    other = "slave" if parameters.mode == "master" else "master"
    yield Field(wui.PARTNER, Value(parameters.partner), prose(f"That is the {other}."))
    yield Button(wui.SET_PARTNER)
    same = prose("The same on both units, and the one that the load balancer asks.")
    yield Field(wui.HEALTH_CHECK_PORT, Value(str(parameters.health_check_port)), same)
    yield Button(wui.SET_HEALTH_CHECK_PORT)
    if parameters.all_interfaces:
        yield Task(prose("Tick {}: this is a multi-arm setup.", wui.ALL_INTERFACES))
    else:
        yield Task(prose("Leave {} without a tick: the unit answers on the address of eth0 alone.", wui.ALL_INTERFACES))


def _preferred(parameters: HaParameters) -> Prose:
    if parameters.mode == "slave":
        return prose("The same as on the master. The document names it for the master alone.")
    if parameters.preferred_host == "master":
        return prose("The master takes over again as soon as it is back.")
    return prose("Whichever unit is active stays so, until it fails.")


def _master_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    return _parameter_moves(bearings.ha_pairs[step.site].master)


def _slave_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    return _parameter_moves(bearings.ha_pairs[step.site].slave)


def _master_seen(_step: Step, _bearings: RunbookContext) -> Prose:
    words = "Open the screen again: it holds these values. Top right stands {}, or {} already."
    return prose(words, wui.MASTER, wui.MASTER_UNCONNECTED)


def _slave_seen(_step: Step, _bearings: RunbookContext) -> Prose:
    words = "Open the screen again: it holds these values. Top right stands {}, or {} already."
    return prose(words, wui.SLAVE, wui.SLAVE_UNCONNECTED)


def _before_verification(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    pair = bearings.ha_pairs[step.site]
    check = pair.health_check
    since = prose("{}", bearings.number(step.site, Action.SET_SLAVE_HA_PARAMETERS))
    who = "the load balancer takes"
    if pair.load_balancer is None:
        words = "Something asks both units at port {}: the topology names no load balancer for this pair, and until "
        words += "something does, the units say {} and {}."
        yield prose(words, Value(str(check.port)), wui.MASTER_UNCONNECTED, wui.SLAVE_UNCONNECTED)
        since, who = prose("then"), "whoever asks takes"
    enough, failed = (count(each, "second") for each in (check.in_service_seconds, check.out_of_service_seconds))
    answers = f"{count(check.healthy_threshold, 'good answer')}, one every {count(check.interval_seconds, 'second')}"
    yield prose(
        f"{enough} have passed since {{}}: so long {who} at least until a unit is in service, with {answers}. A failed "
        f"one is out of service after {failed}.",
        since,
    )


def _verification_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    pair = bearings.pairs[step.site]
    yield Task(prose("Read what stands top right on each of them; the table of states says what it means."))
    yield Task(prose("Ask both health checks: {} and {}.", pair.master_health, pair.slave_health))
    balancer = bearings.ha_pairs[step.site].load_balancer
    if balancer:
        stem = bearings.names_in_aws[step.site]
        names = [ec2.target_group_name(stem, group.protocol, group.port) for group in balancer.target_groups]
        words = "In the EC2 console, at {}, {} of {}: look at the state of both units."
        yield Task(prose(words, ec2.TARGET_GROUPS, ec2.TARGETS, listing(names)))


def _verification_seen(step: Step, bearings: RunbookContext) -> Prose:
    pair = bearings.pairs[step.site]
    states = prose("{} on the master, {} on the slave", wui.MASTER_ACTIVE, wui.SLAVE_STANDBY)
    answers = prose("{} answers {} and {} answers {}", pair.master_health, OK, pair.slave_health, BUSY)
    local = prose("The slave's menu offers {} alone: that is how a standby is.", wui.LOCAL_ADMINISTRATION)
    balancer = bearings.ha_pairs[step.site].load_balancer
    if balancer is None:
        return prose("{}; {}. {}", states, answers, local)
    words = "{}; {}. For the load balancer the master is {} and the slave {}, which the console calls healthy and "
    words += "unhealthy. {}"
    return prose(words, states, answers, IN_SERVICE, OUT_OF_SERVICE, local)


VOICES = {
    Action.CREATE_LOAD_BALANCER: Voice(
        heading="Form the pairs",
        title="{}: create its Network Load Balancer",
        screen=ec2.LOAD_BALANCERS,
        login=_log_in_to_aws,
        moves=_balancer_moves,
        expect=_balancer_seen,
        trouble=trouble_ha.balancer,
    ),
    Action.SET_MASTER_HA_PARAMETERS: Voice(
        heading="Form the pairs",
        title="{}: set the HA parameters of the master",
        screen=wui.HA_PARAMETERS,
        login=log_in,
        moves=_master_moves,
        expect=_master_seen,
        trouble=trouble_ha.master_parameters,
    ),
    Action.SET_SLAVE_HA_PARAMETERS: Voice(
        heading="Form the pairs",
        title="{}: set the HA parameters of the slave",
        screen=wui.HA_PARAMETERS,
        login=log_in,
        moves=_slave_moves,
        expect=_slave_seen,
        trouble=trouble_ha.slave_parameters,
    ),
    Action.VERIFY_HA_PAIR: Voice(
        heading="Form the pairs",
        title="{}: see that one unit is active and the other its standby",
        screen=wui.HOME,
        login=log_in_to_both,
        moves=_verification_moves,
        expect=_verification_seen,
        trouble=trouble_ha.verification,
        wait_before=_before_verification,
    ),
}
