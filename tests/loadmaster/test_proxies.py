"""Which proxy leads to a unit, and that a variable which cannot be used is named."""

from __future__ import annotations

import ssl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.errors import GeoplanError
from geoplan.loadmaster import Secret, UserPassword, unit_connections
from geoplan.loadmaster.proxies import proxy_for
from tests.loadmaster.support import example

UNIT = "https://172.24.1.5:8443"
PROXY = {"HTTPS_PROXY": "http://proxy.example:3128"}


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"ALL_PROXY": "socks://127.0.0.1:1080"}, "ALL_PROXY"),
        ({"all_proxy": "socks5h://127.0.0.1:1080"}, "all_proxy"),
        ({"HTTPS_PROXY": "http://[::1"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://127.0.0.1:99999"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "127.0.0.1:0"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "ftp://proxy"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://pro xy:1"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://" + "x" * 64 + ".example"}, "HTTPS_PROXY"),
        ({**PROXY, "NO_PROXY": "[::1]"}, "NO_PROXY"),
        ({**PROXY, "NO_PROXY": "localhost, fe11::/16"}, "NO_PROXY"),
        ({**PROXY, "no_proxy": "172.24.0.0/16"}, "no_proxy"),
    ],
)
def test_variable_that_cannot_be_used_is_named_before_any_unit_is_asked(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], variable: str
) -> None:
    with pytest.raises(GeoplanError, match=rf"\b{variable}\b") as caught:
        proxy_for(UNIT, environment)
    assert caught.value.hint
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GeoplanError, match=rf"\b{variable}\b"):
        unit_connections(example(), lambda _: UserPassword("bal", Secret("x")), use_proxies=True)
    unit_connections(example(), lambda _: UserPassword("bal", Secret("x")))  # without being asked for they do not count


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, None),
        ({"HTTP_PROXY": "socks://x", "NO_PROXY": "[::1]"}, None),  # not for units
        (PROXY, "http://proxy.example:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "proxy:3128", "ALL_PROXY": "socks://x"}, "http://proxy:3128 (HTTPS_PROXY)"),
        ({"ALL_PROXY": "https://proxy"}, "https://proxy (ALL_PROXY)"),
        ({**PROXY, "https_proxy": "http://[::1]:1"}, "http://[::1]:1 (https_proxy)"),
        ({"HTTPS_PROXY": "http://user:hunter2@proxy:1"}, "http://proxy:1 (HTTPS_PROXY)"),
        ({**PROXY, "NO_PROXY": "*"}, None),
        ({**PROXY, "NO_PROXY": "localhost,172.24.1.5"}, None),
        ({**PROXY, "NO_PROXY": "172.24.1.5:8443"}, None),
        ({**PROXY, "NO_PROXY": "172.24.1.5:443, 24.1.5, 4.1.5"}, "http://proxy.example:3128 (HTTPS_PROXY)"),
    ],
)
def test_proxy_is_the_one_that_the_variables_mean(environment: dict[str, str], shown: str | None) -> None:
    proxy = proxy_for(UNIT, environment)
    assert (str(proxy) if proxy else None) == shown
    assert "hunter2" not in f"{proxy} {proxy!r}"


@pytest.mark.parametrize(
    ("exception", "is_meant"),
    [("example", True), (".lb.example", True), ("*.lb.example", True), ("b.example", False), ("a.lb.example", True)],
)
def test_domain_is_met_at_its_dots(exception: str, is_meant: bool) -> None:
    assert (proxy_for("https://a.lb.example", {**PROXY, "NO_PROXY": exception}) is None) is is_meant


@given(
    st.text(alphabet="[]:/@.,*%h tp10-xn\u00fc\u0660socks", max_size=24) | st.text(max_size=12),
    st.text(alphabet="[]:/.,*%0123456789abcf -", max_size=24),
)
def test_variables_are_refused_or_work(proxy: str, exceptions: str) -> None:
    try:
        found = proxy_for(UNIT, {"HTTPS_PROXY": proxy, "NO_PROXY": exceptions})
    except GeoplanError:
        return
    if found:
        httpx.AsyncClient(proxy=found.url, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
