"""How fast the commands are beside the least that anyone could do."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.conftest import Compare
from tests.conftest import TOPOLOGIES
from tests.topologies import large_topology

# Pydantic loads itself only when a name is taken from it, as everyone does who uses it.
IMPORTS = "import click, json, networkx, sys, yaml\nfrom pydantic import BaseModel\n"
LOAD = "document = yaml.load(open({path!r}), yaml.CSafeLoader)\n"

LISTS = """
from pydantic_core import to_json
sites = document["sites"]
pairs = [site for site in sites if "ha_pair" in site]
ordered = pairs[::-1] + [site for site in sites if "standalone" in site]
units = [sorted(site["ha_pair"].values()) if "ha_pair" in site else [site["standalone"]] for site in ordered]
everyone = [address for addresses in units for address in addresses]
start, lists = 0, []
for site, own in zip(ordered, units):
    before, behind = everyone[:start], everyone[start + len(own):]
    start += len(own)
    master = site["ha_pair"]["master"] if "ha_pair" in site else own[0]
    lists.append({"name": site["name"], "access": [*before, master, *behind], "partners": before + behind})
sys.stdout.buffer.write(to_json(lists))
"""


def test_help(compare_processes: Compare) -> None:
    compare_processes("geoplan --help", ["--help"], "import click", "import click", 2)


def test_plan_of_eighteen_sites(compare_processes: Compare) -> None:
    path = str(TOPOLOGIES / "eighteen-sites.yaml")
    script = IMPORTS + LOAD.format(path=path) + "json.dump(document, sys.stdout)"
    command = ["plan", path, "--format", "json"]
    compare_processes("plan of 18 sites as JSON", command, "bare load and dump", script, 1.3)


def test_plan_of_five_hundred_sites(compare_processes: Compare, tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text(large_topology(500))
    script = IMPORTS + LOAD.format(path=str(path)) + LISTS
    command = ["plan", str(path), "--format", "json"]
    compare_processes("plan of 500 sites as JSON", command, "bare lists by to_json", script, 2)
