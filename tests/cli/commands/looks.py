"""Looks of ``geoplan status`` at a lab, and requests to it past geoplan."""

from __future__ import annotations

import base64
import json
import select
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Geoplan, Outcome
from tests.push.support import PASSWORD, PATIENCE_SECONDS, Site


def status(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("status", site.topology, "--endpoints", site.endpoints, *options)


def report_of(geoplan: Geoplan, site: Site, *options: str | Path) -> Any:
    return json.loads(status(geoplan, site, "--format", "json", *options).stdout)


def kinds(report: Any) -> list[str]:
    return [finding["kind"] for finding in report["findings"]]


def units_of(report: Any) -> dict[str, Any]:
    return {unit["address"]: unit for site in report["sites"] for unit in site["units"]}


def send(site: Site, address: str, request: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    credentials = base64.b64encode(f"bal:{PASSWORD}".encode()).decode()
    asked = urllib.request.Request(  # noqa: S310 - the lab's
        f"{site.lab.endpoints.units[address].api}/access/{request}", headers={"Authorization": f"Basic {credentials}"}
    )
    urllib.request.urlopen(asked, context=context).close()  # noqa: S310


def until(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if what():
            return
        select.select([], [], [], 0.02)
    raise AssertionError("it never came true")
