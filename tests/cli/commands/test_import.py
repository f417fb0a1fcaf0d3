"""``geoplan import`` against the lab over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.support import SYNC, Site, as_operator, serve

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSite]:
    """Serve an example's topology until the test ends."""
    as_operator(monkeypatch, tmp_path / "state")
    with ExitStack() as running:

        def make(name: str, **options: Any) -> Site:
            document = yaml.safe_load((TOPOLOGIES / f"{name}.yaml").read_text())
            document["timing"] = {"boot_seconds": 0.5, "sync_seconds": SYNC}
            path = tmp_path / f"{name}.yaml"
            path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
            return serve(running, path, boot=0.5, **options)

        yield make


def pushed(geoplan: Geoplan, site: Site) -> None:
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", "--phase", "geo")
    assert ended.code == 0, ended
    site.settle()


def imported(geoplan: Geoplan, site: Site, *words: str | Path) -> Outcome:
    return geoplan("import", *words, "--endpoints", site.endpoints)


ALL = ("--follow", "--within", "0.0.0.0/0", "--within", "::/0")
GIVEN = {
    "aws-dublin-ohio": ["10.30.0.5"],
    "eighteen-sites": ["10.7.1.5"],
    "fleet": ["10.1.4.5", "10.2.1.5", "2001:db8:3:2::5", "10.4.2.5"],
    "section-5.1": ["172.24.1.6"],
    "section-5.2": ["172.24.1.7"],
    "section-5.3": ["172.24.1.9"],
    "section-5.4": ["172.24.1.10"],
    "three-regions": ["192.168.40.5"],
}
"""One address of each group, of each role somewhere; behind NAT the one that only the unit itself knows."""


def test_every_example_is_imported() -> None:
    assert set(GIVEN) == {path.stem for path in TOPOLOGIES.glob("*.yaml")}


@pytest.mark.parametrize("name", GIVEN)
def test_what_was_pushed_is_imported_and_differs_in_nothing(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, name: str
) -> None:
    site = make_site(name)
    pushed(geoplan, site)
    written = tmp_path / "imported.yaml"
    ended = imported(geoplan, site, *GIVEN[name], *ALL, "-o", written)
    compared = geoplan("diff", written, "--phase", "geo", "--endpoints", site.endpoints)

    assert compared.code == 0, (ended, compared, written.read_text())
    assert ended.code == (1 if name == "three-regions" else 0), ended  # a unit of another department was not asked
    wanted, found = make_plan(load_topology(site.topology)), make_plan(load_topology(written))
    assert lists_of(found) == lists_of(wanted)
    assert {(each.address, each.location) for each in found.clusters} == {
        (each.address, each.location) for each in wanted.clusters
    }


def lists_of(plan: Any) -> dict[tuple[str, ...], tuple[set[str], set[str]]]:
    return {
        tuple(unit.address for unit in site.units): (set(site.remote_geo_access), set(site.geo_partners))
        for site in plan.sites
    }
