"""What one firmware wants and another refuses: sent in another spelling only after an explicit refusal."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from geoplan.errors import GeoplanError, RefusedSpellingError, UnclearOutcomeError, UnitError, UnitRefusedError
from geoplan.loadmaster import ClusterType, LoadMaster
from geoplan.loadmaster.ha import look_up
from geoplan.plan.pairs import HaParameters
from tests.loadmaster.answering import Answering, Heard, Said, answering, js, js_refusal, xml, xml_refusal
from tests.loadmaster.support import UNIT

NAME = "Dublin"
FORMATS = pytest.mark.parametrize("version", [1, 2], ids=["v1", "v2"])
REFUSALS = [
    (400, "id: String Value missing"),
    (404, "No geo data found"),
    (405, "Unknown command"),
    (422, "Invalid ip"),
]


class Firmware:
    """A unit with one cluster of type default, which refuses what a test says, in the API's own format."""

    def __init__(self, version: int, refuse: Callable[[Heard], Said | None] | None = None) -> None:
        self.version = version
        self.refuse = refuse
        self.cluster = {"Index": "7", "IPAddress": "10.0.0.1", "Name": NAME, "Type": "default"}
        self.mode = "single"
        self.sent: list[str] = []
        self.rewrite: Callable[[str], str] = lambda name: name

    def refusal(self, code: int, message: str) -> Said:
        return xml_refusal(message, code) if self.version == 1 else js_refusal(message, code)

    def answer(self, heard: Heard) -> Said:
        self.sent.append(heard.command)
        if self.refuse and (refused := self.refuse(heard)):
            return refused
        match heard.command:
            case "get":
                return self.say({"version": "7.2.59.4.1"})
            case "listclusters":
                return self.say({"cluster": self.cluster})
            case "addcluster":
                self.cluster |= {"IPAddress": heard.fields["ip"], "Name": self.rewrite(heard.fields["name"])}
            case "modcluster":
                is_known = heard.fields.get("ip") == self.cluster["IPAddress"] or str(heard.fields.get("id")) == "7"
                self.cluster["Type"] = heard.fields["type"] if is_known else self.cluster["Type"]
            case "getawshaparams":
                return self.say({"AwsHA": {"HaMode": self.mode, "Port": "8444"}})
            case "awshamode":
                self.mode = heard.fields["hamode"]
        return self.say({})

    def say(self, content: Mapping[str, Any]) -> Said:
        return xml(_elements(content)) if self.version == 1 else js(**content)


def _elements(content: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_elements(value) if isinstance(value, Mapping) else value}</{name}>"
        for name, value in content.items()
    )


def use(firmware: Firmware, act: Callable[[LoadMaster], Awaitable[Any]], **options: Any) -> tuple[Any, Answering]:
    async def do() -> tuple[Any, Answering]:
        async with (
            answering(firmware.answer) as unit,
            unit.client(api_version=firmware.version, **options) as client,
        ):
            try:
                return await act(client), unit
            except GeoplanError as error:
                return error, unit

    return asyncio.run(do())


def add(client: LoadMaster) -> Awaitable[None]:
    return client.add_remote_lm_cluster(NAME, "10.0.0.1")


def twice(act: Callable[[LoadMaster], Awaitable[Any]]) -> Callable[[LoadMaster], Awaitable[Any]]:
    """Do it once more where the unit has refused the spelling, as whoever looks in between may."""

    async def do(client: LoadMaster) -> Any:
        try:
            return await act(client)
        except RefusedSpellingError:
            return await act(client)

    return do


# -- clusters by address, and by number -------------------------------------------------------------------------------


@FORMATS
@pytest.mark.parametrize(("code", "message"), REFUSALS)
def test_cluster_is_changed_by_its_number_where_the_address_is_refused(version: int, code: int, message: str) -> None:
    firmware = Firmware(version)
    firmware.refuse = lambda heard: (
        firmware.refusal(code, message) if heard.command == "modcluster" and "ip" in heard.fields else None
    )
    found, unit = use(firmware, twice(add))
    assert found is None
    by_address, by_number = unit.commands("modcluster")
    assert ("ip" in by_address.fields, "id" in by_address.fields) == (True, False)
    assert ("ip" in by_number.fields, str(by_number.fields["id"])) == (False, "7")
    assert unit.heard[unit.heard.index(by_number) - 1].command == "listclusters"  # the number is of a fresh list
    assert firmware.cluster["Type"] == ClusterType.REMOTE_LM


