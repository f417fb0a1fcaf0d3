"""Pairs whose two units have different health check ports: HA does not work, so they are mended before all else.

What is wrong with other sites is put off until then: a unit that is down elsewhere is no reason to leave a pair split.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.live.survey import observe_for_preflight
from geoplan.plan.model import Action
from geoplan.push.context import Seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator

    from geoplan.live.model import Observations
    from geoplan.push.context import Context
    from geoplan.push.executor import Executor
    from geoplan.push.preflight import PreflightResult

    Check = Callable[[Observations], PreflightResult]
    BackUp = Callable[[Context, Observations], Awaitable[None]]


def what_comes_first(verdict: PreflightResult) -> Iterator[str]:
    """Say that pairs are mended before all else, and what stops the push then."""
    if verdict.put_off:
        yield "first come the pairs whose ports differ; then it stops, unless this is repaired by then:"
        yield from (f"  {problem}" for problem in verdict.put_off)


def only_of(sites: Iterable[str], facts: Observations) -> Observations:
    """Return what was seen of the units of some sites."""
    wanted = frozenset(sites)
    return replace(facts, units={key: unit for key, unit in facts.units.items() if unit.site in wanted})


async def mend(context: Context, executor: Executor, split: Collection[str]) -> None:
    """Make the ports of split pairs alike, before any other step."""
    port = Action.SET_HEALTH_CHECK_PORT
    await executor.run_half_done({step.id for step in context.plan.steps if step.action is port and step.site in split})


async def require_ready(context: Context, check: Check, back_up: BackUp) -> None:
    """Look at everything again. Raises :class:`PushStoppedError` with what blocks the rest."""
    facts = await observe_for_preflight(context.fleet)
    verdict = check(facts)
    why = [str(problem) for problem in (*verdict.problems, *verdict.put_off)]
    if not why:
        context.seen = Seen.in_facts(facts)
        try:
            await back_up(context, facts)
        except PushRefusedError as error:
            why = list(error.problems)
    if why:
        context.journal.write("stopped", outcome="stopped", why=why)
        said = "the push stopped part-way: the pairs whose ports differed came first, and this blocks the rest"
        raise PushStoppedError("\n".join((f"{said}:", *(f"  {each}" for each in why))))
