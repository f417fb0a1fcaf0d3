"""The way back by hand, as a journal tells it."""

from __future__ import annotations

from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from geoplan.live.polling import SystemClock
from geoplan.push.history import History
from geoplan.push.journal import Journal
from geoplan.push.options import Options
from geoplan.push.rollback import as_lines, going_back, submitted_on_slaves
from geoplan.vendor import HA_PARAMETERS, MANAGE_CLUSTERS, REMOTE_ACCESS
from tests.push.observations import plan_of
from tests.push.support import A1, M1, S1

PLAN = plan_of("5.3")
ACTIONS = {
    "remote_geo_access": "set_remote_geo_access",
    "geo_partners": "set_geo_partners",
    "cluster": "add_cluster",
}
PAIR, ALONE = "HA Pair 1", "Standalone LoadMaster 1"


def pushed(folder: Path) -> History:
    """Return a push that changed a list twice, met a half-made cluster, and stopped at a change not read back."""
    with Journal.begin(folder, PLAN, Options(), SystemClock()) as journal:

        def change(step: str, site: str, unit: str, **fields: object) -> None:
            action = ACTIONS[str(fields["what"])]
            journal.write("changing", step=step, site=site, action=action, unit=unit, **{"after": None, **fields})

        def end(step: str, site: str, unit: str, what: str) -> None:
            journal.write("changed", step=step, site=site, action=ACTIONS[what], unit=unit)

        for unit in (M1, S1, A1):
            journal.write("backup", unit=unit, file=f"backups/{unit}.backup", sha256="0" * 64)
        change("a", PAIR, M1, what="remote_geo_access", before=[])
        end("a", PAIR, M1, "remote_geo_access")
        change("b", PAIR, M1, what="geo_partners", before=["10.9.9.1", "10.9.9.2"])
        change("b", PAIR, M1, what="geo_partners", before=["10.9.9.3"])
        end("b", PAIR, M1, "geo_partners")
        change("c", ALONE, A1, what="geo_partners", before=["10.9.9.4"])
        end("c", ALONE, A1, "geo_partners")
        journal.write("rebooting", step="r", site=PAIR, unit=M1)
        journal.write("resubmitted", step="s", site=PAIR, unit=S1)
        half_made = {"address": A1, "name": ALONE, "type": "default", "latitude": 53.35, "longitude": -6.26}
        change(
            "d", ALONE, M1, what="cluster", before=half_made, after={"address": A1, "name": ALONE, "type": "remoteLM"}
        )
        end("d", ALONE, M1, "cluster")
        change("e", PAIR, M1, what="cluster", before=None, after={"address": M1, "name": PAIR, "type": "remoteLM"})
        return journal.history


def test_the_way_back_in_words(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    history = pushed(tmp_path)
    logins = {M1: f"https://{M1}:8443", S1: f"https://{S1}:8443", A1: "https://bastion.example:9001"}
    assert "\n".join(as_lines(going_back(history), submitted_on_slaves(history), logins)) == snapshot


def test_the_last_change_comes_first_and_the_first_value_counts(tmp_path: Path) -> None:
    units = going_back(pushed(tmp_path))
    assert [unit.unit for unit in units] == [M1, A1]
    assert [change.where for change in units[0].changes] == [MANAGE_CLUSTERS, MANAGE_CLUSTERS, *[REMOTE_ACCESS] * 2]
    assert [change.value for change in units[0].changes] == [None, None, "10.9.9.1 10.9.9.2", ""]
    assert [change.is_certain for change in units[0].changes] == [False, True, True, True]
    assert units[0].backup == f"backups/{M1}.backup"


def formed(folder: Path) -> History:
    """Return a push that formed the pair and then changed a list on its active unit."""
    with Journal.begin(folder, PLAN, Options(), SystemClock()) as journal:
        for unit in (M1, S1):
            journal.write("backup", unit=unit, file=f"backups/{unit}.backup", sha256="0" * 64)
        for unit in (M1, S1):
            fields = {"step": unit, "site": PAIR, "action": "set_master_ha_parameters", "unit": unit}
            journal.write("changing", **fields, what="ha_parameters", before={"mode": "single"}, after={})
            journal.write("changed", **fields)
        fields = {"step": "a", "site": PAIR, "action": "set_geo_partners", "unit": M1}
        journal.write("changing", **fields, what="geo_partners", before=[], after=[A1])
        journal.write("changed", **fields)
        return journal.history


def test_geo_goes_back_before_the_pair_is_parted_and_the_slave_leaves_it_first(tmp_path: Path) -> None:
    units = going_back(formed(tmp_path))

    assert [(unit.unit, {change.where for change in unit.changes}) for unit in units] == [
        (M1, {REMOTE_ACCESS}),
        (S1, {HA_PARAMETERS}),
        (M1, {HA_PARAMETERS}),
    ]
    assert [unit.backup for unit in units] == [None, f"backups/{S1}.backup", f"backups/{M1}.backup"]


def test_ha_parameters_go_back_on_their_own_unit_and_never_on_whichever_is_active(tmp_path: Path) -> None:
    lines = as_lines(going_back(formed(tmp_path)))

    assert [line for line in lines if line.startswith("  on ")] == [
        f"  on {M1} (or whichever unit of '{PAIR}' is active then)",
        f"  on {S1}",
        f"  on {M1}",
    ]


def test_a_push_that_changed_nothing_has_no_way_back(tmp_path: Path) -> None:
    assert going_back(Journal.begin(tmp_path, PLAN, Options(), SystemClock()).history) == ()