@FORMATS
@pytest.mark.parametrize("command", ["modcluster", "awshamode"])
def test_one_call_sends_a_change_once_however_it_is_spelled(version: int, command: str) -> None:
    firmware = Firmware(version)
    firmware.refuse = lambda heard: firmware.refusal(422, "no such word") if heard.command == command else None
    found, unit = use(firmware, add if command == "modcluster" else lambda client: client.set_ha_mode("master"))
    assert isinstance(found, RefusedSpellingError)
    assert "do the same again" in str(found.hint)
    assert len(unit.commands(command)) == 1


@FORMATS
def test_unit_keeps_in_mind_how_it_wants_clusters_to_be_named(version: int) -> None:
    firmware = Firmware(version)
    firmware.refuse = lambda heard: (
        firmware.refusal(400, "no") if heard.command == "modcluster" and "ip" in heard.fields else None
    )

    async def act(client: LoadMaster) -> None:
        await twice(add)(client)
        firmware.cluster["Type"] = "default"
        await add(client)

    found, unit = use(firmware, act)
    assert found is None
    assert ["ip" in sent.fields for sent in unit.commands("modcluster")] == [True, False, False]


@FORMATS
def test_unit_that_takes_the_address_is_never_told_the_number(version: int) -> None:
    found, unit = use(Firmware(version), add)
    assert found is None
    (sent,) = unit.commands("modcluster")
    assert "id" not in sent.fields


@FORMATS
@pytest.mark.parametrize("code", [401, 403, 500, 503])
def test_refusal_that_is_not_about_the_parameter_ends_it(version: int, code: int) -> None:
    firmware = Firmware(version)
    firmware.refuse = lambda heard: firmware.refusal(code, "no") if heard.command == "modcluster" else None
    found, unit = use(firmware, add, changes_once=True)
    assert isinstance(found, UnitError)
    assert len(unit.commands("modcluster")) == 1


@FORMATS
@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_page_of_something_else_is_no_refusal(version: int, status: int) -> None:
    firmware = Firmware(version, lambda heard: PAGE(status) if heard.command == "modcluster" else None)
    found, unit = use(firmware, add, changes_once=True)
    assert isinstance(found, UnitError)
    assert all("ip" in sent.fields for sent in unit.commands("modcluster"))


def PAGE(status: int) -> Said:  # noqa: N802 - a constant but for its status
    return Said(b"<html><body>not here</body></html>", status)


@FORMATS
def test_nothing_is_spelled_otherwise_after_a_lost_answer(version: int) -> None:
    """The answer of the first is lost, it is seen not to have arrived, and the second is refused."""
    firmware = Firmware(version)
    replies = iter([PAGE(200), firmware.refusal(404, "No geo data found")])
    firmware.refuse = lambda heard: next(replies) if heard.command == "modcluster" else None
    found, unit = use(firmware, add)
    assert type(found) is UnitRefusedError, "and not a matter of spelling"
    assert ["id" in sent.fields for sent in unit.commands("modcluster")] == [False, False]


@FORMATS
def test_lost_answer_to_the_other_spelling_is_unclear_where_nothing_tells(version: int) -> None:
    firmware = Firmware(version)

    def refuse(heard: Heard) -> Said | None:
        if heard.command == "modcluster":
            return PAGE(200) if "id" in heard.fields else firmware.refusal(404, "no")
        return PAGE(200) if firmware.sent.count("modcluster") == 2 else None

    firmware.refuse = refuse
    found, unit = use(firmware, twice(add))
    assert isinstance(found, UnclearOutcomeError)
    assert len(unit.commands("modcluster")) == 2


@FORMATS
def test_number_of_a_cluster_is_of_a_list_that_is_read_after_the_refusal(version: int) -> None:
    firmware = Firmware(version)

    def refuse(heard: Heard) -> Said | None:
        if heard.command != "modcluster" or "id" in heard.fields:
            return None
        firmware.cluster["Index"] = "9"  # number 7 is another's by now
        return firmware.refusal(404, "No geo data found")

    firmware.refuse = refuse
    _, unit = use(firmware, twice(add))
    assert [str(sent.fields.get("id")) for sent in unit.commands("modcluster")] == ["None", "9"]


