"""What blocks the setting of a secret, found before anything is changed; sites whose units may differ are mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.activity import AT_WORK, said
from geoplan.live.findings.notes import notes_of
from geoplan.live.model import how_to_reach
from geoplan.push.preflight import PreflightResult
from geoplan.push.problems import Problem
from geoplan.push.secret_progress import has_begun, sites_that_differ
from geoplan.push.secret_scope import left_alone
from geoplan.push.update_checks import out_of_sync, red_links
from geoplan.push.window import group_problems
from geoplan.vendor import NO_PREFERRED_HOST, SHARED_SECRET, has_partner_secret, parse_version
from geoplan.wording import join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.options import Options
    from geoplan.push.store import Past

NO_WAY_BACK = "give it as GEOPLAN_OLD_SECRET or with --old-secret-file, or say --no-way-back"
LINKS_DOWN = "push in a window, with --window, or say --accept-links-down"


async def check_secret(
    fleet: Fleet, facts: Observations, options: Options, past: Past, history: History | None
) -> PreflightResult:
    """Compare what all units say with what the setting of a secret needs; ``history`` is a run of it before.

    While units of a site may differ, what is wrong with other sites is put off: nothing keeps them from being mended.
    """
    plan = fleet.plan
    problems = [*_word_problems(plan, options)] if history is None else []
    differing = sites_that_may_differ(plan, past.left_different, history)
    alone = left_alone(plan, past.rotations, history, undoes=options.undoes)
    of_others: list[Problem] = []
    for site in plan.sites:
        if site.name in differing:
            problems += _unit_problems(site, facts)
        elif site.name not in alone:
            of_others += _unit_problems(site, facts)
            of_others += _pair_problems(site, facts) if site.kind == "ha_pair" else ()
    fresh = [group for group in plan.groups_now if history is None or not has_begun(history, group.sites)]
    fresh = [group for group in fresh if not alone.issuperset(group.sites)]
    is_split = differing.intersection
    problems += group_problems(fleet, options, [group.name for group in fresh if is_split(group.sites)])
    of_others += group_problems(fleet, options, [group.name for group in fresh if not is_split(group.sites)])
    notes = tuple(notes_of(plan, facts))
    if differing:
        return PreflightResult(tuple(problems), notes, (), put_off=tuple(of_others), left_alone=alone)
    return PreflightResult((*problems, *of_others), notes, (), left_alone=alone)


def sites_that_may_differ(plan: Plan, left: Collection[frozenset[str]], history: History | None) -> frozenset[str]:
    """Return the sites whose units may have different secrets: by a run of the same push before, or by earlier ones."""
    own = frozenset(sites_that_differ(history)) if history else frozenset()
    return own | frozenset(site.name for site in plan.sites if units_of(site) in left)


def units_of(site: SiteSettings) -> frozenset[str]:
    """Return the units of a site, in one spelling."""
    return frozenset(canonical(unit.address) for unit in site.units)


def _word_problems(plan: Plan, options: Options) -> Iterator[Problem]:
    """Find what the operator has to say before links go down, and before there is no way back."""
    linked = [group for group in plan.groups_now if len(group.sites) > 1]
    if linked and not options.accepts_links_down:
        message = "all links of these sites are down from the first unit that has the secret to the last one"
        yield Problem(plan.scope, message, LINKS_DOWN)
    if not options.has_way_back:
        message = f"without the {SHARED_SECRET} that units have now there is no way back"
        yield Problem(plan.scope, message, NO_WAY_BACK)


def _unit_problems(site: SiteSettings, facts: Observations) -> Iterator[Problem]:
    for unit in facts.of_site(site.name):
        if unit.failure is not None:
            yield Problem(unit.address, unit.failure.message, how_to_reach("see that its API answers", unit))
        elif unit.firmware is None:
            yield Problem(unit.address, f"it does not tell its version, so whether it has a {SHARED_SECRET}", _BY_HAND)
        elif not has_partner_secret(parse_version(unit.firmware)):
            message = f"its firmware {unit.firmware} has no {SHARED_SECRET}"
            yield Problem(unit.address, message, "update it first: geoplan push --upgrade-to")


_BY_HAND = "set it by hand on all units, or see why it does not tell"


def _pair_problems(site: SiteSettings, facts: Observations) -> Iterator[Problem]:
    units: tuple[Observation, ...] = facts.of_site(site.name)
    looks = {unit.address: unit.look for unit in units if unit.look is not None}
    if sorted(look.state for look in looks.values()) != AT_WORK:
        message = f"one unit has to be active and the other its standby, but {said(looks)}"
        yield Problem(site.name, message, "repair the pair first")
    yield from out_of_sync(units)


def what_to_know(plan: Plan, facts: Observations, watched: float) -> Iterator[str]:
    """Yield what nobody has confirmed of real units, and what it costs; pairs are ``watched`` so many seconds."""
    if any(len(group.sites) > 1 for group in plan.groups_now):
        yield (
            "from the first site to the last one of a group its links are red: what is changed on one side then is not "
            "on the other, so change nothing meanwhile"
        )
    if any(site.kind == "ha_pair" for site in plan.sites):
        yield (
            "not confirmed on a real unit: what HA does while the two units of a pair differ; both may be active for "
            "these moments, so both are sent it back to back, the standby first"
        )
        yield f"each pair is then watched for {watched:g} s, a replication: units part some time after their secrets do"
    if free := [f"'{site.name}'" for site in plan.sites if site.preferred_host == "none"]:
        yield f"under {NO_PREFERRED_HOST}, so another unit may serve afterwards, which is a finding: {join_words(free)}"
    red = [address for site in plan.sites for address in _red(plan, site, facts)]
    if red:
        yield f"these see active partners red already, by another secret or for another reason: {some_of(red)}"


def _red(plan: Plan, site: SiteSettings, facts: Observations) -> Iterator[str]:
    for unit in facts.of_site(site.name):
        if any(True for _ in red_links(plan, site, unit, facts)):
            yield unit.address
