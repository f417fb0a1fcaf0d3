"""The vendor's Python SDK works unchanged on a lab's unit, its GEO class included.

It pins what geoplan does not want, so it has an environment of its own: GEOPLAN_VENDOR_SDK names its interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from geoplan.lab import Credentials
from geoplan.lab.lab import BackgroundLab
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES

SDK = os.environ.get("GEOPLAN_VENDOR_SDK")
M1 = "172.24.1.5"
SCRIPT = """
import json, sys, warnings
warnings.filterwarnings("ignore")
from python_kemptech_api.exceptions import KempTechApiException
from python_kemptech_api.models import Geo, LoadMaster

told = {}
given = ("127.0.0.1", "bal", "pw", int(sys.argv[1]))
unit, geo = LoadMaster(*given), Geo(*given)
told["unit"] = [unit["version"].split(".")[0], unit["hastatus"]]
told["ha"] = unit.get_aws_ha_params()["HaMode"] if hasattr(unit, "get_aws_ha_params") else "master"
geo["geopartners"] = "172.24.1.9"
told["partners"] = geo["geopartners"]
cluster = geo.create_cluster("172.24.1.5", "HA Pair 1")
cluster.save()
cluster.type = "remoteLM"
cluster.update()
cluster.refresh()
told["cluster"] = [cluster.name, cluster.type]
told["clusters"] = [each.ip for each in geo.get_clusters()]
told["found"] = geo.get_cluster("172.24.1.5").type
name = geo.create_fqdn("www.example.com")
name.save()
told["fqdn"] = geo.get_fqdn("www.example.com").fqdn
name.delete()
told["fqdns"] = len(geo.get_fqdns())
cluster.delete()
told["left"] = len(geo.get_clusters())
geo.disable_geo()
geo.enable_geo()
for what, do in (("missing", lambda: geo.get_cluster("192.0.2.1")), ("unknown", lambda: unit._get("/nonsense"))):
    try:
        do()
    except KempTechApiException as error:
        told[what] = type(error).__name__
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """Return what the SDK was told by the master of a pair."""
    if not SDK:
        if os.environ.get("GEOPLAN_REQUIRE_VENDOR_SDK") == "1":
            pytest.fail("GEOPLAN_VENDOR_SDK names no interpreter, and GEOPLAN_REQUIRE_VENDOR_SDK=1 asks for it")
        pytest.skip("GEOPLAN_VENDOR_SDK names no interpreter that has python-kemptech-api")
    topology = load_topology(TOPOLOGIES / "section-5.4.yaml")
    with BackgroundLab(topology, credentials=Credentials("bal", "pw")) as lab:
        port = lab.endpoints.units[M1].api.rpartition(":")[2]
        ended = subprocess.run([SDK, "-c", SCRIPT, port], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))


def test_parameters_and_ha_are_read(told: dict[str, Any]) -> None:
    assert told["unit"] == ["7", "Active"]
    assert told["ha"] == "master"


def test_partners_are_set(told: dict[str, Any]) -> None:
    assert told["partners"] == "172.24.1.9"


def test_clusters_are_added_changed_and_deleted(told: dict[str, Any]) -> None:
    assert told["cluster"] == ["HA Pair 1", "remoteLM"]
    assert (told["clusters"], told["found"], told["left"]) == ([M1], "remoteLM", 0)


def test_names_are_added_and_deleted(told: dict[str, Any]) -> None:
    assert (told["fqdn"], told["fqdns"]) == ("www.example.com.", 0)


def test_failures_are_its_own_exceptions(told: dict[str, Any]) -> None:
    assert {"missing", "unknown"} <= set(told)
