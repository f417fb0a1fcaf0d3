"""The status as metrics, in the text format of Prometheus: gauges alone, of what one look has shown.

What a unit does not tell has no sample: it is neither zero nor what it was before. Labels come from the topology and
from fixed lists, but for the firmware; that is cut down to its numbers, and how many of them a unit may have is
limited, since each value is a time series that Prometheus keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.fact import FACTS, Fact
from geoplan.live.findings import Kind
from geoplan.live.findings.states import UnitState
from geoplan.vendor import parse_version
from geoplan.wording import shorten, shown_in_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import GaugeMetricFamily, Metric

    from geoplan.live.findings.kinds import Finding
    from geoplan.status.model import Count, Drift, Seen, SiteStatus, Status, UnitStatus

    Counts = Iterable[tuple[tuple[str, ...], Count | None]]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_LABEL = 200
MAX_VERSIONS = 8
"""Of the firmware of one unit; further ones are shown as :data:`OTHER_VERSION`."""
OTHER_VERSION = "other"
TAKES_SETTINGS = frozenset({UnitState.ACTIVE, UnitState.ALONE})
_UNIT = ("topology", "group", "site", "unit", "role")
_SITE = ("topology", "group", "site")


class Exporter:
    """Writes one look after the other as metrics."""

    def __init__(self) -> None:
        self._versions: dict[str, set[str]] = {}

    def text(self, seen: Seen) -> str:
        """Return all metrics of what was seen."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - few commands need it

        registry = CollectorRegistry()
        registry.register(_Collector([*self._metrics(seen), *_of_drift(seen.status, seen.drift)]))
        return generate_latest(registry).decode()

    def _metrics(self, seen: Seen) -> Iterator[Metric]:
        status = seen.status
        yield _gauge(
            "look_timestamp_seconds",
            "When the units were looked at last, in seconds since 1970.",
            ("topology",),
            [((status.topology,), status.at.timestamp())],
        )
        if seen.is_pushed is not None:
            yield _gauge(
                "push_running",
                "1 while a push, drill or upgrade of these units runs, as the locks on this machine say.",
                ("topology",),
                [((status.topology,), seen.is_pushed)],
            )
        yield _gauge(
            "findings",
            "How many findings there are, by their kind and how much they matter.",
            ("topology", "kind", "severity"),
            _counted(status, status.findings),
        )
        yield from _of_sites(status)
        yield from _of_units(status)
        yield _gauge(
            "unit_firmware_info",
            "The firmware of the unit, as its label says; always 1.",
            (*_UNIT, "firmware"),
            [
                ((*_labels(status, site, unit), self._version(unit.address, unit.firmware)), 1)
                for site, unit in _units(status)
                if unit.firmware is not None
            ],
        )

    def _version(self, address: str, told: str) -> str:
        version = ".".join(map(str, parse_version(told)))
        versions = self._versions.setdefault(address, set())
        if version not in versions and len(versions) >= MAX_VERSIONS:
            return OTHER_VERSION
        versions.add(version)
        return version


