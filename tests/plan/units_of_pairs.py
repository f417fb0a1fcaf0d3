"""A small model of sites whose units are updated: who is up, who is active, and what HA does about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.vendor import has_partner_secret, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan import Plan
    from geoplan.plan.model import SiteSettings, Step

UPDATES = {Action.UPDATE_STANDBY, Action.UPDATE_ACTIVE, Action.UPDATE_REMAINING, Action.UPDATE_STANDALONE}


@dataclass
class ModelUnit:
    """One unit: what it runs, and what it is at the moment."""

    address: str
    firmware: str
    secret_set: bool
    up: bool = True
    active: bool = False

    @property
    def has_secret(self) -> bool:
        """Whether its firmware has the Partner Shared Secret."""
        return has_partner_secret(parse_version(self.firmware))


@dataclass
class ModelSite:
    """A pair or a standalone. ``alone_takes_over`` says what a standby does when HA between the units is refused."""

    units: list[ModelUnit]
    prefers_master: bool
    alone_takes_over: Callable[[], bool]
    failovers: list[str] = field(default_factory=list)

    def linked(self) -> bool:
        """Return whether the units of a pair accept each other: the same secret on both, or none on either."""
        with_secret = [unit.has_secret for unit in self.units]
        return all(unit.up for unit in self.units) and (
            not any(with_secret) or (all(with_secret) and all(unit.secret_set for unit in self.units))
        )

    def settle(self) -> None:
        """Do what HA does by itself (sections 4 and 6.2)."""
        before = [unit.address for unit in self.units if unit.active]
        for unit in self.units:
            unit.active = unit.active and unit.up
        if len(self.units) == 1 or not self.linked():
            for unit in self.units:
                alone = not any(other.up for other in self.units if other is not unit)
                unit.active = unit.up and (unit.active or alone or self.alone_takes_over())
        elif self.prefers_master:
            self._only(self.units[0])
        else:
            self._only(next((unit for unit in self.units if unit.active), self.units[0]))
        after = [unit.address for unit in self.units if unit.active]
        self.failovers += [address for address in after if before and address not in before]

    def _only(self, active: ModelUnit) -> None:
        for unit in self.units:
            unit.active = unit is active


class Model:
    """All sites of a plan, carried along its steps; a step can be under way while others begin."""

    def __init__(self, plan: Plan, *, first_active: Callable[[], int], alone_takes_over: Callable[[], bool]) -> None:
        assert plan.firmware
        self.to = plan.firmware.to
        self._updated: dict[str, ModelUnit] = {}
        self.sites = {
            site.name: self._site(site, plan, first_active(), alone_takes_over)
            for site in plan.sites
            if site.name in plan.firmware.sites
        }

    def _site(
        self, site: SiteSettings, plan: Plan, first_active: int, alone_takes_over: Callable[[], bool]
    ) -> ModelSite:
        assert plan.firmware
        units = [
            ModelUnit(unit.address, unit.present or "", secret_set=True) for unit in plan.firmware.of_site(site.name)
        ]
        units[first_active % len(units)].active = True
        model = ModelSite(units, site.preferred_host == "master", alone_takes_over)
        model.settle()
        model.failovers.clear()
        return model

    def begin(self, step: Step) -> None:
        """Let a step begin: an update takes its unit down, everything else is done at once."""
        site = self.sites[step.site]
        if step.action in UPDATES:
            unit = self._to_update(step, site)
            self._updated[step.site] = unit
            unit.up = False
            site.settle()
        elif step.action is Action.SET_PARTNER_SECRET:
            unit = self._updated[step.site]
            assert unit.up, "a secret is set on a unit that is up"
            assert unit.has_secret, "a secret is set on firmware that has one"
            unit.secret_set = True
            site.settle()

    def end(self, step: Step) -> None:
        """Let a step end: an updated unit is back, with the new firmware and, where that is new to it, no secret."""
        if step.action in UPDATES:
            unit = self._updated[step.site]
            had_secret, unit.firmware = unit.has_secret, self.to
            unit.secret_set = unit.secret_set and (had_secret or not unit.has_secret)
            unit.up = True
            self.sites[step.site].settle()

    def _to_update(self, step: Step, site: ModelSite) -> ModelUnit:
        old = [unit for unit in site.units if unit.firmware != self.to]
        match step.on.unit:
            case "standby":
                (unit,) = (unit for unit in site.units if not unit.active) if site.linked() else old[:1]
            case "active":  # the one that is left, whatever HA has done in between
                (unit,) = old
            case "master":
                unit = site.units[0]
            case "slave":
                unit = site.units[1]
            case _:
                (unit,) = site.units
        assert unit in old, "no unit is updated twice"
        return unit
