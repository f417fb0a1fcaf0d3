"""The question before HA parameters of pairs at work are changed: each pair is confirmed by its name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from geoplan.cli.signals import interruptible
from geoplan.errors import PushRefusedError
from geoplan.live.findings.ha_changes import pairs_left_to_change
from geoplan.plan.ha_change import consequences_of
from geoplan.wording import join_words, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan


def ha_change_lines(plan: Plan) -> Iterator[str]:
    """Yield what a plan changes of the HA parameters of pairs at work, its risk, and what the load balancer sees."""
    for step in plan.steps:
        if said := consequences_of(plan, step):
            yield f"changes HA of '{step.site}': {said.what}"
            yield f"  risk: {said.risk}"
            yield f"  the load balancer: {said.balancer}"


def ha_change_is_accepted(
    plan: Plan, facts: Observations, confirmed: Collection[str], again: Callable[..., str]
) -> bool:
    """Ask for each pair by its name whether its HA parameters may be changed, which ``--yes`` does not answer.

    Pairs that hold them already are not asked for. ``again`` types the command that answers it beforehand. Raises
    :class:`PushRefusedError` where nobody can be asked.
    """
    pairs = pairs_left_to_change(plan, facts)
    left = [pair for pair in pairs if pair not in confirmed]
    if not left:
        return True
    if not sys.stdin.isatty():
        words = [word for pair in pairs for word in ("--accept-ha-change", pair)]
        names = join_words(f"'{pair}'" for pair in left)
        raise PushRefusedError(
            f"HA parameters of pairs at work change, which is confirmed by name and not by --yes: {names}; this run "
            "has changed nothing",
            hint=f"confirm it beforehand: {again(*words)}",
        )
    for pair in left:
        with interruptible():
            typed: str = click.prompt(
                f"Type '{shown(pair)}' to change its HA parameters, anything else to stop", default="", err=True
            )
        if typed.strip() != pair:
            return False
    return True
