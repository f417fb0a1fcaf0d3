"""What a well-formed topology can still have wrong: each rule a small function, all of them in ``RULES``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from geoplan.diagnostics import Diagnostic, Severity
from geoplan.errors import InvalidInputError
from geoplan.topology import rules_ha
from geoplan.topology.codes import CODES
from geoplan.topology.finding import Finding
from geoplan.topology.firmware import has_partner_secret, parse_version
from geoplan.topology.model import BOOT_FLOOR_SECONDS, SYNC_FLOOR_SECONDS
from geoplan.topology.partial import PartialSite, PartialTopology, Text, WrittenAddress, partial_topology
from geoplan.topology.similarity import folded, nearest
from geoplan.topology.types import HTTPS, place_of_url

if TYPE_CHECKING:
    from geoplan.topology.model import Topology
    from geoplan.topology.types import IpAddress
    from geoplan.yaml12 import Loc


Rule = Callable[[PartialTopology], Iterator[Finding]]


def empty_value(outline: PartialTopology) -> Iterator[Finding]:
    """Find keys with nothing behind them."""
    for loc in outline.empty_values:
        yield Finding(loc, f"there is nothing behind '{loc[-1]}'", "write its value, or take the key out", at_key=True)


def site_without_units(outline: PartialTopology) -> Iterator[Finding]:
    """Find sites with neither a pair nor a standalone."""
    for site in outline.sites:
        if not site.kinds and not site.unread_kind:
            hint = "add ha_pair: {master: ADDRESS, slave: ADDRESS} or standalone: ADDRESS"
            yield Finding(site.loc, f"{site.label} has neither ha_pair nor standalone", hint)


def site_of_both_kinds(outline: PartialTopology) -> Iterator[Finding]:
    """Find sites with both a pair and a standalone."""
    for site in outline.sites:
        if len(site.kinds) > 1:
            hint = "keep one of them, or make two sites of it"
            yield Finding(
                (*site.loc, site.kinds[1]), f"{site.label} has both ha_pair and standalone", hint, at_key=True
            )


def master_is_slave(outline: PartialTopology) -> Iterator[Finding]:
    """Find pairs whose master and slave are one unit."""
    for site in outline.sites:
        slave = _slave_like_master(site)
        if slave:
            message = f"master and slave of {site.label} are both {slave.text}"
            yield Finding(slave.loc, message, "write the other unit's address")


def address_used_twice(outline: PartialTopology) -> Iterator[Finding]:
    """Find addresses that name two units, in whatever spelling and also as a NAT address."""
    users: dict[IpAddress, tuple[str, str]] = {}
    for label, written in _addresses_of_units(outline):
        if written.address in users:
            yield _second_use(written, *users[written.address])
        else:
            users[written.address] = label, written.text
    for site in outline.sites:
        listed: dict[IpAddress, tuple[str, str]] = {}
        for written in site.extra_remote_geo_access:
            first = users.get(written.address) or listed.get(written.address)
            if first:
                yield _second_use(written, *first)
            listed[written.address] = f"this list of {site.label}", written.text


def api_used_twice(outline: PartialTopology) -> Iterator[Finding]:
    """Find units whose API answers where another one's does, be it written or by that one's address."""
    units = [
        (f"the {unit.role} of {site.label}" if unit.role != "standalone" else site.label, unit)
        for site in outline.sites
        for unit in site.units
    ]
    users = {(str(unit.address.address), HTTPS): label for label, unit in units if unit.address and not unit.api}
    for label, unit in units:
        if unit.api is None or (place := place_of_url(unit.api.text)) is None:
            continue
        first = users.setdefault(place, label)
        if first != label:
            message = f"the API of {label} is at {unit.api.text}, where that of {first} is"
            yield Finding(unit.api.loc, message, "write the URL at which this unit itself answers")


def name_used_twice(outline: PartialTopology) -> Iterator[Finding]:
    """Find sites and groups that share a name, whatever their letters' case."""
    yield from _same_names("site", (site.name for site in outline.sites if site.name))
    yield from _same_names("group", (Text(group.loc, group.name) for group in outline.groups or ()), at_key=True)


def site_in_two_groups(outline: PartialTopology) -> Iterator[Finding]:
    """Find sites that groups name more than once."""
    seen: dict[str, str] = {}
    for group in outline.groups or ():
        for member in group.members:
            if member.text in seen:
                message = f"'{member.text}' is already in the group '{seen[member.text]}'"
                yield Finding(member.loc, message, "keep it in one group, once")
            seen.setdefault(member.text, group.name)


def site_in_no_group(outline: PartialTopology) -> Iterator[Finding]:
    """Find sites that no group names, where there are groups."""
    if outline.groups is None or not all(group.readable for group in outline.groups):
        return
    members = {member.text for group in outline.groups for member in group.members}
    for site in outline.sites:
        if site.name and site.name.text not in members:
            hint = "name it in a group; a site that has no partners is a group of its own"
            yield Finding(site.name.loc, f"{site.label} is in no group", hint)


