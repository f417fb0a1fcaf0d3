"""What somebody approved: a plan, how it is to be carried out, and the state of the units that it was approved for.

``geoplan plan --live`` writes one from what the checks before a push find, and a push compares it with what it finds
itself. Who is active, colours and times are no part of it: a failover in between changes nothing that was approved.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from geoplan.addresses import canonical
from geoplan.live.findings.clusters import addresses_of
from geoplan.live.findings.pairs import ALL_INTERFACES, PREFERRED_SERVER
from geoplan.live.model import LIST_NAMES, SUBJECTS
from geoplan.plan.model import Plan, Role
from geoplan.push.options import RebootMode
from geoplan.push.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.live.model import GeoCluster, Observation, Observations
    from geoplan.plan.model import SiteSettings
    from geoplan.push.listener import Found
    from geoplan.push.options import Options
    from geoplan.push.preflight import PreflightResult

FORMAT: Literal["geoplan/approval/1"] = "geoplan/approval/1"
AGAIN = "approve it anew with geoplan plan --live"
UNTOLD = "not told"

_GEO_NAMES = {**{str(subject): name for subject, name in LIST_NAMES.items()}, "clusters": "clusters"}
_HA_NAMES = {
    "mode": "HA mode",
    "partner": "HA partner",
    "health_check_port": "health check port",
    "prefers_master": PREFERRED_SERVER,
    "all_interfaces": ALL_INTERFACES,
}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Flags(_Strict):
    """The options of a push that change what it does."""

    reboot: Literal["changed", "always", "never"]
    reboot_sites: tuple[str, ...]
    parallel_groups: bool
    remove_unknown: bool
    accept_geo_merge: bool
    accept_fqdn_loss: bool = False

    @classmethod
    def of(cls, options: Options) -> Self:
        """Return the flags of a push; a pair that is named twice, or in another order, is the same."""
        given = {name: getattr(options, name) for name in cls.model_fields}
        sites = tuple(sorted(set(options.reboot_sites)))
        return cls(**{**given, "reboot": options.reboot.value, "reboot_sites": sites})

    @property
    def as_written(self) -> tuple[str, ...]:
        """The options as somebody types them."""
        words = [] if self.reboot == RebootMode.CHANGED.value else ["--reboot", self.reboot]
        for site in self.reboot_sites:
            words += ["--reboot", f"always={site}"]
        words += ["--parallel-groups"] if self.parallel_groups else []
        words += ["--remove-unknown"] if self.remove_unknown else []
        words += ["--accept-geo-merge"] if self.accept_geo_merge else []
        words += ["--accept-fqdn-loss"] if self.accept_fqdn_loss else []
        return tuple(words)


class FoundCluster(_Strict):
    """A GEO cluster that a unit has; the location is in degrees."""

    address: str
    name: str
    type: str
    latitude: float | None
    longitude: float | None

    def __str__(self) -> str:
        place = "" if self.latitude is None else f" at {self.latitude:g}, {self.longitude or 0:g}"
        return f"'{self.name}' ({self.address}, {self.type}{place})"


class FoundHa(_Strict):
    """The HA parameters of a unit; what its platform does not tell is nothing."""

    mode: str | None
    partner: str | None
    health_check_port: int | None
    prefers_master: bool | None
    all_interfaces: bool | None


class FoundGeo(_Strict):
    """The two lists and the clusters that a unit has, sorted; what it did not tell is nothing.

    Addresses of one's own pair are shown as the master's: HA puts that of the active unit in its place.
    """

    remote_geo_access: tuple[str, ...] | None
    geo_partners: tuple[str, ...] | None
    clusters: tuple[FoundCluster, ...] | None


class FoundUnit(_Strict):
    """One unit. Nothing is known of one that answers no reads, as some standbys do."""

    address: str
    role: Role
    is_read: bool
    firmware: str | None
    ha: FoundHa | None
    geo: FoundGeo | None = Field(description="What it has that is not its site's; nothing where that is the same.")


class FoundSite(_Strict):
    """A site. A pair that does not work yet has no configuration of its own, but each of its units has one."""

    name: str
    geo: FoundGeo | None = Field(description="What the unit has that takes settings, whichever that is.")
    units: tuple[FoundUnit, ...]


class Approval(_Strict):
    """A plan that was approved together with all that a push of it depends on."""

    model_config = ConfigDict(title="geoplan approval")

    format: Literal["geoplan/approval/1"] = FORMAT
    checksum: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="SHA-256 of all else, in compact JSON with sorted keys; the plan counts by its own checksum.",
    )
    plan: Plan
    flags: Flags
    reboots: tuple[str, ...] = Field(description="The pairs that it reboots, in order.")
    forms: tuple[str, ...] = Field(description="The pairs that it forms of single units.")
    state: tuple[FoundSite, ...]

    @classmethod
    def of(cls, plan: Plan, options: Options, facts: Observations, verdict: PreflightResult) -> Self:
        """Return what approves a push of what was found."""
        content: dict[str, Any] = {
            "plan": plan,
            "flags": Flags.of(options),
            "reboots": verdict.reboots,
            "forms": verdict.forms,
            "state": tuple(_site(plan, site, facts) for site in plan.sites),
        }
        unchecked = cls.model_construct(format=FORMAT, checksum="", **content)
        return cls(checksum=unchecked.compute_checksum(), **content)

    def compute_checksum(self) -> str:
        """Return what ``checksum`` has to be."""
        content = self.model_dump(mode="json", exclude={"checksum", "plan"}) | {"plan": self.plan.checksum}
        compact = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(compact.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the content of the file."""
        content = self.model_dump(mode="json", exclude={"plan"})
        content["plan"] = self.plan.model_dump(mode="json", include=set(self.plan.written_fields))
        return json.dumps({key: content[key] for key in type(self).model_fields}, ensure_ascii=False, indent=2) + "\n"

    @model_validator(mode="after")
    def _checksum_fits(self) -> Self:
        if self.checksum != self.compute_checksum():
            raise PydanticCustomError("approval_checksum", "its checksum does not fit its content: it was changed")
        return self


