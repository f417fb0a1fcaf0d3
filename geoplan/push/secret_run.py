"""The Partner Shared Secret, set on all units: what of that is its own, beside what every push on units does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.activity import states_of
from geoplan.live.fleet import only_active
from geoplan.plan.model import Phase
from geoplan.push.secret_checks import check_secret, units_of
from geoplan.push.secret_guard import guarded_for_secret
from geoplan.push.secret_progress import has_begun, left_different, secrets_of, sites_that_differ, who_has_which
from geoplan.push.secret_scope import left_alone, recorded_alone
from geoplan.push.units_run import UnitsPush, UnitsResult, run_on_units
from geoplan.wording import join_words

if TYPE_CHECKING:
    from geoplan.live.fleet import Fleet
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Context, Stop
    from geoplan.push.history import History
    from geoplan.push.journal import Journal
    from geoplan.push.listener import PushListener
    from geoplan.push.options import Options
    from geoplan.push.store import Store


async def run_rotation(
    fleet: Fleet, options: Options, store: Store, listener: PushListener, *, stop: Stop | None = None
) -> UnitsResult:
    """Set the secret of ``options`` on all units, or go on with that.

    Raises what :func:`geoplan.push.run.run_push` raises.
    """
    return await run_on_units(_ROTATION, fleet, options, store, listener, stop=stop)


def _carry_over(journal: Journal, store: Store, _replaced: History | None) -> None:
    """Write down which sites earlier pushes have left with secrets that may differ, and which are left alone."""
    earlier = [each for each in store.histories() if each.rotation and each.path != journal.path]
    left, own = left_different(earlier), journal.history
    if own.plan.secret and own.plan.secret.goes_back and recorded_alone(own) is None:
        journal.write("secrets_left_alone", sites=sorted(left_alone(own.plan, earlier, own)))
    for site in own.plan.sites:
        order = left.get(units_of(site))
        if order is not None and not secrets_of(own, site.name).needs_mending and not has_begun(own, [site.name]):
            journal.write("secrets_may_differ", site=site.name, units=_in_own_words(site, order))


def _in_own_words(site: SiteSettings, order: tuple[str, ...]) -> tuple[str, ...]:
    own = {canonical(unit.address): unit.address for unit in site.units}
    return tuple(own[canonical(address)] for address in order)


def _half_done(history: History) -> tuple[str, ...]:
    differing = sites_that_differ(history)
    return tuple(step.id for step in history.plan.steps if step.site in differing)


async def _standing(context: Context) -> list[str]:
    """Say of each site that was begun who may have which secret, and of a pair which unit serves."""
    begun = [site for site in context.plan.sites if has_begun(context.history, [site.name])]
    lines = [await _standing_of(context, site) for site in begun]
    alone = recorded_alone(context.history) or frozenset()
    whole = [site.name for site in context.plan.sites if site not in begun and site.name not in alone]
    given = context.ledger.secrets.given
    before = [name for name in whole if given & units_of(context.plan.site(name))]
    if before:
        lines.append(f"  now       not begun by this push, given a new one by a push before: {join_words(before)}")
    whole = [name for name in whole if name not in before]
    if begun and whole:
        lines.append(f"  now       not begun: {join_words(whole)}; links with them are red until all have the same")
    if alone:
        lines.append(f"  now       never given the new one, so left alone: {join_words(sorted(alone))}")
    return lines


async def _standing_of(context: Context, site: SiteSettings) -> str:
    told = who_has_which(context.history, site.name)
    if site.kind != "ha_pair":
        return f"  now       '{site.name}': {told}"
    active = only_active(states_of(await context.fleet.look(site)))
    serves = f"{active} serves" if active else "not exactly one unit is seen to serve: look at both at once"
    return f"  now       '{site.name}': {told}; {serves}"


_ROTATION = UnitsPush(Phase.SECRET, check_secret, guarded_for_secret, _standing, _carry_over, _half_done)
