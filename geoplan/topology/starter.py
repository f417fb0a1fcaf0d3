"""A first topology file, with comments on what can be added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geoplan.vendor import DEFAULT_HEALTH_CHECK_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Plain YAML that every reader takes for the same text; all else is quoted.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*([ ._-][A-Za-z0-9]+)*|[0-9a-fA-F]+([.:]+[0-9a-fA-F]+)+")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})

_HEAD = """\
# A topology file for geoplan: which LoadMasters form one GEO system. It holds no passwords.
# All keys: topologies/README.md of geoplan, or geoplan schema topology.
name: {name}

# health_check_port: {port}   # where units of a pair say which is active, if it is another port
# api_port: 8443             # where all units have their API and web interface; 8443 in AWS, 443 elsewhere
"""
_SITES = """
# The order matters: the clusters are added on the first HA pair, or without a pair on the first site.
sites:
"""
_UNIT_KEYS = """\
# A unit can say more than its address. For example:
#   {address: 10.1.0.5, nat_address: 203.0.113.5, api: "https://10.1.0.5:8443", firmware: 7.2.59.4}
# nat_address is how the other sites reach it; firmware is what the unit shows on its home page.
"""
_PAIR_KEYS = """\
# A pair that stays on the slave after a failover has preferred_host: none beside master and slave.
# With aws, health_check and virtual_services the pair itself is planned too: see geoplan/render/README.md.
"""
_SITE_KEYS = """\
# A site can have another cluster name, and a place; degrees, south and west negative:
#   cluster: {name: eu-west-1, location: {latitude: 53.35, longitude: -6.26}}
# GEO units outside of this file that have to stay in its access list:
#   extra_remote_geo_access: [192.0.2.7]
"""
_GROUPS = """
# Sites of one group are partners of one another, all with all. Each site is in exactly one group.
groups:
"""
_NO_GROUPS = """
# All sites are partners of one another. To divide them:
# groups:
#   europe: [{first}]
"""


class StarterSite(NamedTuple):
    """A site of a first file: its name, and the addresses of master and slave or of the only unit."""

    name: str
    addresses: tuple[str, ...]


def starter_file(name: str, sites: Sequence[StarterSite], groups: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the text of a topology file for these sites; whether it is right is for the loader to say."""
    has_pair = any(len(site.addresses) > 1 for site in sites)
    parts = [_HEAD.format(name=scalar(name), port=DEFAULT_HEALTH_CHECK_PORT), _SITES, *map(_site, sites), "\n"]
    parts += [_UNIT_KEYS, _PAIR_KEYS if has_pair else "", _SITE_KEYS]
    if groups:
        members = (f"  {scalar(group)}: [{', '.join(map(scalar, named))}]\n" for group, named in groups.items())
        return "".join([*parts, _GROUPS, *members])
    return "".join([*parts, _NO_GROUPS.format(first=scalar(sites[0].name))])


def _site(site: StarterSite) -> str:
    units = [scalar(address) for address in site.addresses]
    if len(units) == 1:
        return f"  - name: {scalar(site.name)}\n    standalone: {units[0]}\n"
    master, slave = units
    return f"  - name: {scalar(site.name)}\n    ha_pair: {{master: {master}, slave: {slave}}}\n"


def scalar(text: str) -> str:
    """Return a text as YAML writes it: plain where that is safe, else in double quotes."""
    if is_plain(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def is_plain(text: str) -> bool:
    """Return whether every reader of YAML takes a text for that text without quotes."""
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS_OF_YAML
