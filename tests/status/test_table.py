"""The table as people read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from geoplan.live.model import Observations, State
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.status.table import as_lines, as_text
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.status.made import (
    A1,
    A2,
    DENIED,
    M1,
    M2,
    S1,
    S2,
    changed,
    down,
    failed_over,
    plan_of,
    status_of,
    well,
    with_ha,
)


def spoilt() -> Observations:
    """Return a night on which much went wrong at once."""
    facts = changed(with_ha(with_ha(well(), S1, mode="master"), S1, partner="10.9.9.9"), S1, state=State.ACTIVE)
    facts = changed(with_ha(down(facts, M2), S2, health_check_port=9000), S2, state=State.DOWN)
    facts = changed(facts, A1, failure=DENIED, firmware=None, partner_status=None, clusters=None)
    return changed(facts, A2, partner_status={S2: False, M1: True}, clusters=())


NIGHTS = {
    "well": well(),
    "failed-over": failed_over(well()),
    "master-down": down(failed_over(well()), M1),
    "spoilt": spoilt(),
}


@pytest.mark.parametrize("night", NIGHTS)
def test_table_at_80_columns(night: str, snapshot: SnapshotAssertion) -> None:
    assert as_text(status_of(NIGHTS[night])) == snapshot


@pytest.mark.parametrize(
    "told", [{"partner_status": dict.fromkeys([M1, S1])}, {"unread": ("partner_status",)}], ids=str
)
def test_all_is_not_well_where_links_are_not_told(told: dict[str, Any]) -> None:
    text = as_text(status_of(changed(well(), A1, **told)))
    assert text.endswith("nothing seen is wrong, but links are not told\n")
    assert "all is well" not in text


def test_wide_terminal_has_the_site_beside_its_units(snapshot: SnapshotAssertion) -> None:
    assert as_text(status_of(failed_over(well())), width=140) == snapshot


def test_eighteen_sites_at_80_columns(snapshot: SnapshotAssertion) -> None:
    plan = plan_of("eighteen-sites")
    assert as_text(status_of(well(plan), plan)) == snapshot


def altered(folder: Path, old: str, new: str) -> tuple[Observations, Plan]:
    """Return units with which nothing is wrong, of the document's example with something written otherwise."""
    path = folder / "altered.yaml"
    path.write_text((TOPOLOGIES / "section-5.4.yaml").read_text().replace(old, new))
    plan = make_plan(load_topology(path), [Phase.GEO])
    return well(plan), plan


def test_long_addresses_have_lines_of_their_own(tmp_path: Path) -> None:
    facts, plan = altered(tmp_path, "172.24.1.10", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1")
    lines = as_text(status_of(facts, plan)).splitlines()

    assert "  2001:db8:aaaa:bbbb:cccc:dddd:eeee:1" in lines
    assert "  alone  alone   -      7.2.59.4 -  -       5/5   4/4" in lines
    assert max(map(len, lines)) <= 80


def test_colour_only_where_asked_for() -> None:
    status = status_of(failed_over(well()))

    assert "\x1b[" not in as_text(status)
    assert "\x1b[" in as_text(status, color=True)


def test_names_are_aligned_by_the_cells_that_they_take(tmp_path: Path) -> None:
    facts, plan = altered(tmp_path, "name: HA", "name: 東京 HA")
    table = as_text(status_of(facts, plan), width=140).splitlines()[:8]

    assert len({cell_len(line[: line.index("172.")]) for line in table if "172." in line}) == 1


def test_low_terminal_leaves_out_sites_with_which_nothing_is_wrong() -> None:
    plan = plan_of("eighteen-sites")
    first = plan.sites[0]
    facts = down(well(plan), first.units[-1].address)
    status = status_of(facts, plan)
    lines = [line.plain for line in as_lines(status, width=80, height=20)]

    assert len(lines) <= 20
    assert first.name in lines
    assert plan.sites[1].name not in lines
    assert "and 17 sites with which nothing is wrong" in lines
    assert lines[-1].endswith("1 finding")


@pytest.mark.parametrize("height", [1, 5, 10])
def test_lowest_terminal_still_has_the_summary(height: int) -> None:
    lines = as_lines(status_of(spoilt()), width=80, height=height)

    assert len(lines) <= max(height, 2)
    assert "findings" in lines[-1].plain


def test_partner_that_cannot_be_compared_is_never_ok() -> None:
    facts = with_ha(well(), M1, partner="slave.example")
    (row,) = [line for line in as_text(status_of(facts)).splitlines() if line.startswith(M1)]
    assert " not comparable " in row
    assert " ok " not in row
    assert as_text(status_of(facts)).rstrip().endswith("all is well; not comparable: 1 HA partner")
    assert "ok" in as_text(status_of(with_ha(facts, M1, partner_addresses=(S1,)))).splitlines()[3]
    (untold,) = [x for x in as_text(status_of(with_ha(well(), M1, partner=None))).splitlines() if x.startswith(M1)]
    assert " ? " in untold


# -- groups, and what is wrong alone -----------------------------------------------------------------------------------

FLEET = plan_of("fleet")
FLEET_GROUPS = ("shop", "bank", "clinic", "laboratory")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_several_groups_have_headings_with_their_sites_below(width: int) -> None:
    lines = as_text(status_of(well(FLEET), FLEET), width=width).splitlines()
    begins = [lines.index(f"Group {group}") for group in FLEET_GROUPS]

    assert begins == sorted(begins)
    for group, begin, end in zip(FLEET_GROUPS, begins, [*begins[1:], len(lines)], strict=True):
        below = "\n".join(lines[begin:end])
        assert all((site.name in below) is (site.group == group) for site in FLEET.sites)
    assert max(map(cell_len, lines)) <= width


def test_sites_stand_below_their_groups_wherever_the_file_has_them(tmp_path: Path) -> None:
    path = tmp_path / "mixed.yaml"
    sites = "".join(f"  - {{name: {name}, standalone: 10.0.0.{n}}}\n" for n, name in enumerate("ABCD", start=1))
    path.write_text(f"sites:\n{sites}groups:\n  one: [D, B]\n  two: [A, C]\n")
    plan = make_plan(load_topology(path), [Phase.GEO])
    shown = [line for line in as_text(status_of(well(plan), plan)).splitlines() if line.split() and len(line) < 10]

    assert shown == ["Group one", "B", "D", "Group two", "A", "C"]


def test_a_topology_of_one_group_has_no_heading() -> None:
    assert "Group" not in as_text(status_of(well()))


def test_what_is_wrong_alone_is_the_sites_with_findings_and_the_findings() -> None:
    slave = next(unit.address for unit in FLEET.site("Bank Paris").units if unit.role == "slave")
    status = status_of(down(well(FLEET), slave), FLEET)
    text = as_text(status.problems)

    assert [site.name for site in status.problems.sites] == ["Bank Paris"]
    assert [line for line in text.splitlines() if line.startswith("Group")] == ["Group bank"]
    assert slave in text
    assert "Shop Dublin" not in text
    assert text.splitlines()[-1] == as_text(status).splitlines()[-1]
    assert not status.problems.is_well


def test_where_nothing_is_wrong_that_is_all_that_is_said() -> None:
    assert as_text(status_of(well(FLEET), FLEET).problems) == "fleet: 8 sites, 12 units: all is well\n"


def test_notes_are_nothing_that_is_wrong() -> None:
    facts = changed(well(), S1, unread=("ha",), ha=None)
    status = status_of(facts)

    assert status.findings
    assert status.is_well
    assert (status.problems.sites, status.problems.findings) == ((), ())
