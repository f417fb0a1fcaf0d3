"""Section 5.4 step by step over HTTPS, as an operator with curl would go it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import pytest

from geoplan.lab.lab import Lab
from geoplan.plan.model import Action, Plan, Step
from geoplan.plan.planner import make_plan
from tests.lab.support import A2, CREDENTIALS, example

PAIRS = {"HA Pair 1": ("172.24.1.5", "172.24.1.6"), "HA Pair 2": ("172.24.1.8", "172.24.1.7")}


class Operator:
    """Knows URLs and the plan, and nothing of what is behind them."""

    def __init__(self, lab: Lab, client: httpx.AsyncClient, plan: Plan) -> None:
        self.lab = lab
        self.client = client
        self.plan = plan

    async def walk(self, left_out: str | None) -> None:
        for step in self.plan.steps:
            match step.action:
                case Action.REBOOT_MASTER:
                    await self._until(self._all_up)
                    await self._until(partial(self._slave_holds_lists, step))
                    await self._call(PAIRS[step.site][0], "reboot")
                case Action.RESUBMIT_GEO_PARTNERS if step.site in PAIRS:
                    await self._until(partial(self._is_active, PAIRS[step.site][1]))
                    if step.site != left_out:
                        await self._enter(step, "geopartners")
                case Action.SET_REMOTE_GEO_ACCESS:
                    await self._enter(step, "geoclients")
                case Action.ADD_CLUSTER:
                    await self._until(self._all_up)
                    address, name, _ = self.plan.values(step)
                    unit = await self._active(step.on.site)
                    await self._call(unit, "addcluster", ip=address, name=name)
                    await self._call(unit, "modcluster", ip=address, type="remoteLM")
                case _:
                    await self._enter(step, "geopartners")

    async def fail_over(self, site: str) -> None:
        await self.client.post(f"{self.lab.endpoints.control}/sites/{site}/fail-over")
        await self._until(lambda: self._is_active(PAIRS[site][1]))

    async def colours(self) -> dict[str, dict[str, str]]:
        seen = {}
        for site in self.plan.sites:
            answer = await self._call(await self._active(site.name), "getgeopartnerstatus")
            seen[site.name] = dict(re.findall("<IPAddress>(.*?)</IPAddress><Status>(.*?)</Status>", answer))
        return seen

    async def clusters_by_v2(self, unit: str) -> list[tuple[str, str, str]]:
        identity = {"apikey": CREDENTIALS.api_key}
        url = f"{self.lab.endpoints.units[unit].api}/accessv2"
        answer = await self.client.post(url, json={"cmd": "listclusters", **identity})
        return [(shown["IPAddress"], shown["Name"], shown["Type"]) for shown in answer.json()["cluster"]]

    async def _enter(self, step: Step, parameter: str) -> None:
        value = ",".join(self.plan.values(step))
        await self._call(await self._active(step.on.site), "set", param=parameter, value=value)

    async def _slave_holds_lists(self, step: Step) -> bool:
        lists, slave = self.plan.site(step.site), PAIRS[step.site][1]
        access, partners = [await self._call(slave, "get", param=name) for name in ("geoclients", "geopartners")]
        return ",".join(lists.remote_geo_access) in access and ",".join(lists.geo_partners) in partners

    async def _active(self, site: str) -> str:
        units = [unit.address for unit in self.plan.site(site).units]
        return next(iter([unit for unit in units if len(units) == 1 or await self._is_active(unit)]))

    async def _is_active(self, unit: str) -> bool:
        try:
            return (await self.client.get(self.lab.endpoints.units[unit].health)).status_code == 200
        except httpx.TransportError:
            return False

    async def _is_up(self, unit: str) -> bool:
        try:
            await self.client.get(self.lab.endpoints.units[unit].health)
        except httpx.TransportError:
            return False
        return True

    async def _all_up(self) -> bool:
        return all([await self._is_up(unit) for pair in PAIRS.values() for unit in pair])

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await condition():
                await asyncio.sleep(0.02)

    async def _call(self, unit: str, command: str, **form: str) -> str:
        url = f"{self.lab.endpoints.units[unit].api}/access/{command}"
        auth = httpx.BasicAuth(CREDENTIALS.user, CREDENTIALS.password)
        answer = await self.client.post(url, data=form, auth=auth)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.mark.parametrize("left_out", [None, "HA Pair 2"])
def test_section_5_4(left_out: str | None) -> None:
    async def walk() -> None:
        of = example()
        plan = make_plan(of)
        async with (
            Lab(of, credentials=CREDENTIALS, boot_seconds=1, failover_seconds=0.1, sync_seconds=0.1) as lab,
            httpx.AsyncClient(verify=False, trust_env=False, timeout=30) as client,  # noqa: S501 - loopback
        ):
            operator = Operator(lab, client, plan)
            await operator.walk(left_out)
            wanted = [(cluster.address, cluster.name, "remoteLM") for cluster in plan.clusters]
            assert await operator.clusters_by_v2(A2) == wanted
            await operator.fail_over("HA Pair 2")
            colours = await operator.colours()
            red = {(site, address) for site, seen in colours.items() for address in seen if seen[address] == "red"}
            if left_out is None:
                assert red == set()
            else:
                cut_off = {("HA Pair 2", address) for address in plan.site("HA Pair 2").geo_partners}
                elsewhere = {(site, "172.24.1.7") for site in colours if site != "HA Pair 2"}
                assert red == cut_off | elsewhere

    asyncio.run(walk())
