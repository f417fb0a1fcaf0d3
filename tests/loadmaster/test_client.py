"""The client's operations against the lab: real TLS, both wire formats, old and new firmware."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from geoplan.errors import (
    AuthenticationError,
    ClusterInTheWayError,
    UnclearOutcomeError,
    UnitError,
    UnitRefusedError,
    UnitUnreachableError,
    UnusableAnswerError,
)
from geoplan.loadmaster import (
    ClusterType,
    GeoCluster,
    HaFacts,
    LoadMaster,
    Retries,
    State,
    Timeouts,
)
from geoplan.loadmaster.model import FqdnMap, GeoFqdn
from geoplan.loadmaster.wire import MAX_ENTRIES, MAX_TEXT, MAX_VALUES
from geoplan.plan.pairs import HaParameters
from geoplan.vendor import parse_version
from tests.loadmaster.support import (
    KEY,
    PASSWORD,
    UNIT,
    V1,
    V2,
    FakeClock,
    ScriptedUnit,
    access,
    accesses,
    lab,
    ok,
    run,
)

ONE_ATTEMPT = Retries(attempts=1)
PARTNERS = ("172.24.1.7", "172.24.1.8", "172.24.1.9", "172.24.1.10")

KEYS = {"GEOPLAN_APIKEY": KEY}
Act = Callable[[LoadMaster, Any], Awaitable[None]]


def on_unit(act: Act, *, address: str = UNIT, environment: dict[str, str] | None = None, **options: Any) -> None:
    """Do something with the client of one unit of a lab; its pauses take no time."""
    client_options = {name: options.pop(name) for name in ("retries", "observer", "dry_run") if name in options}
    timeouts = options.pop("timeouts", None)

    async def do() -> None:
        async with lab(**options) as running:
            its_access = accesses(running, environment, timeouts=timeouts)[address]
            async with LoadMaster(its_access, clock=FakeClock(), **client_options) as unit:
                await act(unit, running)

    run(do())


def patience(fault: str) -> Timeouts | None:
    """Be impatient only with who never answers, so that a busy machine is never taken for one."""
    return Timeouts(answer=0.4, backup=0.4) if fault == "timeout" else None


def parameters(partner: str, port: int, **others: Any) -> HaParameters:
    return HaParameters(address=UNIT, mode="master", partner=partner, health_check_port=port, **others)


firmware = pytest.mark.parametrize("firmware", [V1, "7.2.54.12", V2])
wire_format = pytest.mark.parametrize("firmware", [V1, V2], ids=["v1", "v2"])
identity = pytest.mark.parametrize("environment", [None, KEYS], ids=["password", "key"])


@firmware
@identity
def test_reads_what_the_unit_says_of_itself(firmware: str, environment: dict[str, str] | None) -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        assert (await unit.firmware()).startswith(firmware)
        assert await unit.geo_enabled()
        assert await unit.remote_ssh_access()
        assert await unit.remote_geo_access() == ()
        assert await unit.geo_partners() == ()
        assert await unit.partner_status() == {}
        assert await unit.clusters() == ()
        assert await unit.fqdns() == ()
        found = await unit.ha_parameters()
        assert isinstance(found, HaFacts)
        assert found.mode == "master"
        assert (found.partner, found.health_check_port, found.prefers_master) == (
            "172.24.1.6", 8444, True,
        )  # fmt: skip
        assert (await unit.backup()).startswith(b"GEOPLAN LAB BACKUP")

    on_unit(act, firmware=firmware, environment=environment)


@firmware
@identity
def test_writes_both_lists_and_submits_partners_again(firmware: str, environment: dict[str, str] | None) -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        await unit.set_remote_geo_access([*PARTNERS, UNIT])
        await unit.set_geo_partners(PARTNERS)
        assert await unit.remote_geo_access() == (*PARTNERS, UNIT)
        assert await unit.geo_partners() == PARTNERS
        await unit.resubmit_geo_partners(PARTNERS)
        assert await unit.partner_status() == dict.fromkeys(PARTNERS, False)
        assert list(await unit.partner_status()) == list(PARTNERS)
        await unit.set_geo_partners([])
        assert await unit.geo_partners() == ()

    on_unit(act, firmware=firmware, environment=environment)


@firmware
def test_deletes_a_cluster_by_the_address_that_the_unit_shows(firmware: str) -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        for number in (1, 2):
            await unit.add_remote_lm_cluster(f"Site {number}", f"192.0.2.{number}")
        await unit.delete_cluster("192.0.2.1")
        assert [cluster.name for cluster in await unit.clusters()] == ["Site 2"]
        with pytest.raises(UnitRefusedError):
            await unit.delete_cluster("192.0.2.1")

    on_unit(act, firmware=firmware)


@pytest.mark.parametrize("fault", ["reset", "truncate", "error"])
def test_a_deletion_is_sent_once_and_read_back_where_its_answer_is_lost(fault: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        for number in (1, 2):
            await unit.add_remote_lm_cluster(f"Site {number}", f"192.0.2.{number}")
        running.inject(f"{fault},command=delcluster,occurrence=1,applied=yes")
        await unit.delete_cluster("192.0.2.1")
        assert [cluster.name for cluster in await unit.clusters()] == ["Site 2"]

    on_unit(act)


@firmware
def test_tells_which_clusters_the_maps_of_fqdns_use(firmware: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        await unit.add_remote_lm_cluster("Zürich & Söhne", "192.0.2.1")
        running.operate(put_fqdns)
        assert await unit.fqdn_maps() == (
            GeoFqdn("www.example.com.", (FqdnMap("198.51.100.7", "Zürich & Söhne"), FqdnMap("198.51.100.8", ""))),
            GeoFqdn("none.example.com."),
        )

    def put_fqdns(units: Any) -> None:
        device, geo = units.network.unit(UNIT), units.network.geo
        geo.put_fqdn(device, "www.example.com")
        for address, cluster in (("198.51.100.7", "Zürich & Söhne"), ("198.51.100.8", "")):
            geo.put_map(device, next(geo.fqdns(device)), address, cluster)
        geo.put_fqdn(device, "none.example.com")

    on_unit(act, firmware=firmware)


@wire_format
def test_a_list_beyond_the_limit_of_queries_arrives_whole(firmware: str) -> None:
    many = tuple(f"10.{number // 250}.{number % 250}.1" for number in range(300))

    async def act(unit: LoadMaster, _lab: Any) -> None:
        await unit.set_remote_geo_access(many)
        assert await unit.remote_geo_access() == many

    on_unit(act, firmware=firmware)


@firmware
@identity
def test_adds_a_cluster_as_remote_lm_and_places_it(firmware: str, environment: dict[str, str] | None) -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        await unit.add_remote_lm_cluster("Zürich & Söhne", UNIT)
        await unit.set_cluster_location(UNIT, 43.3442, -6.2675)
        (cluster,) = await unit.clusters()
        assert isinstance(cluster, GeoCluster)
        assert (cluster.address, cluster.name, cluster.type) == (UNIT, "Zürich & Söhne", ClusterType.REMOTE_LM)
        assert cluster.latitude == pytest.approx(156039 / 3600, abs=1e-7)
        assert cluster.longitude == pytest.approx(-22563 / 3600, abs=1e-7)
        await unit.add_remote_lm_cluster("Zürich & Söhne", UNIT)
        assert len(await unit.clusters()) == 1

    on_unit(act, firmware=firmware, environment=environment)


@wire_format
def test_finishes_a_cluster_that_is_of_type_default_still(firmware: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        running.inject("reset,command=modcluster,occurrence=1")
        await unit.add_remote_lm_cluster("Dublin", UNIT)
        assert (await unit.clusters())[0].type is ClusterType.REMOTE_LM

    on_unit(act, firmware=firmware)


def test_leaves_a_cluster_of_another_name_alone_and_says_so() -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        await unit.add_remote_lm_cluster("Dublin", UNIT)
        with pytest.raises(ClusterInTheWayError, match=r"172.24.1.5: the address 172.24.1.5 belongs to .*'Dublin'"):
            await unit.add_remote_lm_cluster("Cork", UNIT)
        assert [cluster.name for cluster in await unit.clusters()] == ["Dublin"]

    on_unit(act)


def test_a_pairs_cluster_under_its_other_address_is_the_same_cluster() -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        await unit.add_remote_lm_cluster("HA Pair 1", "172.24.1.6")
        await unit.add_remote_lm_cluster("HA Pair 1", UNIT, also_as=["172.24.1.6"])
        assert len(await unit.clusters()) == 1

    on_unit(act)


@firmware
def test_the_older_format_is_found_out_once(firmware: str) -> None:
    seen: list[Any] = []

    async def act(unit: LoadMaster, _lab: Any) -> None:
        for _ in range(3):
            await unit.geo_partners()

    on_unit(act, firmware=firmware, observer=seen.append)
    versions = ["v2" if request.url.endswith("/accessv2") else "v1" for request in seen]
    assert versions == (["v2", "v1", "v1", "v1", "v1"] if firmware == V1 else ["v2"] * 4)


@firmware
def test_a_reboot_takes_the_unit_down(firmware: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        await unit.firmware()
        await unit.reboot()
        await running_down(running)
        with pytest.raises(UnitUnreachableError):  # on the connection that there was
            await unit.firmware()
        with pytest.raises(UnitUnreachableError, match=r"172.24.1.5: cannot connect to https://127.0.0.1.*refused"):
            await unit.firmware()

    async def running_down(running: Any) -> None:
        while running.simulation.accepts(UNIT):
            await asyncio.sleep(0)

    on_unit(act, firmware=firmware, retries=ONE_ATTEMPT, boot_seconds=30, failover_seconds=0.1)


@wire_format
@pytest.mark.parametrize("environment", [{"GEOPLAN_PASSWORD": "wrong"}, {"GEOPLAN_APIKEY": "wrong"}])
def test_wrong_credentials_are_sent_once_and_never_again(firmware: str, environment: dict[str, str]) -> None:
    seen: list[Any] = []

    async def act(unit: LoadMaster, _lab: Any) -> None:
        calls = (unit.firmware(), unit.geo_partners(), unit.clusters(), unit.set_geo_partners(PARTNERS))
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(failure) for failure in failures} == {AuthenticationError}
        with pytest.raises(AuthenticationError, match=r"172.24.1.5: it does not accept the credentials"):
            await unit.firmware()

    on_unit(act, firmware=firmware, environment=environment, observer=seen.append)
    accepted = [request for request in seen if firmware != V1 or not request.url.endswith("/accessv2")]
    # Firmware with APIv1 alone may take a key in the form, or in the query.
    assert len(accepted) == (2 if firmware == V1 and "GEOPLAN_APIKEY" in environment else 1)


@wire_format
def test_an_api_that_is_off_is_named(firmware: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        running.simulation.network.set_parameter(running.simulation.network.unit(UNIT), "enableapi", value=False)
        with pytest.raises(UnusableAnswerError) as caught:
            await unit.firmware()
        assert caught.value.hint is not None
        assert caught.value.hint.startswith("check that its API is enabled; it was asked on port ")

    on_unit(act, firmware=firmware)


@wire_format
def test_geo_that_is_off_reads_as_off(firmware: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        running.simulation.network.set_parameter(running.simulation.network.unit(UNIT), "geo_enabled", value=False)
        assert not await unit.geo_enabled()

    on_unit(act, firmware=firmware)


@wire_format
def test_a_rate_limit_is_waited_out(firmware: str) -> None:
    clock = FakeClock()

    async def do() -> None:
        async with lab(firmware=firmware, rate_limit=4) as running:
            real_sleep = clock.sleep

            async def sleep(seconds: float) -> None:
                await real_sleep(seconds)
                running.simulation._recent.clear()  # the lab's second passes with the client's pause

            clock.sleep = sleep  # type: ignore[method-assign]
            async with LoadMaster(accesses(running)[UNIT], clock=clock) as unit:
                for _ in range(10):
                    assert await unit.geo_partners() == ()

    run(do())
    assert clock.pauses


@wire_format
@pytest.mark.parametrize("fault", ["reset", "truncate", "error", "refuse,seconds=0", "timeout"])
def test_a_read_outlives_any_passing_fault(firmware: str, fault: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        for command in ("get:geopartners", "listclusters", "getgeopartnerstatus", "backup", "getawshaparams"):
            running.inject(f"{fault},command={command},occurrence=1")
        assert await unit.geo_partners() == ()
        assert await unit.clusters() == ()
        assert await unit.partner_status() == {}
        assert await unit.backup()
        assert await unit.ha_parameters()

    on_unit(act, firmware=firmware, timeouts=patience(fault))


@wire_format
@pytest.mark.parametrize("applied", ["yes", "no"])
@pytest.mark.parametrize("fault", ["reset", "truncate", "error", "html", "timeout"])
def test_a_change_with_a_lost_answer_is_made_exactly_once(firmware: str, fault: str, applied: str) -> None:
    seen: list[Any] = []

    async def act(unit: LoadMaster, running: Any) -> None:
        for command in ("set:geopartners", "addcluster", "modcluster", "clustchangeloc"):
            running.inject(f"{fault},command={command},occurrence=1,applied={applied}")
        await unit.set_geo_partners(PARTNERS)
        await unit.add_remote_lm_cluster("Dublin", UNIT)
        await unit.set_cluster_location(UNIT, 53.35, -6.26)
        assert await unit.geo_partners() == PARTNERS
        (cluster,) = await unit.clusters()
        assert cluster.type is ClusterType.REMOTE_LM
        assert cluster.latitude == pytest.approx(53.35)

    on_unit(act, firmware=firmware, observer=seen.append, timeouts=patience(fault))
    changes = [request.command for request in seen if request.changes]
    once = ["set", "addcluster", "modcluster", "clustchangeloc"]
    assert changes == (once if applied == "yes" else [command for command in once for _ in range(2)])


@wire_format
@pytest.mark.parametrize("command", ["reboot", "set:geopartners"])
def test_what_reading_back_cannot_tell_is_never_sent_twice(firmware: str, command: str) -> None:
    seen: list[Any] = []

    async def act(unit: LoadMaster, running: Any) -> None:
        running.inject(f"reset,command={command},occurrence=1")
        with pytest.raises(UnclearOutcomeError, match="may or may not have been carried out"):
            await (unit.reboot() if command == "reboot" else unit.resubmit_geo_partners(PARTNERS))

    on_unit(act, firmware=firmware, observer=seen.append)
    assert sum(request.changes for request in seen) == 1


@wire_format
def test_a_dry_run_shows_the_changes_and_makes_none(firmware: str) -> None:
    seen: list[Any] = []

    async def act(unit: LoadMaster, running: Any) -> None:
        before = running.state()["units"]
        await unit.set_geo_partners(PARTNERS)
        await unit.add_remote_lm_cluster("Dublin", UNIT)
        await unit.reboot()
        assert running.state()["units"] == before

    on_unit(act, firmware=firmware, observer=seen.append, dry_run=True)
    shown = [str(request) for request in seen if request.changes]
    assert [request.command for request in seen if request.changes] == ["set", "addcluster", "modcluster", "reboot"]
    assert "172.24.1.7" in shown[0]
    assert PASSWORD not in " ".join(map(str, seen))


def test_the_health_check_tells_who_is_active() -> None:
    async def do() -> None:
        async with lab(boot_seconds=30) as running:
            units = {address: LoadMaster(each) for address, each in accesses(running).items()}
            assert await units["172.24.1.5"].state() is State.ACTIVE
            assert await units["172.24.1.6"].state() is State.STANDBY
            assert await units["172.24.1.9"].state() is State.DOWN  # a standalone need not serve it
            running.power_off("172.24.1.5")
            assert await units["172.24.1.5"].state() is State.DOWN
            running.inject("error,unit=172.24.1.6,command=health")
            assert await units["172.24.1.6"].state() is State.UNKNOWN
            running.lift_all()
            running.inject("reset,unit=172.24.1.6,command=health")
            assert await units["172.24.1.6"].state() is State.UNKNOWN

    run(do())


@wire_format
def test_makes_a_unit_part_of_a_pair(firmware: str) -> None:
    async def act(unit: LoadMaster, _lab: Any) -> None:
        before = await unit.ha_parameters()
        assert before
        assert (before.partner, before.health_check_port, before.mode) == ("", 0, "single")
        await unit.set_ha_parameters(parameters("172.24.1.6", 9000, preferred_host="none", all_interfaces=True))
        await unit.set_ha_mode("master")
        after = await unit.ha_parameters()
        assert after
        assert (after.partner, after.health_check_port, after.prefers_master, after.all_interfaces) == (
            "172.24.1.6", 9000, False, True,
        )  # fmt: skip
        assert after.mode == "master"

    on_unit(act, firmware=firmware, unpaired=True)


@wire_format
@pytest.mark.parametrize("applied", ["yes", "no"])
@pytest.mark.parametrize("fault", ["reset", "truncate", "error", "html"])
def test_ha_parameters_with_a_lost_answer_are_set_exactly_once(firmware: str, fault: str, applied: str) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        for command in ("awshamode", "awshaparam"):
            running.inject(f"{fault},command={command},occurrence=1,applied={applied}")
        await unit.set_ha_parameters(parameters("172.24.1.6", 8444, preferred_host="master", all_interfaces=False))
        if applied == "no":  # a mode is sent once, and then it is for the caller to look
            with pytest.raises(UnitError):
                await unit.set_ha_mode("slave")
        await unit.set_ha_mode("slave")
        after = await unit.ha_parameters()
        assert after
        assert after.partner == "172.24.1.6"
        assert after.mode == "slave"

    on_unit(act, firmware=firmware, unpaired=True)


def test_a_unit_without_the_commands_of_aws_is_asked_and_told_by_those_of_every_cloud() -> None:
    sent: list[Mapping[str, Any]] = []

    def answer(http: httpx.Request) -> httpx.Response:
        request = json.loads(http.content)
        sent.append(request)
        if "awsha" in request["cmd"]:
            return httpx.Response(404, json={"code": 404, "status": "fail", "message": "Unknown command"})
        if request["cmd"] == "getCloudHaParams":
            return ok(CloudHA={"Partner": "10.1.0.6", "Port": 8444, "HaPrefered": 1, "HaMode": "first"})
        return ok(version="7.2.59.4.1.RELEASE")

    async def act() -> None:
        async with LoadMaster(access(), transport=httpx.MockTransport(answer)) as unit:
            found = await unit.ha_parameters()
            assert found
            assert found.mode == "master"
            await unit.set_ha_mode("slave")
            await unit.set_ha_parameters(parameters("10.1.0.5", 8444, preferred_host="master", all_interfaces=False))

    run(act())
    assert [request["cmd"] for request in sent][-2:] == ["setcloudhamode", "setcloudhaparam"]
    assert sent[-2]["hamode"] == "slave"
    assert {key: sent[-1][key] for key in ("partner", "hcp", "haprefered", "hcai")} == {
        "partner": "10.1.0.5", "hcp": 8444, "haprefered": 1, "hcai": 0,
    }  # fmt: skip


# -- more than anybody could hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", ["clusters", "fqdns", "geo_partners", "partner_status"])
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_list_is_read_up_to_a_limit(read: str, beyond: int) -> None:
    many = [f"10.{number // 65536}.{number // 256 % 256}.{number % 256}" for number in range(MAX_ENTRIES + beyond)]
    unit = ScriptedUnit()
    unit.parameters["geopartners"] = ",".join(many)
    unit.plan("listclusters", ok(cluster=[{"IPAddress": address, "Name": "x"} for address in many]))
    unit.plan("listfqdns", ok(fqdn=[{"name": address} for address in many]))
    unit.plan("getgeopartnerstatus", ok(partner=[{"ip": address, "status": "up"} for address in many]))
    if not beyond:
        assert len(unit.use(lambda client: getattr(client, read)())) == MAX_ENTRIES
        return
    with pytest.raises(UnusableAnswerError, match="10,001 entries, more than 10,000"):
        unit.use(lambda client: getattr(client, read)())


@pytest.mark.parametrize("body", [b"[" + b"[]," * MAX_VALUES + b"1]", b'{"a":' + b"{}," * MAX_VALUES])
def test_an_answer_of_too_many_values_is_not_read(body: bytes) -> None:
    unit = ScriptedUnit()
    unit.plan("listfqdns", httpx.Response(200, content=body))
    with pytest.raises(UnusableAnswerError, match="more than 500,000 values"):
        unit.use(lambda client: client.fqdns())


def test_what_a_unit_calls_its_version_is_cut() -> None:
    unit = ScriptedUnit()
    unit.parameters["version"] = "7." + "9" * 100_000
    assert len(unit.use(lambda client: client.firmware())) == MAX_TEXT
    assert parse_version(unit.parameters["version"])[0] == 7