def unknown_site_in_group(outline: PartialTopology) -> Iterator[Finding]:
    """Find names in groups that no site has."""
    names = [site.name.text for site in outline.sites if site.name]
    known = set(names)
    for group in outline.groups or ():
        for member in group.members:
            if member.text not in known:
                near = nearest(member.text, names)
                hint = f"did you mean '{near}'?" if near else "name a site as 'sites' does"
                yield Finding(member.loc, f"'{member.text}' is no site of this topology", hint)


def group_without_sites(outline: PartialTopology) -> Iterator[Finding]:
    """Find groups that name no site."""
    for group in outline.groups or ():
        if group.readable and not group.members:
            yield Finding(
                group.loc, f"the group '{group.name}' is empty", "name its sites, or leave it out", at_key=True
            )


def cluster_name_used_twice(outline: PartialTopology) -> Iterator[Finding]:
    """Find clusters that share a name in a group, whatever their letters' case."""
    for group in outline.partner_groups:
        seen: dict[str, PartialSite] = {}
        for site in group.sites:
            if site.cluster_name is None:
                continue
            first = seen.setdefault(folded(site.cluster_name.text), site)
            named_by_site = site.cluster_name is site.name and first.cluster_name is first.name
            if first is not site and not named_by_site:  # sites of one name are told apart by GEO305
                message = f"the clusters of {first.label} and {site.label} are both called '{site.cluster_name.text}'"
                yield Finding(site.cluster_name.loc, message, "give one of the two another cluster: {name: …}")


def too_many_sites(outline: PartialTopology) -> Iterator[Finding]:
    """Find groups with more sites than a LoadMaster takes clusters."""
    for group in outline.partner_groups:
        count = len(group.sites)
        if count > outline.max_clusters:
            message = f"the group '{group.name}' has {count} sites, more than the {outline.max_clusters} GEO clusters"
            hint = f"split it into groups, or set limits: {{max_clusters: {count}}} if your LoadMasters take more"
            yield Finding(group.sites[outline.max_clusters].loc, f"{message} that a LoadMaster takes", hint)


def firmware_differs_in_pair(outline: PartialTopology) -> Iterator[Finding]:
    """Find pairs whose units run two versions."""
    for site in outline.sites:
        versions = [unit.firmware for unit in site.units if unit.role != "standalone" and unit.firmware]
        if len({parse_version(version.text) for version in versions}) > 1:
            message = f"the units of {site.label} run {versions[0].text} and {versions[1].text}"
            yield Finding(versions[1].loc, message, "bring both to one version before anything else (section 7)")


def partner_secret_in_some_units(outline: PartialTopology) -> Iterator[Finding]:
    """Find groups in which only some units have the Partner Shared Secret."""
    for group in outline.partner_groups:
        versions = [unit.firmware for site in group.sites for unit in site.units if unit.firmware]
        with_it = [version for version in versions if has_partner_secret(parse_version(version.text))]
        without = [version for version in versions if version not in with_it]
        if with_it and without:
            message = (
                f"firmware {without[0].text} has no Partner Shared Secret, but {with_it[0].text} "
                f"elsewhere in the group '{group.name}' has: they refuse each other"
            )
            yield Finding(
                without[0].loc, message, "bring the whole group to firmware with the secret, and set it equal"
            )


def pair_mixes_families(outline: PartialTopology) -> Iterator[Finding]:
    """Find pairs reached by IPv4 at one unit and by IPv6 at the other."""
    for site in outline.sites:
        shown = [unit.addresses[-1] for unit in site.units if unit.role != "standalone" and unit.addresses]
        if len({written.address.version for written in shown}) > 1:
            message = f"the units of {site.label} are reached by {shown[0].text} and {shown[1].text}: IPv4 and IPv6"
            yield Finding(shown[1].loc, message, "write addresses of one family for both units")


def group_mixes_families(outline: PartialTopology) -> Iterator[Finding]:
    """Find groups in which some sites are reached by IPv4 and some by IPv6."""
    for group in outline.partner_groups:
        shown = [site.units[0].addresses[-1] for site in group.sites if site.units and site.units[0].addresses]
        other = next((written for written in shown if written.address.version != shown[0].address.version), None)
        if other:
            message = f"the group '{group.name}' is reached by {shown[0].text} and {other.text}: IPv4 and IPv6"
            yield Finding(other.loc, message, "make sure that every site can reach both, or use one family")


