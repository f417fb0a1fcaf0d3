"""Which pairs a push reboots: what changes now, what earlier pushes left due, and what is asked for.

The checks before a push and the steps themselves ask the same function, so that no pair is rebooted that the checks
have not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses
from geoplan.plan.model import Action, Phase
from geoplan.push.change_progress import pairs_with, units_to_renew
from geoplan.push.history import PairProgress
from geoplan.push.options import RebootMode
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger
    from geoplan.push.options import Options
    from geoplan.push.store import Past


@dataclass(frozen=True)
class Reboots:
    """What decides whether a push reboots a pair."""

    plan: Plan
    options: Options
    ledger: Ledger
    history: History | None
    """The journal of the push; None before it begins."""

    def without(self, pair: str) -> Outcome | None:
        """Return why a pair is not rebooted, or None where it is."""
        history = self.history
        if self.options.reboot is RebootMode.NEVER:
            return Outcome(StepState.LEFT_OUT, None, "no reboot is wanted")
        if (history and history.is_owed(pair)) or self.ledger.owes_reboot(self.plan.site(pair)):
            return None
        if history and history.was_finished(pair):
            return Outcome(StepState.RECORDED, None, "the journal has it")
        if pair in self._renewed:
            return None  # its new unit has no link to anybody
        if self.options.reboot is RebootMode.ALWAYS or pair in self.options.reboot_sites:
            return None
        return Outcome(StepState.NOT_NEEDED, None, "its partners did not change")

    @cached_property
    def _renewed(self) -> frozenset[str]:
        return pairs_with(units_to_renew(self.plan, self.ledger, self.history), self.plan)

    def to_do(self, facts: Observations, unsubmitted: Collection[str]) -> list[str]:
        """Return the pairs that the push will reboot, as far as the units tell before its first change.

        ``unsubmitted`` are pairs whose list holds partners that nothing says their slave has: that becomes due with
        the first record of the push, as what a list gets does.
        """
        return [pair for pair in pairs_rebooted_by(self.plan) if self._is_to_do(pair, facts, unsubmitted)]

    def _is_to_do(self, pair: str, facts: Observations, unsubmitted: Collection[str]) -> bool:
        if self.options.reboot is RebootMode.NEVER:
            return False
        if self.history and self.history.is_owed(pair):
            # of one that was resubmitted only the return is awaited
            return self.history.progress(pair) is not PairProgress.RESUBMITTED
        active = facts.active(pair)
        held = active.geo_partners if active else None
        is_growing = held is None or not same_addresses(held, self.plan.site(pair).geo_partners)
        return is_growing or pair in unsubmitted or self.without(pair) is None


def pairs_rebooted_by(plan: Plan) -> Iterator[str]:
    """Yield the pairs for whose reboot a plan has a step."""
    return (step.site for step in plan.steps if step.action is Action.REBOOT_MASTER)


def pairs_that_owe(ledger: Ledger, plan: Plan) -> tuple[str, ...]:
    """Return the pairs of a plan whose reboot is due, whichever push left it out."""
    return tuple(site.name for site in plan.sites if ledger.owes_reboot(site))


def owed_to(change: Plan, past: Past) -> tuple[str, ...]:
    """Return the pairs that a change has to reboot for what earlier pushes left due.

    A change that is unfinished and goes on has them already: what is paid in between makes no other plan of it.
    """
    begun = past.unfinished.plan if past.unfinished else None
    return tuple(pairs_rebooted_by(begun)) if begun and begun.change else pairs_that_owe(past.ledger, change)


def left_due(plan: Plan, options: Options, ledger: Ledger, unsubmitted: Collection[str] = ()) -> tuple[str, ...]:
    """Return the pairs whose reboot stays due although a push of lists comes to its end: it may not, or has no step."""
    if Phase.GEO not in plan.phases() and plan.change is None:
        return ()
    done = () if options.reboot is RebootMode.NEVER else frozenset(pairs_rebooted_by(plan))
    owing = {*unsubmitted, *pairs_that_owe(ledger, plan)}
    return tuple(site.name for site in plan.sites if site.name in owing and site.name not in done)
