"""What benchmarks of many units share: commands as processes, topologies, and scripts that do the least."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from geoplan.lab.http import Outcome, Request
from geoplan.lab.lab import BackgroundLab
from tests.topologies import document_of_groups


class Ended(NamedTuple):
    """A command that has come to its end."""

    stdout: str
    seconds: float
    mebibytes: float


# A process counts what the one that forked it held: pytest holds much, and this little.
_MEASURED = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
os.write(int(sys.argv[1]), str(peak).encode())
sys.exit(code)
"""


def run(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> Ended:
    """Run a command as a process of its own; it ends with one of the exit codes."""
    begin = time.perf_counter()
    told, tell = os.pipe()
    command = [sys.executable, "-m", "geoplan", *map(str, arguments)]
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(tell), *command],
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(tell,),
        check=False,
    )
    seconds = time.perf_counter() - begin
    os.close(tell)
    with os.fdopen(told) as peak:
        kibibytes = int(peak.read())
    assert ended.returncode in codes, ended.stdout
    return Ended(ended.stdout, seconds, kibibytes / 1024)


def write_groups(path: Path, groups: int, **also: object) -> Path:
    """Write the topology of so many groups of two pairs and a standalone as an operator would."""
    path.write_text(yaml.safe_dump(document_of_groups(groups) | also, sort_keys=False))
    return path


# The lists, clusters and steps of such groups, as geoplan writes them; nothing is checked, and no order found.
BARE_PLAN = """
import click, json, networkx, sys, yaml
from pydantic import BaseModel
from pydantic_core import to_json
document = yaml.load(open({path!r}), yaml.CSafeLoader)
WHY = {why!r}
known = {{site["name"]: site for site in document["sites"]}}
groups, lists, clusters, steps = [], [], [], []
def step(action, site, unit, after, on=None):
    id = f"{{site.lower()}}/{{action.replace('_', '-')}}"
    steps.append({{"number": len(steps) + 1, "id": id, "action": action, "site": site,
        "on": {{"site": on or site, "unit": unit}}, "after": after, "section": "5.4", **WHY[action, unit]}})
    return id
for group, names in document["groups"].items():
    groups.append({{"name": group, "section": "5.4", "sites": names}})
    sites = [known[name] for name in names]
    pairs = [site for site in sites if "ha_pair" in site]
    alone = [site for site in sites if "standalone" in site]
    ordered = pairs[::-1] + alone
    units = {{site["name"]: [*site["ha_pair"].values()] for site in pairs}}
    units |= {{site["name"]: [site["standalone"]] for site in alone}}
    for site in sites:
        name, own = site["name"], units[site["name"]]
        partners = [address for other in ordered if other is not site for address in units[other["name"]]]
        access = [a for other in ordered for a in (units[other["name"]] if other is not site else own[:1])]
        is_pair = "ha_pair" in site
        roles = ["master", "slave"] if is_pair else ["standalone"]
        lists.append({{"name": name, "kind": "ha_pair" if is_pair else "standalone", "group": group,
            "units": [{{"address": a, "role": r, "nat_address": None}} for a, r in zip(own, roles)],
            "preferred_host": "master" if is_pair else None,
            "remote_geo_access": access, "geo_partners": partners}})
        clusters.append({{"group": group, "site": name, "name": name, "address": own[0],
            "type": "Remote LM", "location": None}})
    set_last = []
    for site in sites:
        unit = "active" if "ha_pair" in site else "standalone"
        first = step("set_remote_geo_access", site["name"], unit, [])
        set_last.append(step("set_geo_partners", site["name"], unit, [first]))
    after = set_last
    for site in pairs:
        after = [step("reboot_master", site["name"], "master", after)]
        after = [step("resubmit_geo_partners", site["name"], "new_active", after)]
    for site in alone:
        after = [step("resubmit_geo_partners", site["name"], "standalone", after)]
    for site in sites:
        after = [step("add_cluster", site["name"], "active", after, names[0])]
plan = {{"groups": groups, "sites": lists, "clusters": clusters, "steps": steps}}
sys.stdout.buffer.write(to_json(plan))
"""


def bare_plan(path: Path, planned: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    """Return the script for a topology; its words for each step are those of the plan."""
    why = {
        (step["action"], step["on"]["unit"]): {"why": step["why"], "note": step["note"]} for step in planned["steps"]
    }
    return BARE_PLAN.format(path=str(path), why=why)


class Recorded:
    """Notes every request to a lab while the block lasts, by units, as a script could send it again."""

    def __init__(self, lab: BackgroundLab) -> None:
        self._simulation: Any = lab._lab.simulation
        self._endpoints = lab.endpoints
        self.requests: dict[str, list[tuple[str, str, dict[str, str], str]]] = {}

    def __enter__(self) -> Recorded:
        handle, check_health = self._simulation.handle, self._simulation.check_health

        def note_api(address: str, request: Request) -> Outcome:
            self._note(address, self._endpoints.units[address].api, request)
            outcome: Outcome = handle(address, request)
            return outcome

        def note_health(address: str, request: Request) -> Outcome:
            self._note(address, self._endpoints.units[address].health or "", request)
            outcome: Outcome = check_health(address, request)
            return outcome

        self._simulation.handle, self._simulation.check_health = note_api, note_health
        return self

    def __exit__(self, *_error: object) -> None:
        del self._simulation.handle, self._simulation.check_health

    def _note(self, address: str, base: str, request: Request) -> None:
        url = base + request.path + (f"?{request.query}" if request.query else "")
        headers = {name: value for name, value in request.headers.items() if name in ("authorization", "content-type")}
        self.requests.setdefault(address, []).append((request.method, url, headers, request.body.decode()))


# A client for each unit, one request after the other on each: with all of them at once there would be more handshakes.
BARE = """
import asyncio, httpx, json, ssl
units = json.load(open({path!r}))
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
async def ask(requests):
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60) as client:
        for method, url, headers, body in requests:
            await client.request(method, url, headers=headers, content=body.encode())
async def main():
    await asyncio.gather(*map(ask, units))
asyncio.run(main())
"""


def bare_requests(path: Path, recorded: Recorded) -> str:
    """Return the script that sends what was recorded, which is kept in a file."""
    path.write_text(json.dumps(list(recorded.requests.values())))
    return BARE.format(path=str(path))
