"""No test reaches any address but loopback: tests/loopback says so, loudly."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.loopback.guard import BeyondLoopbackError

# Addresses that are set aside for documentation: were the guard to fail, nobody would be there.
BEYOND = [("192.0.2.1", 443), ("2001:db8::1", 443, 0, 0)]


@pytest.mark.parametrize("address", BEYOND, ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("way", ["connect", "connect_ex"])
def test_a_socket_that_connects_beyond_loopback_fails(address: tuple[str, int], way: str) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as tried, pytest.raises(BeyondLoopbackError, match=address[0]):
        getattr(tried, way)(address)


@pytest.mark.parametrize("address", BEYOND, ids=["IPv4", "IPv6"])
def test_a_datagram_beyond_loopback_fails(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as tried, pytest.raises(BeyondLoopbackError):
        tried.sendto(b"", address)


@pytest.mark.parametrize("address", BEYOND, ids=["IPv4", "IPv6"])
def test_a_connection_of_asyncio_beyond_loopback_fails(address: tuple[str, int]) -> None:
    with pytest.raises(BeyondLoopbackError):
        asyncio.run(asyncio.open_connection(*address[:2]))


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(BeyondLoopbackError, match="looks up unit"):
        socket.create_connection(("unit.example", 443))
    with pytest.raises(BeyondLoopbackError, match="looks up unit"):
        asyncio.run(asyncio.open_connection("unit.example", 443))


def test_a_connection_that_is_caught_on_its_way_fails_all_the_same() -> None:
    assert not issubclass(BeyondLoopbackError, Exception)


@pytest.mark.parametrize("name", ["127.0.0.1", "127.1.2.3", "localhost", "::1", None])
def test_loopback_is_open(name: str | None) -> None:
    assert socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)


def test_connections_over_loopback_are_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]):
        assert server.accept()


def test_processes_that_a_test_starts_are_held_to_it_too() -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=1)"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "BeyondLoopbackError: a test reaches for 192.0.2.1" in ended.stderr
