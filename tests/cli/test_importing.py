"""Which units an import may ask: those within the networks given, those of a file, those that somebody confirms."""

from __future__ import annotations

import io
import sys
from ipaddress import ip_network

import pytest

from geoplan.cli.connection import ConnectionOptions
from geoplan.cli.importing import MAX_LISTED, Search, said_of_unconfirmed
from geoplan.live.discover.judge import Imported
from geoplan.live.discover.search import How, Naming
from geoplan.topology.model import Topology


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOPLAN_USER", "bal")
    monkeypatch.setenv("GEOPLAN_PASSWORD", "of all")
    monkeypatch.delenv("GEOPLAN_APIKEY", raising=False)


NAMED = {
    address: (Naming("10.0.0.1", How.GEO_PARTNER),) for address in ("10.0.0.2", "10.1.0.2", "2001:db8::2", "192.0.2.7")
}
NETWORKS = (ip_network("10.0.0.0/16"), ip_network("2001:db8::/64"))


def search(*, insecure: bool = False, follow: bool = True, known: frozenset[str] = frozenset()) -> Search:
    return Search(ConnectionOptions(insecure=insecure), 443, 8444, follow, NETWORKS if follow else (), known)


class Terminal(io.StringIO):
    """Standard input, or standard error, on a terminal."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_only_addresses_within_the_networks_are_followed() -> None:
    assert list(search().allowed(NAMED)) == ["10.0.0.2", "2001:db8::2"]
    assert list(search(follow=False).allowed(NAMED)) == []


def test_units_of_a_file_are_as_good_as_given() -> None:
    assert list(search(follow=False, known=frozenset({"192.0.2.7"})).allowed(NAMED)) == ["192.0.2.7"]


def test_without_a_check_of_certificates_nothing_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_a_terminal(monkeypatch, "y\n")
    assert list(search(insecure=True, known=frozenset(NAMED)).allowed(NAMED)) == []
    assert "Send credentials" not in shown.getvalue()


def test_address_without_credentials_is_listed_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEOPLAN_PASSWORD")
    monkeypatch.setenv("GEOPLAN_PASSWORD_10_0_0_2", "of this one alone")
    assert list(search().allowed(NAMED)) == ["10.0.0.2"]


@pytest.mark.parametrize(
    ("typed", "allowed"),
    [("y\n", list(NAMED)), ("n\n", ["10.0.0.2", "2001:db8::2"]), ("\n", ["10.0.0.2", "2001:db8::2"])],
)
def test_a_terminal_is_asked_for_the_others(monkeypatch: pytest.MonkeyPatch, typed: str, allowed: list[str]) -> None:
    shown = on_a_terminal(monkeypatch, typed)
    assert sorted(search().allowed(NAMED)) == sorted(allowed)
    assert "  192.0.2.7 (GEO partner of 10.0.0.1)\n" in shown.getvalue()
    assert "10.0.0.2" not in shown.getvalue()


def test_who_pipes_the_messages_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch, "y\n")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(search().allowed(NAMED)) == ["10.0.0.2", "2001:db8::2"]


def test_of_very_many_addresses_some_are_shown() -> None:
    topology = Topology.model_validate({"sites": [{"name": "A", "standalone": "10.0.0.1"}]})
    many = {f"10.1.{n // 250}.{n % 250}": ("GEO partner of 10.0.0.1",) for n in range(5000)}
    lines = said_of_unconfirmed(Imported({}, topology, (), many), search(), ["10.0.0.1"], "--api-port", "8443")
    assert lines[0] == "5000 addresses found and not asked:"
    assert "  and 4,900 more" in lines
    assert lines[-1].split()[:4] == ["geoplan", "import", "10.0.0.1", "10.1.0.0"]
    assert lines[-1].split()[-2:] == ["--api-port", "8443"]
    assert len(lines[-1].split()) == 3 + MAX_LISTED + 2
