"""What the runbook says of each action in each situation that changes its words, as Markdown, one snapshot each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

import pytest
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, Topology, load_topology, make_plan, make_upgrade
from geoplan.plan.change import make_change
from geoplan.plan.drill import make_drill
from geoplan.plan.model import Action, Phase
from tests.conftest import TOPOLOGIES
from tests.render.runbooks import as_markdown

ALL = [Phase.HA, Phase.GEO]
OLD, WITHOUT_SECRET, WITH_SECRET = "7.2.48.4", "7.2.54.9", "7.2.59.4"
TIMING = {"interval_seconds": 20, "healthy_threshold": 10, "unhealthy_threshold": 4}
BALANCER = {
    "region": "eu-west-1",
    "vpc_id": "vpc-0a1b2c3d",
    "subnets": [{"subnet_id": "subnet-0a1b2c3d"}],
    "listeners": [{"protocol": "TCP_UDP", "port": 53}],
}


def pair(name: str, number: int, preferred_host: str = "master", **more: object) -> dict[str, object]:
    units = {"master": f"10.{number}.0.5", "slave": f"10.{number}.0.6", "preferred_host": preferred_host}
    return {"name": name, "ha_pair": {**units, **more}}


def alone(name: str, number: int, **more: object) -> dict[str, object]:
    return {"name": name, "standalone": f"10.{number}.0.9", **more}


def topology(*sites: Mapping[str, object], **more: object) -> Topology:
    return Topology.model_validate({"name": "Fjords", "sites": sites, **more})


RETURNING = pair("Oslo", 1, health_check=TIMING)
STAYING = pair("Bergen", 2, "none")
STANDALONE = alone("Narvik", 3, cluster={"location": {"latitude": 68.44, "longitude": 17.43}})
BEHIND_NAT = {
    "name": "Molde",
    "ha_pair": {"master": {"address": "10.6.0.5", "nat_address": "203.0.113.6"}, "slave": "10.6.0.6"},
}
FJORDS = topology(RETURNING, STAYING, STANDALONE, alone("Hamar", 4))
AWS = load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml")


def upgraded(
    present: str, to: str, whole: Topology = FJORDS, chosen: Collection[str] | None = None, **of_masters: str
) -> Plan:
    """Plan an upgrade of units that all run one version, but for the masters that are given another."""
    running = {unit.address: present for site in whole.sites for unit in site.units}
    running |= {site.units[0].address: of_masters[site.name] for site in whole.sites if site.name in of_masters}
    return make_upgrade(whole, to, running, chosen)


def changed(old: Topology, new: Topology, *replaced: str, cleans_leaving: bool = False) -> Plan:
    """Plan what leads from one topology to another."""
    return make_change(new, make_plan(old, [Phase.GEO]), replaced=replaced, cleans_leaving=cleans_leaving)


MOVED = {"north": ["Oslo", "Narvik"], "west": ["Bergen", "Hamar"]}
BALANCED = topology(pair("Oslo", 1, aws=BALANCER), STANDALONE)
BERGEN_ANEW = {"name": "Bergen", "ha_pair": {"master": "10.2.0.7", "slave": "10.2.0.6", "preferred_host": "none"}}
BERGEN_SLAVE_ANEW = {**BERGEN_ANEW, "ha_pair": {"master": "10.2.0.5", "slave": "10.2.0.7", "preferred_host": "none"}}
HA_ANEW = pair("Oslo", 1, "none", health_check={**TIMING, "port": 9000, "all_interfaces": True})
NARVIK_ELSEWHERE = {**STANDALONE, "name": "Tromsø", "cluster": {"location": {"latitude": 69.65, "longitude": 18.96}}}

PLANS = {
    "joins": changed(topology(RETURNING, STANDALONE), FJORDS),
    "leaves": changed(FJORDS, topology(RETURNING, STANDALONE), cleans_leaving=True),
    "splits": changed(FJORDS, topology(RETURNING, STAYING, STANDALONE, alone("Hamar", 4), groups=MOVED)),
    "balanced leaves": changed(BALANCED, topology(STANDALONE)),
    "balanced joins": changed(topology(STANDALONE), BALANCED),
    "balanced replaced": changed(BALANCED, BALANCED, "10.1.0.6"),
    "pair replaced": changed(FJORDS, FJORDS, "10.2.0.5", "10.2.0.6"),
    "standalone replaced": changed(FJORDS, FJORDS, "10.4.0.9"),
    "master elsewhere": changed(FJORDS, topology(RETURNING, BERGEN_ANEW, STANDALONE, alone("Hamar", 4))),
    "renamed": changed(FJORDS, topology(RETURNING, STAYING, NARVIK_ELSEWHERE, alone("Hamar", 4))),
    "HA changes": changed(FJORDS, topology(HA_ANEW, STAYING, STANDALONE, alone("Hamar", 4))),
    "slave elsewhere": changed(FJORDS, topology(RETURNING, BERGEN_SLAVE_ANEW, STANDALONE, alone("Hamar", 4))),
    "nothing": changed(FJORDS, FJORDS),
    "aws": make_plan(AWS),
    "pairs of AWS": make_plan(AWS, [Phase.HA]),
    "GEO of AWS": make_plan(AWS, [Phase.GEO]),
    "one balancer": make_plan(topology(pair("Oslo", 1, aws=BALANCER), STAYING), ALL),
    "GEO": make_plan(FJORDS, [Phase.GEO]),
    "pairs": make_plan(FJORDS, [Phase.HA]),
    "both": make_plan(FJORDS, ALL),
    "section 5.3": make_plan(load_topology(TOPOLOGIES / "section-5.3.yaml")),
    "lone pair": make_plan(topology(STAYING), ALL),
    "groups": make_plan(
        topology(RETURNING, STAYING, BEHIND_NAT, groups={"north": ["Oslo", "Bergen"], "west": ["Molde"]}), [Phase.GEO]
    ),
    "standalones": make_plan(topology(STANDALONE, alone("Hamar", 4)), [Phase.GEO]),
    "lone standalones": make_plan(
        topology(STANDALONE, alone("Hamar", 4), groups={"north": ["Narvik"], "east": ["Hamar"]}), [Phase.GEO]
    ),
    "lone pair, formed already": make_plan(topology(STAYING), [Phase.GEO]),
    "behind NAT": make_plan(topology(BEHIND_NAT, STANDALONE, timing={"boot_seconds": 150}), [Phase.GEO]),
    "secret": upgraded(OLD, WITH_SECRET),
    "no secret": upgraded(OLD, WITHOUT_SECRET),
    "secret lost": upgraded(WITH_SECRET, OLD),
    "no way back": upgraded("7.2.35.0", OLD),
    "some": upgraded(OLD, WITH_SECRET, chosen=["Oslo", "Narvik"]),
    "rest": upgraded(OLD, WITH_SECRET, Oslo=WITH_SECRET, Bergen=WITH_SECRET),
    "rest, no secret": upgraded(OLD, WITHOUT_SECRET, Oslo=WITHOUT_SECRET),
    "some of AWS": upgraded(OLD, WITH_SECRET, AWS, ["Ohio"]),
    "done": upgraded(OLD, OLD),
    "holds roles": make_upgrade(
        FJORDS,
        WITH_SECRET,
        {unit.address: WITH_SECRET[:-1] + "5" for site in FJORDS.sites for unit in site.units},
        holds_roles=True,
    ),
    "drill": make_drill(topology(RETURNING, STANDALONE), "Oslo"),
}

IN_WHOLE_DOCUMENTS = {"aws", "section 5.3", "secret"}  # or in one that differs by its names alone

STEPS = [
    (Action.CREATE_LOAD_BALANCER, "aws", "Dublin"),
    (Action.CREATE_LOAD_BALANCER, "aws", "Ohio"),
    (Action.CREATE_LOAD_BALANCER, "one balancer", "Oslo"),
    (Action.SET_MASTER_HA_PARAMETERS, "pairs", "Oslo"),
    (Action.SET_MASTER_HA_PARAMETERS, "aws", "Ohio"),
    (Action.SET_SLAVE_HA_PARAMETERS, "pairs", "Oslo"),
    (Action.VERIFY_HA_PAIR, "aws", "Dublin"),
    (Action.VERIFY_HA_PAIR, "pairs", "Oslo"),
    (Action.SET_REMOTE_GEO_ACCESS, "both", "Oslo"),
    (Action.SET_REMOTE_GEO_ACCESS, "GEO", "Narvik"),
    (Action.SET_GEO_PARTNERS, "GEO", "Bergen"),
    (Action.SET_GEO_PARTNERS, "lone pair", "Bergen"),
    (Action.SET_GEO_PARTNERS, "section 5.3", "Standalone LoadMaster 1"),
    (Action.REBOOT_MASTER, "GEO", "Oslo"),
    (Action.REBOOT_MASTER, "GEO", "Bergen"),
    (Action.REBOOT_MASTER, "GEO of AWS", "Ohio"),
    (Action.RESUBMIT_GEO_PARTNERS, "GEO", "Oslo"),
    (Action.RESUBMIT_GEO_PARTNERS, "GEO", "Bergen"),
    (Action.RESUBMIT_GEO_PARTNERS, "GEO", "Narvik"),
    (Action.RESUBMIT_GEO_PARTNERS, "GEO", "Hamar"),
    (Action.ADD_CLUSTER, "GEO", "Oslo"),
    (Action.ADD_CLUSTER, "GEO", "Narvik"),
    (Action.ADD_CLUSTER, "lone pair", "Bergen"),
    (Action.UPDATE_STANDBY, "secret", "Oslo"),
    (Action.UPDATE_STANDBY, "secret lost", "Bergen"),
    (Action.UPDATE_STANDBY, "no secret", "Bergen"),
    (Action.UPDATE_ACTIVE, "secret", "Oslo"),
    (Action.UPDATE_ACTIVE, "no secret", "Bergen"),
    (Action.UPDATE_ACTIVE, "some of AWS", "Ohio"),
    (Action.UPDATE_REMAINING, "rest", "Oslo"),
    (Action.UPDATE_REMAINING, "rest, no secret", "Oslo"),
    (Action.UPDATE_STANDALONE, "secret", "Narvik"),
    (Action.UPDATE_STANDALONE, "no secret", "Hamar"),
    (Action.SET_PARTNER_SECRET, "secret", "Oslo"),
    (Action.SET_PARTNER_SECRET, "rest", "Oslo"),
    (Action.SET_PARTNER_SECRET, "secret", "Hamar"),
    (Action.VERIFY_UPDATED_PAIR, "no secret", "Oslo"),
    (Action.VERIFY_UPDATED_PAIR, "secret", "Bergen"),
    (Action.VERIFY_UPDATED_PAIR, "some", "Oslo"),
    (Action.VERIFY_UPDATED_PAIR, "some of AWS", "Ohio"),
    (Action.SET_PREFERRED_HOST_ASIDE, "holds roles", "Oslo"),
    (Action.RESTORE_PREFERRED_HOST, "holds roles", "Oslo"),
    (Action.REMOVE_GEO_PARTNERS, "leaves", "Oslo"),
    (Action.REMOVE_GEO_PARTNERS, "leaves", "Hamar"),
    (Action.REMOVE_REMOTE_GEO_ACCESS, "leaves", "Bergen"),
    (Action.VERIFY_UNLINKED, "leaves", "Bergen"),
    (Action.VERIFY_UNLINKED, "leaves", "Hamar"),
    (Action.PROBE_UNLINKED, "leaves", "Bergen"),
    (Action.PROBE_UNLINKED, "splits", "Hamar"),
    (Action.DELETE_CLUSTER, "leaves", "Hamar"),
    (Action.DELETE_CLUSTER, "master elsewhere", "Bergen"),
    (Action.DELETE_OTHER_CLUSTERS, "leaves", "Hamar"),
    (Action.DELETE_OTHER_CLUSTERS, "splits", "Bergen"),
    (Action.JOIN_HA_PAIR, "balanced replaced", "Oslo"),
    (Action.JOIN_HA_PAIR, "pair replaced", "Bergen"),
    (Action.JOIN_HA_PAIR, "master elsewhere", "Bergen"),
    (Action.SET_HA_PARTNER, "slave elsewhere", "Bergen"),
    (Action.SET_HEALTH_CHECK_PORT, "HA changes", "Oslo"),
    (Action.MOVE_HEALTH_CHECK, "HA changes", "Oslo"),
    (Action.SET_PREFERRED_HOST, "HA changes", "Oslo"),
    (Action.SET_ALL_INTERFACES, "HA changes", "Oslo"),
    (Action.SEED_GEO_CONFIGURATION, "joins", "Bergen"),
    (Action.SEED_GEO_CONFIGURATION, "standalone replaced", "Hamar"),
    (Action.RESUBMIT_ON_ACTIVE, "standalone replaced", "Oslo"),
    (Action.RESUBMIT_ON_ACTIVE, "standalone replaced", "Hamar"),
    (Action.MODIFY_CLUSTER, "renamed", "Tromsø"),
    (Action.DEREGISTER_TARGETS, "balanced leaves", "Oslo"),
    (Action.DEREGISTER_TARGETS, "balanced replaced", "Oslo"),
    (Action.REGISTER_TARGETS, "balanced replaced", "Oslo"),
    (Action.REGISTER_TARGETS, "balanced joins", "Oslo"),
    (Action.ADD_CLUSTER, "master elsewhere", "Bergen"),
    (Action.REBOOT_MASTER, "balanced replaced", "Oslo"),
    (Action.FAIL_OVER, "drill", "Oslo"),
]


@cache
def runbook_of(name: str) -> str:
    return as_markdown(PLANS[name], picture=False)


def part(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same depth."""
    depth = heading.partition(" ")[0]
    return text.partition(f"\n{heading}\n")[2].partition(f"\n{depth} ")[0].strip()


