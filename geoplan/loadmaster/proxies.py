"""Which proxy leads to a unit, by the variables of the environment; what they hold is checked before it is used.

A variable that is not understood is refused, never passed over: a unit's credentials would go another way than meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import httpx

from geoplan.addresses import canonical, host_fault, is_address, url_fault
from geoplan.errors import GeoplanError

if TYPE_CHECKING:
    from collections.abc import Mapping

HTTP_PORT, HTTPS_PORT = 80, 443
MAX_SHOWN = 60
_SCHEMES = ("http", "https")
_HINT = "correct or unset it, or leave --use-proxies out"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and which variable names it."""

    variable: str
    url: str = field(repr=False)
    """It may hold a login."""

    def __str__(self) -> str:
        url = urlsplit(self.url)
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]} ({self.variable})"


def proxy_for(api_url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a unit's URL, or None where it is reached without one.

    Raises :class:`GeoplanError` that names the variable which cannot be used.
    """
    url = urlsplit(api_url)
    found = _variable(environment, f"{url.scheme.upper()}_PROXY") or _variable(environment, "ALL_PROXY")
    if found is None:
        return None
    port = url.port or (HTTPS_PORT if url.scheme == "https" else HTTP_PORT)
    if any(exception.means(url.hostname or "", port) for exception in _exceptions(environment)):
        return None
    variable, value = found
    return Proxy(variable, _usable(variable, value))


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """Return a variable by the name that counts, lower case before upper case, and its value if it has one."""
    for spelling in (name.lower(), name):
        if spelling in environment:
            value = environment[spelling].strip()
            return (spelling, value) if value else None
    return None


def _usable(variable: str, value: str) -> str:
    """Check what a variable gives as a proxy. Raises :class:`GeoplanError`; it never shows the value: see `Proxy`."""
    text = value if "://" in value else f"http://{value}"
    scheme = text.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        kind = "SOCKS" if scheme.startswith("socks") else "such"
        fault: str | None = f"{kind} proxies are not supported, only http:// and https://"
    else:
        fault = url_fault(text) or _unusable(text)
    if fault:
        raise GeoplanError(f"the proxy of {variable} cannot be used: {fault}", hint=_HINT)
    return text


def _unusable(text: str) -> str | None:
    """Say what else is wrong with a URL, as the client sees it."""
    try:
        httpx.Proxy(text)
    except (httpx.InvalidURL, ValueError):
        return "that is no URL"
    return None if text.isprintable() and " " not in text else "that is no URL"


class _Exception(NamedTuple):
    """A host, or a domain around hosts, that is reached without a proxy."""

    name: str
    port: int | None

    def means(self, host: str, port: int) -> bool:
        if is_address(self.name) or is_address(host):
            is_it = canonical(self.name) == canonical(host)
        else:
            is_it = host == self.name or host.endswith(f".{self.name}")
        return self.name == "*" or (is_it and self.port in (None, port))


def _exceptions(environment: Mapping[str, str]) -> tuple[_Exception, ...]:
    """Return the hosts that are reached without a proxy. Raises :class:`GeoplanError` for what is none."""
    variable, value = _variable(environment, "NO_PROXY") or ("", "")
    return tuple(_exception(variable, host) for written in value.split(",") if (host := written.strip()))


def _exception(variable: str, written: str) -> _Exception:
    name, _, port = written.partition(":") if written.count(":") == 1 else (written, "", "")
    domain = name.lower().removeprefix("*").removeprefix(".")
    if written == "*":
        return _Exception("*", None)
    if host_fault(domain) or "%" in domain or not re.fullmatch(r"[0-9]{0,5}", port):
        raise GeoplanError(
            f"{variable} holds something that is no host: {ascii(written)[1:-1][:MAX_SHOWN]}",
            hint="write host names, domains and single addresses, without brackets and ranges, with commas in between",
        )
    return _Exception(domain, int(port) if port else None)
