"""The actions that change HA parameters of a pair at work: one step each, and what is said of it."""

from __future__ import annotations

from geoplan import vendor
from geoplan.plan.action_row import Action, Case, Phase, Row

HA_CHANGE_ROWS: dict[Action, Row] = {
    Action.SET_HA_PARTNER: Row(
        Phase.GEO,
        label="Set the new unit as the HA partner on the unit that stays",
        sentence="set the new HA partner of",
        short="HA partner of",
        unit="active",
        section="6.2",
        why="The unit that is left still names the old one as its partner, and HA needs both to name each other.",
    ),
    Action.SET_PREFERRED_HOST: Row(
        Phase.GEO,
        label=f"Change {vendor.PREFERRED_SERVER}",
        sentence="change the preferred host of",
        short="change preferred host of",
        unit="both",
        section="6.2",
        why="It says whether the master takes over again once it is back, and HA does not synchronise it.",
        notes=(
            Case(
                lambda _step: True,
                "Section 6.2 sets it on the master alone; here both units hold the same.",
            ),
        ),
    ),
    Action.SET_ALL_INTERFACES: Row(
        Phase.GEO,
        label=f"Change {vendor.ALL_INTERFACES}",
        sentence="change on which interfaces the health check is answered at",
        short="interfaces of",
        unit="both",
        section="6.2",
        why="Each unit answers the load balancer by its own setting, and HA does not synchronise it.",
    ),
    Action.SET_HEALTH_CHECK_PORT: Row(
        Phase.GEO,
        label=f"Change the {vendor.HEALTH_CHECK_PORT}, on one unit right after the other",
        sentence="change the health check port of",
        short="health check port of",
        unit="both",
        section="6.2",
        why="HA polls at this port, and the load balancer asks there: it has to be the same on both units.",
    ),
    Action.MOVE_HEALTH_CHECK: Row(
        Phase.GEO,
        label="Let the target groups ask at the new health check port",
        sentence="change the health check of the target groups of",
        short="target groups of",
        unit="load_balancer",
        section="6.1",
        why="Until the load balancer asks at the new port, it sees neither unit as healthy.",
    ),
}
