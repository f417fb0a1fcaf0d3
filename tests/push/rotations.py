"""Pushes of the Partner Shared Secret as their journals tell them: who was sent it, who took it, and how that ended."""

from __future__ import annotations

from geoplan.live.polling import SystemClock
from geoplan.plan.secret import make_rotation
from geoplan.push.history import History
from geoplan.push.options import Options
from geoplan.push.store import Store
from geoplan.topology.model import Topology

TOPOLOGY = Topology.model_validate(
    {
        "sites": [
            {"name": "P", "ha_pair": {"master": "10.0.1.1", "slave": "10.0.1.2"}},
            {"name": "S", "standalone": "10.0.2.1"},
            {"name": "T", "standalone": "10.0.3.1"},
        ]
    }
)
ON, BACK = make_rotation(TOPOLOGY), make_rotation(TOPOLOGY, goes_back=True)
UNITS = {"P": ("10.0.1.2", "10.0.1.1"), "S": ("10.0.2.1",), "T": ("10.0.3.1",)}
GIVEN, UNCLEAR, NOT_GIVEN = ("setting_secret", "secret_set"), ("setting_secret",), ("setting_secret", "secret_not_set")
Units = tuple[tuple[str, str, tuple[str, ...]], ...]


def all_of(*sites: str) -> Units:
    return tuple((site, unit, GIVEN) for site in sites for unit in UNITS[site])


def pushed(store: Store, units: Units, outcome: str, *, goes_back: bool = False, undoes: str | None = None) -> History:
    """Write the journal of a push of the secret that sent these units it, and ended so."""
    with store.begin(BACK if goes_back else ON, Options(undoes=undoes), SystemClock()) as journal:
        for site, unit, events in units:
            for event in events:
                journal.write(event, step="any", site=site, unit=unit)
        for site in dict.fromkeys(site for site, *_ in units):
            if all((site, unit, GIVEN) in units for unit in UNITS[site]):
                journal.write("secret_in_force", step="any", site=site)
        journal.write("stopped" if outcome == "stopped" else "end", outcome=outcome)
    return journal.history
