"""What people enter again by hand, as a push of a change asks for that refuses because a unit has lost it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import without
from geoplan.lab.device.parameters import GEO_PARTNERS, REMOTE_GEO_ACCESS

if TYPE_CHECKING:
    from geoplan.lab.device.unit import Unit
    from geoplan.plan.model import Change, SiteSettings
    from geoplan.twin.stage import Stage


def enter_again(stage: Stage) -> None:
    """Give the active unit of each site that goes on what it had before the change, where that is not there now."""
    change = stage.plan.change
    for site in stage.plan.sites if change else ():
        old, unit = change.old_site(site.name) if change else None, stage.active_unit(site.name)
        if change is None or old is None or unit is None or site.name in change.leaving:
            continue
        _restore_clusters(stage, change, old, unit)
        for name, before, held in (
            (REMOTE_GEO_ACCESS, old.remote_geo_access, unit.remote_geo_access),
            (GEO_PARTNERS, old.geo_partners, unit.geo_partners),
        ):
            if without(before, held):
                stage.network.set_parameter(unit, name, before)
        _complete(stage, site, old, unit)


def _complete(stage: Stage, site: SiteSettings, old: SiteSettings, unit: Unit) -> None:
    """Enter what the refusal names where a list has a part of what the change adds: the plan's access, OLD's partners.

    Access alone links nobody, and partners are the push's to submit.
    """
    if _has_a_part(unit.remote_geo_access, old.remote_geo_access, site.remote_geo_access):
        stage.network.set_parameter(unit, REMOTE_GEO_ACCESS, site.remote_geo_access)
    if _has_a_part(unit.geo_partners, old.geo_partners, site.geo_partners):
        stage.network.set_parameter(unit, GEO_PARTNERS, old.geo_partners)


def _has_a_part(held: tuple[str, ...], before: tuple[str, ...], planned: tuple[str, ...]) -> bool:
    """Return whether a list has some of what is added to it, and not all."""
    return bool(without(held, before) and without(planned, held))


def _restore_clusters(stage: Stage, change: Change, old: SiteSettings, unit: Unit) -> None:
    """Restore the GEO configuration of a site of the same group on a unit that has none."""
    geo = stage.network.geo
    if any(geo.clusters(unit)):
        return
    mates = [each.name for each in change.old_sites if each.group == old.group and each.name != old.name]
    sources = [source for name in mates if (source := stage.active_unit(name)) and any(geo.clusters(source))]
    if sources:
        geo.replace_all(unit, [cluster for _, cluster in geo.clusters(sources[0])], list(geo.fqdns(sources[0])))
