"""What keeps a drill from harm, each taken out in turn; ``mutations`` has them in its table."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from geoplan.live.model import State
from geoplan.plan.drill import make_drill
from geoplan.push.actions.fail_over import FailOver
from geoplan.push.actions.readiness import Holds
from geoplan.push.drill_report import GREEN, Failover, LinkSeen, Seen
from geoplan.push.history import History
from geoplan.push.values import Sight
from tests.simulation import drills
from tests.simulation.mutations import Mutation, answering, awaited, setting, unguarded

saw, watch_links = FailOver._saw, FailOver._watch_links

_WITHOUT_FINDINGS = setting(("geoplan.push.preflight.drill_problems", answering(())))


def _as_wanted(looks: Any) -> dict[str, State]:
    return dict(zip(looks, (State.ACTIVE, State.STANDBY), strict=True))


def _always_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(drills, "make_drill", lambda topology, site, **_: make_drill(topology, site, back=True))


def _told_without_being_seen(patch: pytest.MonkeyPatch) -> None:
    """Take what nobody tells of a link for green."""
    patch.setattr("geoplan.push.drill_links._colour", lambda told, _known: told is not None or None)


def _all_links_seen(found: History, plan: Any, step: Any) -> Any:
    site = plan.site(step.site)
    now = Seen(found.begin.at.isoformat(), 0.0)
    others = [other for other in plan.sites_of(site.group) if other.name != site.name]
    links = tuple(LinkSeen(other.name, other.units[0].address, now, now, GREEN) for other in others)
    master, slave = (unit.address for unit in site.units)
    return Failover(master, slave, now, now, now, links)


def _never_rebooted(patch: pytest.MonkeyPatch) -> None:
    """Forget, on resuming, that the reboot was sent."""
    patch.setattr(History, "last_reboot", answering(None))


def _seen_late(patch: pytest.MonkeyPatch) -> None:
    """Tell times as exact that were seen long after."""

    def exact(made: Any, what: Sight, unit: str, partner: str | None = None) -> None:
        made._longest, made._seen_at = 0.0, made._seen_at + (2.0 if what is Sight.ACTIVE else 0.0)
        saw(made, what, unit, partner)

    patch.setattr(FailOver, "_saw", exact)


def _submitted_as_well(patch: pytest.MonkeyPatch) -> None:
    """Submit the partners on the new active unit: a drill that mends what it is to prove."""

    async def submit(made: Any) -> None:
        await made._submission.run()
        await watch_links(made)

    patch.setattr(FailOver, "_watch_links", submit)
    setting(*unguarded("before_list"))(patch)


def _locked_by_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("geoplan.push.store.Store.locked", lambda *_given, **_more: nullcontext(None))


DRILL_MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "a drill reboots although the slave has died since the checks",
        "drill, slave dies after the checks",
        setting(
            ("geoplan.push.actions.reboot_master.require_ready", awaited(None)),
            ("geoplan.push.actions.reboot_master.require_undisturbed", awaited(None)),
            ("geoplan.push.actions.reboot_master.until_slave_has_lists", awaited("unseen")),
            ("geoplan.push.actions.reboot_master.what_slave_holds", awaited((Holds.BOTH, ""))),
            ("geoplan.push.actions.reboot_master.states_of", _as_wanted),
            *unguarded("before_reboot"),
        ),
    ),
    Mutation(
        "a drill reboots a fourth time in five minutes",
        "drill for the fourth time",
        setting(
            ("geoplan.push.actions.reboot_master.require_room", answering(None)),
            ("geoplan.push.drill_checks.room_problem", answering(None)),
        ),
    ),
    Mutation("a drill goes back unasked", "drill under No Preferred Host", _always_back),
    Mutation("two pairs are drilled at once", "drill of two pairs at once", _locked_by_nobody),
    Mutation(
        "a drill does not look at links",
        "drill, slave never submitted",
        setting(("geoplan.push.actions.fail_over.failover_of", _all_links_seen)),
    ),
    Mutation("a drill takes what is not told for green", "drill, colours untold", _told_without_being_seen),
    Mutation("a drill begins on units that differ from the plan", "drill, lists differ", _WITHOUT_FINDINGS),
    Mutation("a drill begins although its slave is red", "drill, slave red", _WITHOUT_FINDINGS),
    Mutation("a drill begins although links are owed", "drill with a debt", _WITHOUT_FINDINGS),
    Mutation("a drill that goes on forgets its reboot", "drill killed after its reboot", _never_rebooted),
    Mutation("a drill tells times without how late it looked", "drill", _seen_late),
    Mutation("a drill mends what it is to prove", "drill, slave never submitted", _submitted_as_well),
)