@dataclass(frozen=True)
class Review:
    """What a push was approved by, to be held against what it finds."""

    approval: Approval | None = None
    checksum: str | None = None
    """Of a plan, or of an approval: a checksum tells which only by fitting."""

    def objections(self, plan: Plan, found: Found) -> tuple[Problem, ...]:
        """Return what is now otherwise than approved; a push that finds nothing to do needs no approval."""
        if self.approval is None and self.checksum in (None, plan.checksum):
            return ()
        now = Approval.of(plan, found.options, found.facts, found.verdict)
        problems: list[Problem] = []
        if self.approval and not (found.before.is_in_place and not now.reboots and not now.forms):
            problems += _differences(self.approval, now, found.facts)
        if self.checksum not in (None, plan.checksum, now.checksum):
            message = (
                f"{self.checksum} is neither the plan's checksum ({plan.checksum}) nor that of an approval of this"
            )
            hint = f"{AGAIN}; where Ansible pushes, review the plan and export it anew with geoplan export ansible"
            problems.append(Problem(plan.topology, message, hint))
        return tuple(problems)


def _differences(approved: Approval, now: Approval, facts: Observations) -> Iterator[Problem]:
    """Yield what is now otherwise than it was approved, each with where it is, the approved and the present value."""
    where = now.plan.topology
    if approved.plan.checksum != now.plan.checksum:
        yield _changed(where, "plan", approved.plan.checksum, now.plan.checksum)
        return  # another plan may have other sites
    if approved.flags != now.flags:
        yield _changed(where, "options", *(" ".join(each.flags.as_written) or "none" for each in (approved, now)))
    for name, one, other in (
        ("masters to reboot", approved.reboots, now.reboots),
        ("pairs to form", approved.forms, now.forms),
    ):
        if one != other:
            yield _changed(where, name, _shown(one), _shown(other))
    for before, after in zip(approved.state, now.state, strict=True):
        yield from _site_differences(before, after, facts)


def _site_differences(approved: FoundSite, now: FoundSite, facts: Observations) -> Iterator[Problem]:
    if (approved.geo is None) != (now.geo is None):
        words = {True: "not exactly one unit took settings", False: "one unit took settings"}
        yield _changed(now.name, "state", words[approved.geo is None], words[now.geo is None])
        return
    if approved.geo and now.geo:
        active = facts.active(now.name)
        yield from _geo_differences(active.address if active else now.name, approved.geo, now.geo)
    for one, other in zip(approved.units, now.units, strict=True):
        if one.is_read and other.is_read:
            yield from _unit_differences(one, other, approved.geo, now.geo)
        elif one.is_read != other.is_read and not any(unit.is_read for unit in now.units):
            words = {True: "was read", False: "could not be read"}
            yield _changed(other.address, "unit", words[one.is_read], words[other.is_read])