def test_both_refusals_are_told() -> None:
    firmware = Firmware(2)
    firmware.refuse = lambda heard: (
        firmware.refusal(404 if "ip" in heard.fields else 422, f"said {sorted(heard.fields)[-2]}")
        if heard.command == "modcluster"
        else None
    )
    found, _ = use(firmware, twice(add))
    assert isinstance(found, UnitRefusedError)
    assert found.code == 404
    assert "otherwise: said" in found.reason


@FORMATS
@pytest.mark.parametrize("name", ["Dublin in the west, and more", "Zürich und Söhne am See", "a b"])
def test_cluster_whose_name_a_unit_rewrites_is_still_the_one_that_was_added(version: int, name: str) -> None:
    firmware = Firmware(version)
    firmware.rewrite = lambda name: name.replace(" ", "_")[:20]

    async def act(client: LoadMaster) -> Any:
        await client.add_remote_lm_cluster(name, "10.0.0.2")
        await client.add_remote_lm_cluster(name, "10.0.0.2")
        return await client.clusters()

    found, unit = use(firmware, act)
    assert [(cluster.name, cluster.type) for cluster in found] == [(firmware.rewrite(name), ClusterType.REMOTE_LM)]
    assert len(unit.commands("addcluster", "modcluster")) == 2


# -- the words of HA modes -------------------------------------------------------------------------------------------


@FORMATS
@pytest.mark.parametrize(("mode", "word"), [("master", "first"), ("slave", "second")])
def test_mode_is_said_in_newer_words_where_the_older_are_refused(version: int, mode: Any, word: str) -> None:
    firmware = Firmware(version)
    firmware.refuse = lambda heard: (
        firmware.refusal(422, "Invalid value for hamode") if heard.fields.get("hamode") in ("master", "slave") else None
    )
    found, unit = use(firmware, twice(lambda client: client.set_ha_mode(mode)))
    assert found is None
    assert [sent.fields["hamode"] for sent in unit.commands("awshamode")] == [mode, word]


@FORMATS
@pytest.mark.parametrize("mode", ["master", "slave", "single"])
def test_mode_that_is_taken_is_sent_once_in_the_older_words(version: int, mode: Any) -> None:
    found, unit = use(Firmware(version), lambda client: client.set_ha_mode(mode))
    assert found is None
    assert [sent.fields["hamode"] for sent in unit.commands("awshamode")] == [mode]


def test_mode_single_has_no_other_word() -> None:
    firmware = Firmware(2)
    firmware.refuse = lambda heard: firmware.refusal(422, "no") if heard.command == "awshamode" else None
    found, unit = use(firmware, lambda client: client.set_ha_mode("single"))
    assert isinstance(found, UnitRefusedError)
    assert len(unit.commands("awshamode")) == 1


# -- families of HA commands, and who the partner is ------------------------------------------------------------------

REST: dict[str, Any] = {"preferred_host": "master", "all_interfaces": False}
FAMILIES = ("getawshaparams", "getCloudHaParams", "getazurehaparams")


@FORMATS
@pytest.mark.parametrize("silent", ["empty", "refused"])
@pytest.mark.parametrize(("family", "element"), [*zip(FAMILIES, ("AwsHA", "AzureHA", "AzureHA"), strict=True)])
def test_first_family_that_answers_with_content_counts(version: int, family: str, element: str, silent: str) -> None:
    firmware = Firmware(version)

    def refuse(heard: Heard) -> Said | None:
        if heard.command == family:
            return firmware.say({element: {"HaMode": "second", "Partner": "10.0.0.2", "Port": "8444"}})
        if heard.command in FAMILIES:
            return firmware.say({}) if silent == "empty" else firmware.refusal(405, "Unknown command")
        return None

    firmware.refuse = refuse

    async def act(client: LoadMaster) -> Any:
        found = await client.ha_parameters()
        wanted = HaParameters(address=UNIT, mode="master", partner="10.0.0.2", health_check_port=8444, **REST)
        await client.set_ha_parameters(wanted)
        await client.set_ha_mode("slave")
        return found

    found, unit = use(firmware, act)
    assert (found.mode, found.partner) == ("slave", "10.0.0.2")
    by_family = {"getawshaparams": "aws", "getCloudHaParams": "setcloud", "getazurehaparams": "azure"}[family]
    assert [sent.command for sent in unit.heard][-2:] == [f"{by_family}haparam", f"{by_family}hamode"]