@pytest.mark.parametrize(
    ("action", "name", "site"), STEPS, ids=[f"{action}, {name}, {site}" for action, name, site in STEPS]
)
def test_step(action: Action, name: str, site: str, snapshot: SnapshotAssertion) -> None:
    shown = []
    for step in PLANS[name].steps:
        if (step.action, step.site) == (action, site):
            following = runbook_of(name).partition(f"\n- [ ] **{step.number}. ")[2]
            shown.append(following.partition("\n- [ ] ")[0].partition("\n#")[0].strip())
    assert "\n\n".join(shown) == snapshot


@pytest.mark.parametrize("name", ["both", "rest", "no way back", "leaves", "joins", "balanced replaced", "renamed"])
def test_trouble(name: str, snapshot: SnapshotAssertion) -> None:
    assert part(runbook_of(name), "## If something goes wrong") == snapshot


@pytest.mark.parametrize(
    "name", ["pairs", "groups", "lone pair", "secret", "secret lost", "no way back", "some", "leaves", "pair replaced"]
)
def test_before(name: str, snapshot: SnapshotAssertion) -> None:
    text = part(runbook_of(name), "## Before you begin")
    assert text.partition("\n### The units")[0].strip() == snapshot


@pytest.mark.parametrize("name", ["behind NAT", "some of AWS", "pairs"])
def test_units(name: str, snapshot: SnapshotAssertion) -> None:
    assert part(runbook_of(name), "### The units") == snapshot


@pytest.mark.parametrize("name", ["lone pair", "groups"])
def test_lists(name: str, snapshot: SnapshotAssertion) -> None:
    assert part(runbook_of(name), "## The lists") == snapshot


def test_headings_of_groups(snapshot: SnapshotAssertion) -> None:
    steps = part(runbook_of("groups"), "## The steps")
    assert [line for line in steps.splitlines() if line.startswith("#")] == snapshot


@pytest.mark.parametrize("name", ["groups", "lone pair", "pairs", "behind NAT", "some", "leaves"])
def test_verify(name: str, snapshot: SnapshotAssertion) -> None:
    assert part(runbook_of(name), "## Verify") == snapshot


@pytest.mark.parametrize("name", [name for name in PLANS if name not in IN_WHOLE_DOCUMENTS])
def test_overview(name: str, snapshot: SnapshotAssertion) -> None:
    assert runbook_of(name).partition("\n## ")[0] == snapshot
