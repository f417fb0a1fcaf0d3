"""Addresses and the hosts of URLs."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.addresses import host_fault, same_addresses, url_fault

LABEL = "x" * 63


@pytest.mark.parametrize(
    "url",
    [
        *("https://xn--", "https://ü..x", "https://[v1.x]", f"https://{LABEL}x.example", "https://a..b", "https://"),
        *("https://-a", "https://a b", "https://[::1", "https://[fe80::1%25eth0]", "https://a:99999", "https://a:x"),
        *("https://xn--ls8h.example", "https://" + ".".join([LABEL] * 4), "https://a:0", "https://."),
    ],
)
def test_url_that_leads_to_no_host_is_told(url: str) -> None:
    assert url_fault(url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://172.24.1.5", "https://[2001:db8::5]:8443", f"https://{LABEL}.example", "https://lb_1.example."),
        *("https://köln.example", "https://xn--kln-sna.example", "https://LB"),
    ],
)
def test_url_with_a_host_is_taken(url: str) -> None:
    assert url_fault(url) is None


@given(st.text(alphabet="xn-.[]:%@ü\u00df\u3002v19f/", max_size=20) | st.text(max_size=12))
def test_client_takes_every_host_that_is_not_refused(host: str) -> None:
    if url_fault(f"https://{host}") is None and not {"/", "?", "#", "@", "\\"} & set(host) and host.isprintable():
        url = httpx.URL(f"https://{host}")
        assert url.host
        assert httpx.Request("POST", url).headers["host"]


def test_addresses_mean_the_same_in_every_spelling() -> None:
    assert same_addresses(["2001:DB8::5", "10.0.0.1"], ["10.0.0.1", "2001:db8:0::5"])
    assert host_fault("2001:DB8::5") is None
