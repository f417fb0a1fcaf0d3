"""The HA parameters of a pair at work before a change and after it, and the actions that lead there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.plan.actions import Action
from geoplan.plan.base import FrozenModel


class HaValues(FrozenModel):
    """The HA parameters that both units of a pair hold alike, as far as a topology says them."""

    preferred_host: Literal["master", "none"]
    health_check_port: int
    all_interfaces: bool | None = Field(None, description="None where the topology does not say it.")


class HaChange(FrozenModel):
    """The HA parameters of a pair at work before a change and after it."""

    site: str
    before: HaValues
    after: HaValues

    def values(self, action: Action) -> tuple[str, ...]:
        """Return what a step of it enters; nothing for any other."""
        match action:
            case Action.SET_PREFERRED_HOST:
                return (self.after.preferred_host,)
            case Action.SET_ALL_INTERFACES:
                return ("yes" if self.after.all_interfaces else "no",)
            case Action.SET_HEALTH_CHECK_PORT | Action.MOVE_HEALTH_CHECK:
                return (str(self.after.health_check_port),)
            case _:
                return ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is done for it, in order: the port first, since a pair whose ports differ does not work until then."""
        one, other = self.before, self.after
        port = (Action.SET_HEALTH_CHECK_PORT, Action.MOVE_HEALTH_CHECK)
        return (
            *(port if one.health_check_port != other.health_check_port else ()),
            *((Action.SET_PREFERRED_HOST,) if one.preferred_host != other.preferred_host else ()),
            *((Action.SET_ALL_INTERFACES,) if one.all_interfaces is not other.all_interfaces else ()),
        )
