"""The safeguards of changed HA parameters, each taken out in turn."""

from __future__ import annotations

import pytest

from geoplan.live.findings.ha_changes import PARAMETERS
from geoplan.loadmaster.model import HaRequest
from geoplan.plan.model import Action
from tests.simulation.mutations import Mutation, answering, awaited, setting


def _with_others(patch: pytest.MonkeyPatch) -> None:
    """Let the step of the preferred host turn all interfaces on as well."""
    action = Action.SET_PREFERRED_HOST

    def request(partner: str, value: bool | int) -> HaRequest:
        return HaRequest(partner, prefers_master=bool(value), all_interfaces=True)

    patch.setitem(PARAMETERS, action, PARAMETERS[action]._replace(request=request))


HA_MUTATIONS = (
    Mutation(
        "two ports that are apart keep the push from mending them",
        "port changed, cut between its two units",
        setting(("geoplan.push.preflight.pairs_with_ports_apart", answering(frozenset()))),
    ),
    Mutation(
        "a port that the other unit refuses stays",
        "port that one unit refuses",
        setting(("geoplan.push.actions.change_ha_parameters._set_back", awaited(None))),
    ),
    Mutation(
        "a change of one HA parameter carries others along",
        "preferred host changed",
        _with_others,
    ),
)
