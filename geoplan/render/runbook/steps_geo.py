"""The voices of the GEO steps (sections 5.1 to 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import trouble_geo, wui
from geoplan.render.runbook.context import BUSY, OK, url_host
from geoplan.render.runbook.logins import log_in
from geoplan.render.runbook.model import Button, Field, Task
from geoplan.render.runbook.prose import Name, Pasted, Prose, StepNumber, Value, count, duration, listing, prose
from geoplan.render.runbook.voices import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, Step
    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.model import Move


def _before_access(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    verified = bearings.number_of_verification(step.site)
    is_first = step.action is Action.SET_GEO_PARTNERS or bearings.plan.site(step.site).geo_partners
    if verified and is_first:
        yield prose("{} is a working pair: {} is ticked.", Name(step.site), verified)


def _before_partners(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    if not bearings.plan.values(step):  # at a site alone this list goes first
        yield from _before_access(step, bearings)


def _access_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    yield Field(wui.REMOTE_GEO_ACCESS, _list_of(step, bearings))
    yield Button(wui.SET_REMOTE_GEO_ACCESS)


def _access_seen(_step: Step, _bearings: RunbookContext) -> Prose:
    return prose("Open the screen again: {} holds exactly these addresses.", wui.REMOTE_GEO_ACCESS)


def _partners_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    if not bearings.plan.values(step):
        words = (
            "Leave {} empty: where it holds addresses, delete them all and press {}; where it holds nothing, nothing "
        )
        yield Task(prose(words + "has to be done.", wui.GEO_PARTNERS, wui.SET_GEO_PARTNERS))
        return
    yield Field(wui.GEO_PARTNERS, _list_of(step, bearings))
    yield Button(wui.SET_GEO_PARTNERS)


def _partners_seen(step: Step, bearings: RunbookContext) -> Prose:
    if not bearings.plan.values(step):
        return prose("Open the screen again: {} is empty.", wui.GEO_PARTNERS)
    words = "Open the screen again: {} holds exactly these addresses. Under {}, a partner may stay red until it "
    return prose(words + "has its own list.", wui.GEO_PARTNERS, wui.PARTNERS_STATUS)


def _list_of(step: Step, bearings: RunbookContext) -> Value:
    return Value(" ".join(bearings.plan.values(step)))


def _before_reboot(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    pair = bearings.pairs[step.site]
    estimates = bearings.plan.estimates
    access, partners = (
        bearings.number(step.site, action) for action in (Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS)
    )
    yield prose(
        "The slave holds both lists of {} and {}: this takes up to {} after {}. To see it, ask the slave, which has to "
        "name the same addresses; a standby may not answer that, then wait the full time: {} and {}",
        access,
        partners,
        prose(duration(estimates.sync_seconds)),
        partners,
        _ask(pair.slave, "geoclients"),
        _ask(pair.slave, "geopartners"),
    )
    earlier = bearings.rebooted_before(step)
    if earlier:
        words = "Both units of {}, rebooted in {}, are up again: one answers {} on the health check, the other {}."
        last = earlier[-1]
        yield prose(words, last.site, bearings.number(last.site, Action.REBOOT_MASTER), OK, BUSY)
    yield prose(
        "The master is active, the slave ready: {} answers {}, {} answers {}.",
        pair.master_health,
        OK,
        pair.slave_health,
        BUSY,
    )
    if pair.master_returns:
        words = (
            "The next step is prepared: a second browser window open at {}, the list of {} at hand. From the reboot on "
            "you have about {} for it."
        )
        follow = StepNumber(step.number + 1)
        yield prose(words, Pasted(pair.slave), follow, prose(duration(estimates.boot_seconds)))


def _ask(address: str, parameter: str) -> Pasted:
    """Return the command that reads a parameter of a unit over its API."""
    return Pasted(f"curl -k -u bal 'https://{url_host(address)}/access/get?param={parameter}'")


def _reboot_moves(_step: Step, _bearings: RunbookContext) -> Iterator[Move]:
    yield Button(wui.REBOOT)


def _reboot_seen(step: Step, bearings: RunbookContext) -> Prose:
    words = "The master stops answering; then {} answers {}: the slave is the new active unit."
    return prose(words, bearings.pairs[step.site].slave_health, OK)


def _after_reboot(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    follow = StepNumber(step.number + 1)
    if bearings.pairs[step.site].master_returns:
        words = "Wait for the slave alone, not for the master: go straight on with {}. Under {} the master takes over "
        words += "again as soon as it is back, and the submission has to reach the slave before that."
        yield prose(words, follow, wui.PREFERRED_CHOICE["master"])
    else:
        words = (
            "Go on with {} on the slave. Under {} it stays active when the master comes back, which then answers {}."
        )
        yield prose(words, follow, wui.PREFERRED_CHOICE["none"], BUSY)
    yield from _traffic_moves(step, bearings)


def _traffic_moves(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    settings = bearings.ha_pairs.get(step.site)
    if settings:
        check = settings.health_check
        words = (
            f"The load balancer takes the master out of service after {count(check.out_of_service_seconds, 'second')} "
            f"and the slave into service after {count(check.in_service_seconds, 'second')}, at least: until then "
            "clients may find nobody."
        )
        yield prose(words + (" The way back takes as long." if bearings.pairs[step.site].master_returns else ""))


def _seconds_of_reboot(_step: Step, plan: Plan) -> float:
    return plan.estimates.sync_seconds + plan.estimates.boot_seconds


def _before_resubmission(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    if step.on.unit != "new_active":
        yield from _once_pairs_are_whole(step, bearings)
        return
    pair = bearings.pairs[step.site]
    yield prose("{} answers {}.", pair.slave_health, OK)
    if pair.master_returns:
        words = "The master is still restarting: {} does not answer. The submission has to reach the slave before "
        yield prose(words + "the master is back.", pair.master_health)


def _once_pairs_are_whole(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    """Yield what the first step after the reboots of its group waits for."""
    pairs = bearings.rebooted_before(step, group=bearings.group_of(step))
    if pairs and step.number == bearings.first_after_reboots(bearings.group_of(step)):
        words = "Both units of {} are up again: of each pair one answers {} on the health check, the other {}."
        yield prose(words, listing([pair.site for pair in pairs]), OK, BUSY)


def _resubmission_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    unchanged = prose("The field should hold this list already: then only press the button.")
    yield Field(wui.GEO_PARTNERS, _list_of(step, bearings), unchanged)
    yield Button(wui.SET_GEO_PARTNERS)


def _resubmission_seen(_step: Step, _bearings: RunbookContext) -> Prose:
    words = "{} holds exactly these addresses, and the partners that are up turn green under {}."
    return prose(words, wui.GEO_PARTNERS, wui.PARTNERS_STATUS)


def _after_resubmission(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    pair = bearings.pairs.get(step.site)
    if pair is None:
        return
    if pair.master_returns:
        words = "Wait until the pair is back as it was: {} answers {}, {} answers {}."
        yield prose(words, pair.master_health, OK, pair.slave_health, BUSY)
    else:
        words = "Wait until the master is up again, as the standby: {} answers {}, {} still {}."
        yield prose(words, pair.master_health, BUSY, pair.slave_health, OK)


def _cluster_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    cluster = bearings.plan.cluster(step.site)
    yield Field(wui.CLUSTER_ADDRESS, Value(cluster.address))
    yield Field(wui.CLUSTER_NAME, Value(cluster.name))
    yield Button(wui.ADD_CLUSTER)
    where = prose("A drop-down list of the new cluster; where it does not show, press {} first.", wui.MODIFY)
    yield Field(wui.CLUSTER_TYPE, Value(cluster.type), where)
    if cluster.location:
        degrees = prose("In degrees; south and west are negative.")
        yield Button(wui.SHOW_LOCATIONS)
        yield Field(wui.LATITUDE, Value(f"{cluster.location.latitude:.8g}"), degrees)
        yield Field(wui.LONGITUDE, Value(f"{cluster.location.longitude:.8g}"), degrees)


def _cluster_seen(step: Step, bearings: RunbookContext) -> Prose:
    cluster = bearings.plan.cluster(step.site)
    words = "The screen lists {} with {} and the type {}."
    return prose(words, Name(cluster.name), Value(cluster.address), Value(cluster.type))


VOICES = {
    Action.SET_REMOTE_GEO_ACCESS: Voice(
        heading="Enter the lists",
        title=f"{{}}: enter {wui.REMOTE_GEO_ACCESS}",
        screen=wui.REMOTE_ACCESS,
        login=log_in,
        moves=_access_moves,
        expect=_access_seen,
        trouble=trouble_geo.access,
        wait_before=_before_access,
    ),
    Action.SET_GEO_PARTNERS: Voice(
        heading="Enter the lists",
        title=f"{{}}: enter {wui.GEO_PARTNERS}",
        screen=wui.REMOTE_ACCESS,
        login=log_in,
        moves=_partners_moves,
        expect=_partners_seen,
        trouble=trouble_geo.partners,
        wait_before=_before_partners,
    ),
    Action.REBOOT_MASTER: Voice(
        heading="Fail over and submit again",
        title="{}: reboot the master",
        screen=wui.SYSTEM_REBOOT,
        login=log_in,
        moves=_reboot_moves,
        expect=_reboot_seen,
        trouble=trouble_geo.reboot,
        wait_before=_before_reboot,
        wait_after=_after_reboot,
        waiting_seconds=_seconds_of_reboot,
    ),
    Action.RESUBMIT_GEO_PARTNERS: Voice(
        heading="Fail over and submit again",
        title=f"{{}}: submit {wui.GEO_PARTNERS} again",
        screen=wui.REMOTE_ACCESS,
        login=log_in,
        moves=_resubmission_moves,
        expect=_resubmission_seen,
        trouble=trouble_geo.resubmission,
        wait_before=_before_resubmission,
        wait_after=_after_resubmission,
    ),
    Action.ADD_CLUSTER: Voice(
        heading="Create the clusters",
        title="{}: add its cluster",
        screen=wui.MANAGE_CLUSTERS,
        login=log_in,
        moves=_cluster_moves,
        expect=_cluster_seen,
        trouble=trouble_geo.cluster,
        wait_before=_once_pairs_are_whole,
    ),
}