def nat_on_pair(outline: PartialTopology) -> Iterator[Finding]:
    """Find pairs whose units are reached over NAT."""
    for site in outline.sites:
        for unit in site.units:
            if unit.nat_address and unit.role != "standalone":
                message = f"the {unit.role} of {site.label} is reached over NAT; a failover leaves its cluster as it is"
                yield Finding(unit.nat_address.loc, message, "after a failover, check by hand where the cluster points")


def time_below_floor(outline: PartialTopology) -> Iterator[Finding]:
    """Find times that are shorter than what a push waits on a network in any case."""
    for written, floor, what in (
        (outline.boot_seconds, BOOT_FLOOR_SECONDS, "boot"),
        (outline.sync_seconds, SYNC_FLOOR_SECONDS, "replication"),
    ):
        if written and 0 <= written.value < floor:
            message = f"a push waits as for a {what} of {floor:g} s at least, not of {written.value:g} s"
            yield Finding(written.loc, message, f"write {floor:g} or more; shorter times count in a lab alone")


RULES: dict[str, Rule] = {
    "GEO109": empty_value,
    "GEO205": address_used_twice,
    "GEO206": master_is_slave,
    "GEO207": api_used_twice,
    "GEO305": name_used_twice,
    "GEO401": site_without_units,
    "GEO402": site_of_both_kinds,
    "GEO403": site_in_two_groups,
    "GEO404": site_in_no_group,
    "GEO405": unknown_site_in_group,
    "GEO406": group_without_sites,
    "GEO407": cluster_name_used_twice,
    "GEO408": too_many_sites,
    "GEO501": firmware_differs_in_pair,
    "GEO502": partner_secret_in_some_units,
    "GEO503": pair_mixes_families,
    "GEO504": group_mixes_families,
    "GEO505": nat_on_pair,
    "GEO506": rules_ha.no_elastic_ip,
    "GEO507": rules_ha.single_subnet,
    "GEO508": time_below_floor,
    "GEO701": rules_ha.service_on_health_check_port,
    "GEO702": rules_ha.service_on_sync_port,
    "GEO703": rules_ha.service_on_ssh_port,
    "GEO704": rules_ha.tls_without_certificate,
    "GEO705": rules_ha.internal_with_elastic_ip,
    "GEO706": rules_ha.listeners_clash,
    "GEO707": rules_ha.certificate_without_tls,
    "GEO708": rules_ha.aws_id_used_twice,
    "GEO709": rules_ha.certificate_of_another_region,
    "GEO710": rules_ha.target_does_not_fit,
    "GEO711": rules_ha.target_on_port_of_ha,
}


def broken_rules(outline: PartialTopology) -> Iterator[tuple[str, Finding]]:
    """Yield every finding of every rule, with its code."""
    for code, rule in RULES.items():
        for finding in rule(outline):
            yield code, finding


def require_well_formed(topology: Topology) -> None:
    """Raise :class:`geoplan.InvalidInputError` with every broken rule of a topology, warnings aside."""
    found = broken_rules(partial_topology(topology.model_dump(exclude_unset=True, exclude_none=True)))
    errors = [
        Diagnostic(topology.name, code, Severity.ERROR, finding.message, finding.hint, where=spell(finding.loc))
        for code, finding in found
        if CODES[code].severity is Severity.ERROR
    ]
    if errors:
        raise InvalidInputError(f"the topology '{topology.name}' breaks the rules: {errors[0].message}", errors)


def spell(loc: Loc) -> str:
    """Write the way to a value as people do: ``sites[0].ha_pair.master``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def _addresses_of_units(outline: PartialTopology) -> Iterator[tuple[str, WrittenAddress]]:
    """Yield each address of each unit with what the unit is; a slave that repeats its master is left out."""
    for site in outline.sites:
        repeated = _slave_like_master(site)
        for unit in site.units:
            label = site.label if unit.role == "standalone" else f"the {unit.role} of {site.label}"
            yield from ((label, written) for written in unit.addresses if written is not repeated)


def _slave_like_master(site: PartialSite) -> WrittenAddress | None:
    """Return the slave's address where the master has it too."""
    own = {unit.role: unit.address for unit in site.units if unit.address}
    master, slave = own.get("master"), own.get("slave")
    return slave if master and slave and master.address == slave.address else None


def _second_use(written: WrittenAddress, first_user: str, first_text: str) -> Finding:
    spelling = "" if first_text == written.text else f", written {first_text}"
    message = f"the address {written.text} is used twice: {first_user} has it already{spelling}"
    return Finding(written.loc, message, "give each unit its own address, and name it once")


def _same_names(kind: str, names: Iterable[Text], *, at_key: bool = False) -> Iterator[Finding]:
    seen: dict[str, Text] = {}
    for name in names:
        first = seen.setdefault(folded(name.text), name)
        if first is not name:
            message = f"the name '{name.text}' is used twice: another {kind} is called '{first.text}'"
            yield Finding(name.loc, message, f"give each {kind} a name that differs in more than case", at_key)