@FORMATS
@pytest.mark.parametrize("silent", ["empty", "refused"])
def test_unit_of_no_cloud_tells_no_parameters_at_all(version: int, silent: str) -> None:
    firmware = Firmware(version)
    firmware.refuse = lambda heard: (
        (firmware.say({}) if silent == "empty" else firmware.refusal(405, "Unknown command"))
        if heard.command in FAMILIES
        else None
    )
    found, _ = use(firmware, lambda client: client.ha_parameters())
    assert found is None


def partner_of(name: str, addresses: Mapping[str, tuple[str, ...]] | None) -> tuple[Any, list[str]]:
    asked: list[str] = []

    async def resolve(host: str) -> tuple[str, ...]:
        asked.append(host)
        return (addresses or {}).get(host, ())

    async def act(client: LoadMaster) -> Any:
        await client.ha_parameters()
        return await client.ha_parameters()

    firmware = Firmware(2)
    firmware.refuse = lambda heard: (
        js(AwsHA={"HaMode": "master", "Partner": name}) if heard.command == "getawshaparams" else None
    )
    found, _ = use(firmware, act, resolve=None if addresses is None else resolve)
    return found, asked


def test_partner_by_its_name_comes_with_its_addresses_and_is_looked_up_once() -> None:
    found, asked = partner_of("slave.lan", {"slave.lan": ("10.0.0.2",)})
    assert (found.partner, found.partner_addresses) == ("slave.lan", ("10.0.0.2",))
    assert asked == ["slave.lan"]


@pytest.mark.parametrize("name", ["10.0.0.2", "2001:db8::2", "unset", "", "-x", "a b", "a" * 300])
def test_nothing_but_the_name_of_a_host_is_looked_up(name: str) -> None:
    found, asked = partner_of(name, {})
    assert (found.partner_addresses, asked) == ((), [])


def test_without_a_resolver_no_name_is_looked_up() -> None:
    found, _ = partner_of("slave.lan", None)
    assert (found.partner, found.partner_addresses) == ("slave.lan", ())


def test_this_machine_looks_names_up() -> None:
    assert set(asyncio.run(look_up("localhost"))) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("failure", [OSError("no such host"), UnicodeError("no label"), TimeoutError()], ids=repr)
def test_name_that_is_not_found_has_no_address(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise failure

    monkeypatch.setattr("geoplan.loadmaster.ha.getaddrinfo", fail)
    assert asyncio.run(look_up("slave.lan")) == ()


def test_unit_that_tells_another_name_each_time_has_one_looked_up() -> None:
    asked: list[str] = []
    names = (f"slave{number}.lan" for number in range(9))

    async def resolve(host: str) -> tuple[str, ...]:
        asked.append(host)
        return ("10.0.0.2",)

    async def act(client: LoadMaster) -> Any:
        return [await client.ha_parameters() for _ in range(3)]

    firmware = Firmware(2)
    firmware.refuse = lambda heard: (
        js(AwsHA={"HaMode": "master", "Partner": next(names)}) if heard.command == "getawshaparams" else None
    )
    found, _ = use(firmware, act, resolve=resolve)
    assert [each.partner_addresses for each in found] == [("10.0.0.2",), (), ()]
    assert asked == ["slave0.lan"]


NEVER = """
import asyncio, threading
from geoplan.loadmaster import ha
ha.LOOK_UP_SECONDS = 0.05
ha.getaddrinfo = lambda *_: threading.Event().wait()
print(asyncio.run(ha.look_up("slave.lan")))
"""


def test_name_server_that_never_answers_does_not_keep_the_process_from_its_end() -> None:
    ended = subprocess.run([sys.executable, "-c", NEVER], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "()\n"), ended.stderr
