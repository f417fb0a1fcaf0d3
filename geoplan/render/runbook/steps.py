"""The steps: where each is done, what is entered, what to wait for, and how to see that it worked."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import wui
from geoplan.render.runbook.bearings import url_host
from geoplan.render.runbook.model import Button, Field, Login, Phase, RunbookStep
from geoplan.render.runbook.prose import Name, Pasted, Prose, StepNumber, Value, duration, listing, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Estimates, Step
    from geoplan.render.runbook.bearings import Bearings, Pair

OK = Value("200")  # what the active unit answers the health check (section 4)
BUSY = Value("503")  # what the standby answers

PHASES = {
    Action.SET_REMOTE_GEO_ACCESS: "Enter the lists",
    Action.SET_GEO_PARTNERS: "Enter the lists",
    Action.REBOOT_MASTER: "Fail over and submit again",
    Action.RESUBMIT_GEO_PARTNERS: "Fail over and submit again",
    Action.ADD_CLUSTER: "Create the clusters",
}

TITLES = {
    Action.SET_REMOTE_GEO_ACCESS: f"{{}}: enter {wui.REMOTE_GEO_ACCESS}",
    Action.SET_GEO_PARTNERS: f"{{}}: enter {wui.GEO_PARTNERS}",
    Action.REBOOT_MASTER: "{}: reboot the master",
    Action.RESUBMIT_GEO_PARTNERS: f"{{}}: submit {wui.GEO_PARTNERS} again",
    Action.ADD_CLUSTER: "{}: add its cluster",
}

SCREENS = {
    Action.SET_REMOTE_GEO_ACCESS: wui.REMOTE_ACCESS,
    Action.SET_GEO_PARTNERS: wui.REMOTE_ACCESS,
    Action.REBOOT_MASTER: wui.SYSTEM_REBOOT,
    Action.RESUBMIT_GEO_PARTNERS: wui.REMOTE_ACCESS,
    Action.ADD_CLUSTER: wui.MANAGE_CLUSTERS,
}


def phases_of(bearings: Bearings) -> Iterator[Phase]:
    """Yield the steps in order, under a heading for each part of each group."""
    several = len(bearings.plan.groups) > 1

    def heading(step: Step) -> Prose:
        words = PHASES[step.action]
        return prose(f"{{}}: {words.lower()}", Name(bearings.group_of(step))) if several else prose(words)

    for title, steps in groupby(bearings.plan.steps, key=heading):
        yield Phase(title, tuple(_runbook_step(step, bearings) for step in steps))


def seconds_of(step: Step, estimates: Estimates) -> int:
    """Return what a step adds to the window when it is done by hand."""
    seconds = estimates.manual_step_seconds
    if step.action is Action.REBOOT_MASTER:
        seconds += estimates.sync_seconds + estimates.boot_seconds
    return math.ceil(seconds)


def _runbook_step(step: Step, bearings: Bearings) -> RunbookStep:
    return RunbookStep(
        number=step.number,
        id=step.id,
        action=step.action,
        title=_title(step),
        wait_before=tuple(_wait_before(step, bearings)),
        login=_login(step, bearings),
        screen=SCREENS[step.action],
        moves=tuple(_moves(step, bearings)),
        expect=_expect(step, bearings),
        wait_after=tuple(_wait_after(step, bearings)),
        why=step.why,
        note=step.note,
        section=step.section,
        seconds=seconds_of(step, bearings.plan.estimates),
    )


def _title(step: Step) -> Prose:
    title = prose(TITLES[step.action], Name(step.site))
    if step.on.unit == "new_active":
        return prose("{}, on the new active unit", title)
    if step.on.site != step.site:
        return prose("{}, on {}", title, Name(step.on.site))
    return title


def _login(step: Step, bearings: Bearings) -> Login:
    site = Name(step.on.site)
    pair = bearings.pairs.get(step.on.site)
    if pair is None:
        return Login(prose("{}", site), Value(bearings.plan.site(step.on.site).units[0].address))
    match step.on.unit:
        case "master":
            return Login(prose("the master of {}", site), pair.master)
        case "new_active":
            unit = prose("the new active unit of {}, its slave", site)
            return Login(unit, pair.slave, _tell_after_reboot(pair, bearings))
        case _ if bearings.slave_is_active(pair, step):
            words = "the active unit of {}, which is its slave since {}"
            unit = prose(words, site, bearings.number(pair.site, Action.REBOOT_MASTER))
            return Login(unit, pair.slave, _tell(pair, slave_active=True))
        case _:
            unit = prose("the active unit of {}, its master", site)
            return Login(unit, pair.master, _tell(pair, slave_active=False))


def _tell(pair: Pair, *, slave_active: bool) -> Prose:
    """Say how to tell which unit is active: 200 from it, 503 from the standby (section 4)."""
    active, standby = pair.master_health, pair.slave_health
    if slave_active:
        active, standby = standby, active
    return prose("It is the active one when {} answers {}; the standby, {}, answers {}.", active, OK, standby, BUSY)


def _tell_after_reboot(pair: Pair, bearings: Bearings) -> Prose:
    """Say how to tell that the slave has taken over: there is no standby to ask while the master restarts."""
    words = "It is the active one when {} answers {}; the master, {}, "
    if not pair.master_returns:
        words += "may not answer yet, and answers {} once it is back."
        return prose(words, pair.slave_health, OK, pair.master_health, BUSY)
    words += "does not answer. Once it does, it is too late: do {} again, with its waits, and then this one at once."
    reboot = bearings.number(pair.site, Action.REBOOT_MASTER)
    return prose(words, pair.slave_health, OK, pair.master_health, reboot)


def _moves(step: Step, bearings: Bearings) -> Iterator[Field | Button]:
    values = [Value(value) for value in bearings.plan.values(step)]
    match step.action:
        case Action.SET_REMOTE_GEO_ACCESS:
            yield Field(wui.REMOTE_GEO_ACCESS, Value(" ".join(values)))
            yield Button(wui.SET_REMOTE_GEO_ACCESS)
        case Action.SET_GEO_PARTNERS:
            yield Field(wui.GEO_PARTNERS, Value(" ".join(values)))
            yield Button(wui.SET_GEO_PARTNERS)
        case Action.RESUBMIT_GEO_PARTNERS:
            unchanged = prose("The field should hold this list already: then only press the button.")
            yield Field(wui.GEO_PARTNERS, Value(" ".join(values)), unchanged)
            yield Button(wui.SET_GEO_PARTNERS)
        case Action.REBOOT_MASTER:
            yield Button(wui.REBOOT)
        case Action.ADD_CLUSTER:
            address, name, kind = values
            yield Field(wui.CLUSTER_ADDRESS, address)
            yield Field(wui.CLUSTER_NAME, name)
            yield Button(wui.ADD_CLUSTER)
            where = prose("A drop-down list of the new cluster; where it does not show, press {} first.", wui.MODIFY)
            yield Field(wui.CLUSTER_TYPE, kind, where)
            yield from _location(step, bearings)


def _location(step: Step, bearings: Bearings) -> Iterator[Field | Button]:
    location = bearings.plan.cluster(step.site).location
    if location:
        degrees = prose("In degrees; south and west are negative.")
        yield Button(wui.SHOW_LOCATIONS)
        yield Field(wui.LATITUDE, Value(f"{location.latitude:.8g}"), degrees)
        yield Field(wui.LONGITUDE, Value(f"{location.longitude:.8g}"), degrees)


def _expect(step: Step, bearings: Bearings) -> Prose:
    match step.action:
        case Action.SET_REMOTE_GEO_ACCESS:
            return prose("Open the screen again: {} holds exactly these addresses.", wui.REMOTE_GEO_ACCESS)
        case Action.SET_GEO_PARTNERS:
            words = (
                "Open the screen again: {} holds exactly these addresses. Under {}, a partner may stay red until it "
            )
            return prose(words + "has its own list.", wui.GEO_PARTNERS, wui.PARTNERS_STATUS)
        case Action.REBOOT_MASTER:
            pair = bearings.pairs[step.site]
            words = "The master stops answering; then {} answers {}: the slave is the new active unit."
            return prose(words, pair.slave_health, OK)
        case Action.RESUBMIT_GEO_PARTNERS:
            words = "{} holds exactly these addresses, and the partners that are up turn green under {}."
            return prose(words, wui.GEO_PARTNERS, wui.PARTNERS_STATUS)
        case Action.ADD_CLUSTER:
            cluster = bearings.plan.cluster(step.site)
            words = "The screen lists {} with {} and the type {}."
            return prose(words, Name(cluster.name), Value(cluster.address), Value(cluster.type))
        case _:
            raise KeyError(step.action)


def _wait_before(step: Step, bearings: Bearings) -> Iterator[Prose]:
    match step.action:
        case Action.REBOOT_MASTER:
            yield from _before_reboot(step, bearings)
        case Action.RESUBMIT_GEO_PARTNERS if step.on.unit == "new_active":
            pair = bearings.pairs[step.site]
            yield prose("{} answers {}.", pair.slave_health, OK)
            if pair.master_returns:
                words = (
                    "The master is still restarting: {} does not answer. The submission has to reach the slave before "
                )
                yield prose(words + "the master is back.", pair.master_health)
        case _:
            pairs = bearings.rebooted_before(step, group=bearings.group_of(step))
            if pairs and step.number == bearings.first_after_reboots(bearings.group_of(step)):
                words = "Both units of {} are up again: of each pair one answers {} on the health check, the other {}."
                yield prose(words, listing([pair.site for pair in pairs]), OK, BUSY)


def _before_reboot(step: Step, bearings: Bearings) -> Iterator[Prose]:
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


def _wait_after(step: Step, bearings: Bearings) -> Iterator[Prose]:
    pair = bearings.pairs.get(step.site)
    if pair is None:
        return
    if step.action is Action.REBOOT_MASTER and pair.master_returns:
        words = "Wait for the slave alone, not for the master: go straight on with {}. Under {} the master takes over "
        words += "again as soon as it is back, and the submission has to reach the slave before that."
        yield prose(words, StepNumber(step.number + 1), wui.PREFERRED_CHOICE["master"])
    elif step.action is Action.REBOOT_MASTER:
        words = (
            "Go on with {} on the slave. Under {} it stays active when the master comes back, which then answers {}."
        )
        yield prose(words, StepNumber(step.number + 1), wui.PREFERRED_CHOICE["none"], BUSY)
    elif step.action is Action.RESUBMIT_GEO_PARTNERS and pair.master_returns:
        words = "Wait until the pair is back as it was: {} answers {}, {} answers {}."
        yield prose(words, pair.master_health, OK, pair.slave_health, BUSY)
    elif step.action is Action.RESUBMIT_GEO_PARTNERS:
        words = "Wait until the master is up again, as the standby: {} answers {}, {} still {}."
        yield prose(words, pair.master_health, BUSY, pair.slave_health, OK)