def _unit_differences(
    approved: FoundUnit, now: FoundUnit, approved_site: FoundGeo | None, now_site: FoundGeo | None
) -> Iterator[Problem]:
    if approved.firmware != now.firmware:
        yield _changed(now.address, "firmware", approved.firmware or UNTOLD, now.firmware or UNTOLD)
    if (approved.ha is None) != (now.ha is None):
        words = {True: UNTOLD, False: "told"}
        yield _changed(now.address, "HA parameters", words[approved.ha is None], words[now.ha is None])
    elif approved.ha and now.ha:
        for field, name in _HA_NAMES.items():
            one, other = getattr(approved.ha, field), getattr(now.ha, field)
            if one != other:
                yield _changed(now.address, name, _shown(one), _shown(other))
    if approved.geo or now.geo:  # else each has what its site has
        yield from _geo_differences(now.address, _over(approved.geo, approved_site), _over(now.geo, now_site))


def _geo_differences(where: str, approved: FoundGeo, now: FoundGeo) -> Iterator[Problem]:
    for field, name in _GEO_NAMES.items():
        one, other = getattr(approved, field), getattr(now, field)
        if one != other:
            yield _changed(where, name, _shown(one), _shown(other))


def _over(own: FoundGeo | None, shared: FoundGeo | None) -> FoundGeo:
    """Return what a unit has: its own where that is told, else what its site has."""
    told = {
        field: next((value for geo in (own, shared) if geo and (value := getattr(geo, field)) is not None), None)
        for field in _GEO_NAMES
    }
    return FoundGeo(**told)


def _changed(where: str, what: str, approved: str, now: str) -> Problem:
    return Problem(where, f"{what}: approved with {approved}, now {now}")


def _shown(value: object) -> str:
    if value is None:
        return UNTOLD
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


# -- the state of the units, as far as it is approved ------------------------------------------------------------------


def _site(plan: Plan, site: SiteSettings, facts: Observations) -> FoundSite:
    active = facts.active(site.name)
    shared = _geo(plan, site, active) if active else None
    units = tuple(_unit(plan, site, unit, shared, is_active=unit is active) for unit in facts.of_site(site.name))
    return FoundSite(name=site.name, geo=shared, units=units)


def _unit(plan: Plan, site: SiteSettings, unit: Observation, shared: FoundGeo | None, *, is_active: bool) -> FoundUnit:
    own = None if is_active else _geo(plan, site, unit)
    if own and shared:  # only what it tells otherwise: which unit of a pair tells what depends on who is active
        other = {
            field: value
            for field in _GEO_NAMES
            if (value := getattr(own, field)) is not None and value != getattr(shared, field)
        }
        own = FoundGeo(**{**dict.fromkeys(_GEO_NAMES), **other}) if other else None
    return FoundUnit(
        address=unit.address,
        role=unit.role,
        is_read=unit.failure is None,
        firmware=unit.firmware,
        ha=_ha(unit),
        geo=own,
    )


def _ha(unit: Observation) -> FoundHa | None:
    if unit.ha is None:
        return None
    partner = None if unit.ha.partner is None else canonical(unit.ha.partner)
    told = asdict(replace(unit.ha, partner=partner))
    return FoundHa(**{name: told[name] for name in FoundHa.model_fields})


def _geo(plan: Plan, site: SiteSettings, unit: Observation) -> FoundGeo:
    own = {
        canonical(address): canonical(site.units[0].address)
        for planned in site.units
        for address in (planned.address, planned.nat_address)
        if address
    }
    lists = {subject: _sorted(getattr(unit, subject), own) for subject in SUBJECTS}
    clusters = None if unit.clusters is None else _clusters(plan, unit.clusters)
    return FoundGeo(**lists, clusters=clusters)


def _sorted(addresses: tuple[str, ...] | None, own: Mapping[str, str]) -> tuple[str, ...] | None:
    if addresses is None:
        return None
    return tuple(sorted({own.get(address, address) for address in map(canonical, addresses)}))


def _clusters(plan: Plan, live: tuple[GeoCluster, ...]) -> tuple[FoundCluster, ...]:
    """Return clusters, sorted; a pair's by the address that the plan gives it, whichever of its units is active."""
    planned = {
        address: canonical(cluster.address) for cluster in plan.clusters for address in addresses_of(plan, cluster)
    }
    known = [(planned.get(canonical(cluster.address), canonical(cluster.address)), cluster) for cluster in live]
    found = [FoundCluster.model_validate({**cluster.definition, "address": address}) for address, cluster in known]
    return tuple(sorted(found, key=lambda cluster: (cluster.address, cluster.name, cluster.type)))
