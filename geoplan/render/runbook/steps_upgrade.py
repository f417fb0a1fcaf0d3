"""The voices of the steps that bring units to another firmware (sections 7.1 and 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import UPDATE_ACTIONS, Action
from geoplan.render.runbook import trouble_upgrade, wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.firmware import gains_secret, loses_secret, to_version
from geoplan.render.runbook.logins import log_in, log_in_to_both
from geoplan.render.runbook.model import Button, Login, Task
from geoplan.render.runbook.prose import Name, Pasted, Prose, StepNumber, count, duration, prose
from geoplan.render.runbook.voices import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, Step
    from geoplan.render.runbook.context import Pair, RunbookContext
    from geoplan.render.runbook.model import Move

HEADING = "Update the units, one at a time"


def _log_in_to_standby(step: Step, bearings: RunbookContext) -> Login:
    pair = bearings.pairs[step.site]
    unit = prose("the standby of {}, as a rule its slave", pair.site)
    words = "It is the standby when {} answers {} and {} answers {}. If it is the other way round, the standby is the "
    words += "master, {}: log in there, and update the slave in {}."
    after = StepNumber(bearings.number(step.site, Action.UPDATE_ACTIVE))
    tell = prose(words, pair.slave_health, BUSY, pair.master_health, OK, Pasted(pair.master), after)
    return Login(unit, pair.slave, tell)


def _log_in_to_active(step: Step, bearings: RunbookContext) -> Login:
    pair = bearings.pairs[step.site]
    unit = prose("the unit of {} that is not updated yet, as a rule its master", pair.site)
    words = "Its home screen does not show {} yet. It is the one that was active in {}; should it have become the "
    words += "standby since, update it all the same."
    first = bearings.number(step.site, Action.UPDATE_STANDBY)
    return Login(unit, pair.master, prose(words, to_version(bearings), first))


def _log_in_to_remaining(step: Step, bearings: RunbookContext) -> Login:
    words = "The pair's other unit runs {} already. This one may be active or standby: its health check tells."
    return log_in(step, bearings)._replace(tell=prose(words, to_version(bearings)))


def _log_in_to_updated(step: Step, bearings: RunbookContext) -> Login:
    """Return the login of the update that came right before: the secret is set on the same unit."""
    update = bearings.plan.steps[step.number - 2]
    address = VOICES[update.action].login(update, bearings).address
    words = "the unit that {} has updated"
    if update.on.unit in {"standby", "active"}:
        words += ", as a rule"
    return Login(prose(words, StepNumber(update.number)), address)


def _update_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    if step.on.unit in {"active", "master", "slave"}:
        yield Task(prose("Where its menu offers {} alone, go to {}.", wui.LOCAL_ADMINISTRATION, wui.LOCAL_UPDATE))
    words = "Choose the update file of {}, and its XML verification file where the screen asks for one."
    yield Task(prose(words, to_version(bearings)))
    yield Button(wui.UPDATE_MACHINE)
    yield Task(prose("Wait until it says that the update is installed, then have it reboot: {}.", wui.REBOOT))


def _secret_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    if step.site in bearings.pairs:
        words = "Where its menu offers {} alone, go to {}."
        yield Task(prose(words, wui.LOCAL_ADMINISTRATION, wui.LOCAL_REMOTE_ACCESS))
    words = (
        "Enter the {} that was chosen before you began, the same on every unit, and set it. It does not stand in this "
    )
    words += "runbook, and belongs into no file."
    yield Task(prose(words, wui.SHARED_SECRET))


def _verification_moves(step: Step, bearings: RunbookContext) -> Iterator[Move]:
    pair = bearings.pairs[step.site]
    yield Task(prose("Read the version on both home screens, and what stands top right."))
    yield Task(prose("Ask both health checks: {} and {}.", pair.master_health, pair.slave_health))


# -- what to wait for before -----------------------------------------------------------------------------------------


def _before_standby(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    pair = bearings.pairs[step.site]
    words = "Both units are up: of {} and {} one answers {}, the other {}."
    yield prose(words, pair.master_health, pair.slave_health, OK, BUSY)
    if pair.master_returns:
        words = (
            "Under {} the active one is the master. If it is the slave although the master is up, find out why before "
        )
        words += "you begin: once updated, the master takes over as soon as it is back."
        yield prose(words, wui.PREFERRED_CHOICE["master"])


def _before_active(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    yield prose("The unit of {} is up: its home screen shows {}.", _first_update(step, bearings), to_version(bearings))
    if gains_secret(bearings, step.site) or loses_secret(bearings, step.site):
        words = "Do not wait any longer than that: while the two units differ, they refuse each other, and nothing is "
        yield prose(words + "replicated.")
    else:
        yield prose("It is the standby again, ready to take over: it answers {}.", BUSY)


def _before_remaining(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    pair = bearings.pairs[step.site]
    words = "Both units are up: {} and {} both answer. If this unit is the active one, the other takes over meanwhile."
    yield prose(words, pair.master_health, pair.slave_health)


def _before_standalone(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    before = bearings.plan.steps[: step.number - 1]
    last = before[-1] if before else None
    if last and last.action is Action.VERIFY_UPDATED_PAIR:
        yield prose("Every pair is finished: {} is ticked.", StepNumber(last.number))
    elif last:
        yield prose("{} is up again, with {} on its home screen.", Name(last.site), to_version(bearings))


def _first_update(step: Step, bearings: RunbookContext) -> StepNumber:
    return bearings.number(step.site, Action.UPDATE_STANDBY)


# -- what is seen, and what comes then -------------------------------------------------------------------------------


def _standby_seen(step: Step, bearings: RunbookContext) -> Prose:
    boot = prose(duration(bearings.plan.estimates.boot_seconds))
    words = "It stops answering, nothing fails over, and after about {} its home screen shows {}."
    seen = prose(words, boot, to_version(bearings))
    if gains_secret(bearings, step.site) or loses_secret(bearings, step.site):
        words = "{} It answers {} as before, or {} because the two units refuse each other now."
        return prose(words, seen, BUSY, OK)
    words = "{} It is the standby as before: it answers {}, and its menu offers {} alone."
    return prose(words, seen, BUSY, wui.LOCAL_ADMINISTRATION)


def _active_seen(step: Step, bearings: RunbookContext) -> Prose:
    boot = prose(duration(bearings.plan.estimates.boot_seconds))
    words = "It stops answering, and the unit of {} takes over: it answers {}. After about {} this one is back and "
    return prose(words + "shows {}.", _first_update(step, bearings), OK, boot, to_version(bearings))


def _remaining_seen(_step: Step, bearings: RunbookContext) -> Prose:
    boot = prose(duration(bearings.plan.estimates.boot_seconds))
    words = "It stops answering, the other unit answers {}, and after about {} this one is back and shows {}."
    return prose(words, OK, boot, to_version(bearings))


def _standalone_seen(_step: Step, bearings: RunbookContext) -> Prose:
    boot = prose(duration(bearings.plan.estimates.boot_seconds))
    words = "Its site is down while it reboots. After about {} it is back, and its home screen shows {}."
    return prose(words, boot, to_version(bearings))


def _secret_seen(_step: Step, _bearings: RunbookContext) -> Prose:
    words = "Its home screen no longer asks for the {}. The secret itself is never shown again."
    return prose(words, wui.SHARED_SECRET)


def _pair_seen(step: Step, bearings: RunbookContext) -> Prose:
    pair = bearings.pairs[step.site]
    version = prose("Both home screens show {}.", to_version(bearings))
    if pair.master_returns:
        words = "{} {} answers {} and {} answers {}: {} and {}."
        return prose(
            words, version, pair.master_health, OK, pair.slave_health, BUSY, wui.MASTER_ACTIVE, wui.SLAVE_STANDBY
        )
    words = "{} Of {} and {} one answers {}, the other {}: exactly one of them is active, whichever it is."
    return prose(words, version, pair.master_health, pair.slave_health, OK, BUSY)


def _after_standby(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    if gains_secret(bearings, step.site):
        words = "Go straight on with {}: {} has the {} and the pair's other unit has none. Until both have it, HA and "
        words += "partner links between them stay refused, and both may take themselves for active."
        yield prose(words, StepNumber(step.number + 1), to_version(bearings), wui.SHARED_SECRET)
    elif loses_secret(bearings, step.site):
        words = "Go straight on with {}: {} has no {}, and the pair's other unit still has one. Until that is updated "
        words += "too, HA between them stays refused, and both may take themselves for active."
        yield prose(words, StepNumber(step.number + 1), to_version(bearings), wui.SHARED_SECRET)


def _after_active(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    pair = bearings.pairs[step.site]
    if gains_secret(bearings, step.site):
        words = "Go straight on with {}: until then the two units refuse each other."
        yield prose(words, StepNumber(step.number + 1))
    yield _who_is_active_then(pair, bearings)


def _who_is_active_then(pair: Pair, bearings: RunbookContext) -> Prose:
    """Say whether it fails back, and how long the load balancer takes each time (sections 2, 6.2 and 7)."""
    if pair.master_returns:
        words = "Under {} it fails back: the master is active again once it is back and the units accept each other."
        words += "{}"
        return prose(words, wui.PREFERRED_CHOICE["master"], _time_of_failover(pair, bearings))
    words = "Under {} it does not fail back: the unit updated first stays active, and this one is its standby.{}"
    return prose(words, wui.PREFERRED_CHOICE["none"], _time_of_failover(pair, bearings))


def _time_of_failover(pair: Pair, bearings: RunbookContext) -> Prose:
    settings = bearings.ha_pairs.get(pair.site)
    if settings is None:
        return prose("")
    seconds = count(settings.health_check.switchover_seconds, "second")
    return prose(f" The load balancer follows after {seconds} at least, each time.")


def _after_remaining(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    if gains_secret(bearings, step.site):
        words = "Go straight on with {}: until then the two units refuse each other."
        yield prose(words, StepNumber(step.number + 1))
    pair = bearings.pairs[step.site]
    yield prose("If it was the active one: {}", _who_is_active_then(pair, bearings))


def _after_standalone(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    if gains_secret(bearings, step.site):
        words = "Go straight on with {}: until then its partners and this unit refuse each other."
        yield prose(words, StepNumber(step.number + 1))


def _after_secret(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    update = bearings.plan.steps[step.number - 2]
    if update.action is Action.UPDATE_STANDBY:
        words = "Go on with {} without a pause: this unit has the {} and the other has none, so HA between them stays "
        words += "refused. Nothing is replicated meanwhile. If both answer {}, both are active, and the load balancer "
        words += "sends clients to both; the next update ends that."
        yield prose(words, StepNumber(step.number + 1), wui.SHARED_SECRET, OK)
    elif update.action is Action.UPDATE_REMAINING:
        words = "If the pair's other unit was never given the {}, set it there as well, at the same place."
        yield prose(words, wui.SHARED_SECRET)
    elif update.action is Action.UPDATE_ACTIVE:
        words = "The two units accept each other again: wait until one answers {} and the other {}."
        yield prose(words, OK, BUSY)
    if update.action is not Action.UPDATE_STANDBY and bearings.plan.site(step.site).geo_partners:
        words = "Partners that have it too accept this site again; those that have not stay red until their turn."
        yield prose(words)


def _after_verification(step: Step, bearings: RunbookContext) -> Iterator[Prose]:
    following = bearings.plan.steps[step.number : step.number + 1]
    if following:
        yield prose("{} is finished. Only now begin with {}.", Name(step.site), Name(following[0].site))
    else:
        yield prose("{} is finished, and with it the last unit.", Name(step.site))


def _seconds_of_update(step: Step, plan: Plan) -> float:
    return plan.estimates.boot_seconds if step.action in UPDATE_ACTIONS else 0


VOICES = {
    Action.UPDATE_STANDBY: Voice(
        heading=HEADING,
        title="{}: update the standby",
        screen=wui.STANDBY_UPDATE,
        login=_log_in_to_standby,
        moves=_update_moves,
        expect=_standby_seen,
        trouble=trouble_upgrade.standby,
        wait_before=_before_standby,
        wait_after=_after_standby,
        waiting_seconds=_seconds_of_update,
    ),
    Action.UPDATE_ACTIVE: Voice(
        heading=HEADING,
        title="{}: update the active unit",
        screen=wui.UPDATE_SOFTWARE,
        login=_log_in_to_active,
        moves=_update_moves,
        expect=_active_seen,
        trouble=trouble_upgrade.active,
        wait_before=_before_active,
        wait_after=_after_active,
        waiting_seconds=_seconds_of_update,
    ),
    Action.UPDATE_REMAINING: Voice(
        heading=HEADING,
        title="{}: update the unit that is left",
        screen=wui.UPDATE_SOFTWARE,
        login=_log_in_to_remaining,
        moves=_update_moves,
        expect=_remaining_seen,
        trouble=trouble_upgrade.remaining,
        wait_before=_before_remaining,
        wait_after=_after_remaining,
        waiting_seconds=_seconds_of_update,
    ),
    Action.UPDATE_STANDALONE: Voice(
        heading=HEADING,
        title="{}: update it",
        screen=wui.UPDATE_SOFTWARE,
        login=log_in,
        moves=_update_moves,
        expect=_standalone_seen,
        trouble=trouble_upgrade.standalone,
        wait_before=_before_standalone,
        wait_after=_after_standalone,
        waiting_seconds=_seconds_of_update,
    ),
    Action.SET_PARTNER_SECRET: Voice(
        heading=HEADING,
        title=f"{{}}: set the {wui.SHARED_SECRET}",
        screen=wui.REMOTE_ACCESS,
        login=_log_in_to_updated,
        moves=_secret_moves,
        expect=_secret_seen,
        trouble=trouble_upgrade.secret,
        wait_after=_after_secret,
    ),
    Action.VERIFY_UPDATED_PAIR: Voice(
        heading=HEADING,
        title="{}: see that the pair is whole again",
        screen=wui.HOME,
        login=log_in_to_both,
        moves=_verification_moves,
        expect=_pair_seen,
        trouble=trouble_upgrade.pair,
        wait_after=_after_verification,
    ),
}