class _Collector:
    """What a registry of its own collects: these metrics, and none of the process."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_sites(status: Status) -> Iterator[Metric]:
    yield _gauge(
        "site_active_units",
        "How many units of the site take settings: one, if all is well; no sample while one does not tell its state. "
        + _row("ACTIVE_CODE"),
        _SITE,
        [
            ((status.topology, site.group, site.name), sum(unit.state in TAKES_SETTINGS for unit in site.units))
            for site in status.sites
            if all(unit.state is not UnitState.UNKNOWN for unit in site.units)
        ],
    )
    yield _gauge(
        "site_failed_over",
        "1 while the slave of the pair is active in place of the master.",
        _SITE,
        [
            ((status.topology, site.group, site.name), site.failed_over)
            for site in status.sites
            if site.kind == "ha_pair"
        ],
    )


def _of_units(status: Status) -> Iterator[Metric]:
    units = [(_labels(status, site, unit), unit) for site, unit in _units(status)]
    yield _gauge(
        "unit_up",
        "1 if the unit tells over its API all that it should, 0 if it does not; a standby may refuse reads.",
        _UNIT,
        [(labels, _tells(unit)) for labels, unit in units],
    )
    yield _gauge(
        "unit_state",
        "1 for the state that the unit is in, 0 for all others.",
        (*_UNIT, "state"),
        [((*labels, state.value), unit.state is state) for labels, unit in units for state in UnitState],
    )
    yield _gauge(
        "unit_state_age_seconds",
        "How long before the last look the unit was seen to change its state; no sample until it does.",
        _UNIT,
        [
            (labels, max(0.0, (status.at - unit.since).total_seconds()))
            for labels, unit in units
            if unit.since is not None
        ],
    )
    links = [(labels, unit.partners) for labels, unit in units]
    yield _good("unit_links_green", f"How many of its GEO partners the unit sees green. {_unknown_partners()}", links)
    yield _planned("unit_links_planned", "How many GEO partners the unit should have.", links)
    clusters = [(labels, unit.clusters) for labels, unit in units]
    yield _good("unit_clusters_in_place", "How many of the clusters of its group the unit has as planned.", clusters)
    yield _planned("unit_clusters_planned", f"How many clusters the unit should have. {_row('MAX_CLUSTERS')}", clusters)


def _good(name: str, meaning: str, counts: Counts) -> Metric:
    told = [(labels, count.good) for labels, count in counts if count is not None and count.good is not None]
    return _gauge(name, meaning, _UNIT, told)


def _planned(name: str, meaning: str, counts: Counts) -> Metric:
    return _gauge(name, meaning, _UNIT, [(labels, count.planned) for labels, count in counts if count is not None])


def _of_drift(status: Status, drift: Drift | None) -> Iterator[Metric]:
    if drift is None:
        return
    yield _gauge(
        "diff_timestamp_seconds",
        "When the units were compared with the plan last, in seconds since 1970.",
        ("topology",),
        [((status.topology,), drift.at.timestamp())],
    )
    yield _gauge(
        "diff_findings",
        "How many findings the last comparison with the plan had, by their kind and how much they matter.",
        ("topology", "kind", "severity"),
        _counted(status, drift.findings),
    )
    group_of = {site.name: site.group for site in status.sites}
    yield _gauge(
        "diff_differences",
        "In how many ways the site differed from the plan at the last comparison.",
        (*_SITE, "kind"),
        [
            (
                (status.topology, group_of[site.site], site.site, kind.value),
                sum(found.kind is kind for found in site.differences),
            )
            for site in drift.report.sites
            if site.site in group_of
            for kind in Kind
        ],
    )


def _tells(unit: UnitStatus) -> bool:
    return unit.failure is None and (not unit.unread or unit.state is UnitState.STANDBY)


def _counted(status: Status, findings: Iterable[Finding]) -> list[tuple[tuple[str, ...], float]]:
    counts: dict[tuple[str, ...], float] = {}
    for finding in findings:
        labels = (status.topology, finding.kind.value, finding.severity.value)
        counts[labels] = counts.get(labels, 0) + 1
    return list(counts.items())


def _units(status: Status) -> Iterator[tuple[SiteStatus, UnitStatus]]:
    return ((site, unit) for site in status.sites for unit in site.units)


def _labels(status: Status, site: SiteStatus, unit: UnitStatus) -> tuple[str, ...]:
    return status.topology, site.group, site.name, unit.address, unit.role


def _gauge(
    name: str, meaning: str, labels: tuple[str, ...], samples: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - few commands need it

    family = GaugeMetricFamily(f"geoplan_{name}", meaning, labels=labels)
    for values, value in samples:
        family.add_metric([shorten(shown_in_line(each), MAX_LABEL) for each in values], float(value))
    return family


def _unknown_partners() -> str:
    fact = _fact("UNKNOWN_PARTNER")
    return f"A partner whose status is {fact.shown} is not counted: nothing is known of it ({_source(fact)})."


def _row(name: str) -> str:
    """Return what the ledger has on a fact."""
    fact = _fact(name)
    return f"{fact.meaning}: {fact.shown} ({_source(fact)})."


def _fact(name: str) -> Fact:
    return next(each for each in FACTS if each.name == name)


def _source(fact: Fact) -> str:
    return fact.source if fact.confirmed else f"{fact.source}, not confirmed"
