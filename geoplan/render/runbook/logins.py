"""Where a step is done: which unit of a site it is by then, and how to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.model import Login
from geoplan.render.runbook.prose import Name, Pasted, Prose, Value, prose

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.render.runbook.context import Pair, RunbookContext


def log_in(step: Step, bearings: RunbookContext) -> Login:
    """Return the unit on which a step is done, and of a pair how to tell that it is the active one."""
    site = Name(step.on.site)
    pair = bearings.pairs.get(step.on.site)
    if pair is None:
        return Login(prose("{}", site), Value(bearings.plan.site(step.on.site).units[0].address))
    match step.on.unit:
        case "master":
            return Login(prose("the master of {}", site), pair.master)
        case "slave":
            return Login(prose("the slave of {}", site), pair.slave)
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


def log_in_to_both(step: Step, bearings: RunbookContext) -> Login:
    """Return both units of a pair, the master first."""
    pair = bearings.pairs[step.site]
    second = prose("And, in a second window, to its slave: {}.", Pasted(pair.slave))
    return Login(prose("the master of {}", pair.site), pair.master, second)


def _tell(pair: Pair, *, slave_active: bool) -> Prose:
    """Say how to tell which unit is active: 200 from it, 503 from the standby (section 4)."""
    active, standby = pair.master_health, pair.slave_health
    if slave_active:
        active, standby = standby, active
    return prose("It is the active one when {} answers {}; the standby, {}, answers {}.", active, OK, standby, BUSY)


def _tell_after_reboot(pair: Pair, bearings: RunbookContext) -> Prose:
    """Say how to tell that the slave has taken over: there is no standby to ask while the master restarts."""
    words = "It is the active one when {} answers {}; the master, {}, "
    if not pair.master_returns:
        words += "may not answer yet, and answers {} once it is back."
        return prose(words, pair.slave_health, OK, pair.master_health, BUSY)
    words += "does not answer. Once it does, it is too late: do {} again, with its waits, and then this one at once."
    reboot = bearings.number(pair.site, Action.REBOOT_MASTER)
    return prose(words, pair.slave_health, OK, pair.master_health, reboot)
