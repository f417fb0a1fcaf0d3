"""Thirty-six units in one process: what they weigh and how much they answer, on this machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

PAIRS = 18
CLIENTS = 36
REQUESTS_EACH = 60
MAX_MEBIBYTES = 300
MIN_REQUESTS_A_SECOND = 200


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads the memory of a process from /proc")
def test_eighteen_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    topology, endpoints = tmp_path / "pairs.yaml", tmp_path / "lab.yaml"
    sites = [
        {"name": f"Pair {n}", "ha_pair": {"master": f"10.0.{n}.1", "slave": f"10.0.{n}.2"}} for n in range(1, PAIRS + 1)
    ]
    topology.write_text(yaml.safe_dump({"sites": sites}))
    command = [sys.executable, "-m", "geoplan", "lab", str(topology), "--endpoints", str(endpoints), "--quiet"]
    environment = {**os.environ, "GEOPLAN_USER": "bal", "GEOPLAN_PASSWORD": "benchmark"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as lab:
        try:
            while not endpoints.exists():
                assert lab.poll() is None
            units = yaml.safe_load(endpoints.read_text())["units"]
            keeping = asyncio.run(_ask(units, keep_alive=True))
            fresh = asyncio.run(_ask(units, keep_alive=False))
            mebibytes = _peak_memory(lab.pid)
        finally:
            lab.terminate()
    with capsys.disabled():
        print(  # noqa: T201 - a benchmark prints
            f"\nlab: {len(units)} units, peak {mebibytes:.0f} MiB (bound {MAX_MEBIBYTES}); {keeping:.0f} requests/s on "
            f"kept connections, {fresh:.0f} with a handshake each (bound {MIN_REQUESTS_A_SECOND})"
        )
    assert mebibytes < MAX_MEBIBYTES


async def _ask(units: dict[str, Any], *, keep_alive: bool) -> float:
    """Ask all units at once, reads and writes; return the requests a second."""
    limits = httpx.Limits(max_keepalive_connections=CLIENTS if keep_alive else 0)
    requests = REQUESTS_EACH if keep_alive else REQUESTS_EACH // 6
    auth = httpx.BasicAuth("bal", "benchmark")
    async with httpx.AsyncClient(verify=False, trust_env=False, limits=limits, timeout=60) as client:  # noqa: S501

        async def ask(number: int, api: str) -> None:
            for turn in range(requests):
                if turn % 10 == 0 and number % 2 == 0:
                    form = {"param": "geopartners", "value": ",".join(units)}
                    answer = await client.post(f"{api}/access/set", data=form, auth=auth)
                else:
                    answer = await client.get(f"{api}/access/get?param=geopartners", auth=auth)
                assert answer.status_code == 200

        begin = time.perf_counter()
        await asyncio.gather(*(ask(number, unit["api"]) for number, unit in enumerate(units.values())))
        return len(units) * requests / (time.perf_counter() - begin)


def _peak_memory(process: int) -> float:
    """Return the most memory that a process has held, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
