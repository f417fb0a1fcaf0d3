"""A plan against recorded lists: the document's example, or what was copied from a web interface."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import PydanticCustomError

from geoplan.diagnostics import MAX_SHOWN, Diagnostic, Severity, ShownLine, presentable
from geoplan.errors import InvalidInputError
from geoplan.topology.types import parse_address
from geoplan.vendor import GEO_PARTNERS, REMOTE_GEO_ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geoplan.plan.model import Plan, SiteSettings

UNITS = "units"
LAYOUT = f"each site is its name, its units and the lines '{REMOTE_GEO_ACCESS}: …' and '{GEO_PARTNERS}: …'"

_LIST_LINE = re.compile(rf"(?i)({REMOTE_GEO_ACCESS}|{GEO_PARTNERS})\s*:(.*)")


class RecordedSite(NamedTuple):
    """A site as it was recorded."""

    name: str
    units: tuple[str, ...]
    remote_geo_access: tuple[str, ...]
    geo_partners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the plan and the record, in a sentence and as data.

    ``subject`` is what differs: one of the two lists, the units, or the site as a whole. ``missing`` stands in the
    plan alone, ``extra`` in the record alone.
    """

    site: str
    subject: str
    message: str
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.site}: {self.message}"


def read_recorded(text: str, path: str) -> tuple[RecordedSite, ...]:
    """Read lists in the layout of the example in section 5.4: for each site its name, its units, its two lists.

    Blank lines are passed over, and addresses may be separated by spaces or commas. Raises
    :class:`geoplan.InvalidInputError` with every line that does not fit.
    """
    reader = _RecordReader(path)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            reader.read_line(_Line(number, line))
    return reader.finish()


def compare(plan: Plan, recorded: Iterable[RecordedSite], *, ordered: bool = False) -> list[Difference]:
    """Return how recorded lists differ from the plan's, site by site, in the plan's order.

    Addresses are compared as sets, whatever their spelling; with ``ordered`` their order and that of the sites
    counts too.
    """
    by_name = {site.name: site for site in recorded}
    differences: list[Difference] = []
    for planned in plan.sites:
        record = by_name.get(planned.name)
        if record is None:
            differences.append(Difference(planned.name, "site", "the record does not have this site"))
        else:
            differences.extend(_site_differences(planned, record, ordered=ordered))
    planned_names = [site.name for site in plan.sites]
    differences.extend(
        Difference(name, "site", "the plan does not have this site")
        for name in by_name
        if name not in set(planned_names)
    )
    if ordered and not differences and list(by_name) != planned_names:
        differences.append(Difference(next(iter(by_name)), "site", "the record has the sites in another order"))
    return differences


def _site_differences(planned: SiteSettings, record: RecordedSite, *, ordered: bool) -> Iterator[Difference]:
    units = tuple(unit.address for unit in planned.units)
    yield from _list_differences(planned, UNITS, units, record.units, ordered=False)
    for subject, wanted, found in (
        (REMOTE_GEO_ACCESS, planned.remote_geo_access, record.remote_geo_access),
        (GEO_PARTNERS, planned.geo_partners, record.geo_partners),
    ):
        yield from _list_differences(planned, subject, wanted, found, ordered=ordered)


def _list_differences(
    planned: SiteSettings, subject: str, wanted: tuple[str, ...], found: tuple[str, ...], *, ordered: bool
) -> Iterator[Difference]:
    wanted_by_address = {parse_address(text): text for text in wanted}
    found_by_address = {parse_address(text): text for text in found}
    missing = tuple(text for address, text in wanted_by_address.items() if address not in found_by_address)
    extra = tuple(text for address, text in found_by_address.items() if address not in wanted_by_address)
    if missing or extra:
        message = _other_unit(planned, subject, missing, extra) or _missing_and_extra(subject, missing, extra)
        yield Difference(planned.name, subject, message, missing, extra)
    elif len(found) != len(found_by_address):
        yield Difference(planned.name, subject, f"the recorded {subject} names an address twice")
    elif ordered and list(wanted_by_address) != list(found_by_address):
        order = " ".join(wanted)
        yield Difference(planned.name, subject, f"the recorded {subject} has another order than the plan: {order}")


def _other_unit(planned: SiteSettings, subject: str, missing: tuple[str, ...], extra: tuple[str, ...]) -> str | None:
    """Say that a list names the pair's other unit, where that is the one difference."""
    if subject != REMOTE_GEO_ACCESS or planned.kind != "ha_pair" or len(missing) != 1 or len(extra) != 1:
        return None
    master, slave = (unit.address for unit in planned.units)
    if missing[0] != master or parse_address(extra[0]) != parse_address(slave):
        return None
    return (
        f"the recorded {subject} names {slave}, which the topology has as the slave, in place of the master "
        f"{master}: either the master is {slave}, or the record is wrong"
    )


def _missing_and_extra(subject: str, missing: tuple[str, ...], extra: tuple[str, ...]) -> str:
    whose, what = ("the record", "the unit ") if subject == UNITS else (f"the recorded {subject}", "")
    parts = []
    if missing:
        parts.append(f"lacks {what}{' '.join(missing)}")
    if extra:
        parts.append(f"has {what}{' '.join(extra)}, which the plan has not")
    return f"{whose} {' and '.join(parts)}"


class _Line(NamedTuple):
    number: int
    text: str


class _RecordReader:
    """Takes a record line by line and gathers what does not fit."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._faults: list[Diagnostic] = []
        self._sites: dict[str, RecordedSite] = {}
        self._name: str | None = None
        self._units: list[str] = []
        self._lists: dict[str, tuple[str, ...]] = {}
        self._last = _Line(1, "")
        self._shown: dict[int, ShownLine] = {}
        """The line that a fault was found in last."""

    def read_line(self, line: _Line) -> None:
        """Take one line that is not blank."""
        self._last = line
        found = _LIST_LINE.fullmatch(line.text.strip())
        if found and self._name is not None:
            self._take_list(found[1], line)
        elif self._name is None:
            self._name = line.text.strip()
        else:
            self._units.extend(self._addresses(line))

    def finish(self) -> tuple[RecordedSite, ...]:
        """Return all sites, or raise with every fault."""
        if self._name is not None:
            self._fault(
                "GEO602", f"the record of '{presentable(self._name)}' ends before both of its lists", self._last
            )
        if not self._sites and not self._faults:
            self._fault("GEO602", "the record is empty", self._last)
        if self._faults:
            raise self._unusable()
        return tuple(self._sites.values())

    def _unusable(self) -> InvalidInputError:
        return InvalidInputError(f"{self._path} is not a usable record", self._faults)

    def _take_list(self, label: str, line: _Line) -> None:
        key = next(known for known in (REMOTE_GEO_ACCESS, GEO_PARTNERS) if known.lower() == label.lower())
        if key in self._lists:
            self._fault("GEO602", f"'{presentable(self._name or '')}' has the list {key} twice", line)
        self._lists[key] = tuple(self._addresses(line, line.text.index(":") + 1))
        if len(self._lists) == 2:  # noqa: PLR2004 - both lists end a site
            self._end_site(line)

    def _end_site(self, line: _Line) -> None:
        name = self._name or ""
        if name in self._sites:
            self._fault("GEO602", f"the site '{presentable(name)}' is recorded twice", line)
        self._sites[name] = RecordedSite(
            name, tuple(self._units), self._lists[REMOTE_GEO_ACCESS], self._lists[GEO_PARTNERS]
        )
        self._name, self._units, self._lists = None, [], {}

    def _addresses(self, line: _Line, start: int = 0) -> Iterator[str]:
        """Yield the addresses of a line from an index on."""
        for word in re.compile(r"[^\s,]+").finditer(line.text, start):
            try:
                parse_address(word[0])
            except PydanticCustomError as error:
                context = error.context or {}
                self._fault("GEO601", context["message"], line, span=word.span(), hint=context["hint"])
            else:
                yield word[0]

    def _fault(
        self, code: str, message: str, line: _Line, *, span: tuple[int, int] | None = None, hint: str = LAYOUT
    ) -> None:
        text = line.text
        start, end = span or (len(text) - len(text.lstrip()), len(text.rstrip()))
        if line.number not in self._shown:
            self._shown = {line.number: ShownLine(text)}
        source, caret, width = self._shown[line.number].around(start, end)
        if len(self._faults) == MAX_SHOWN:
            code, message, hint = "GEO602", f"here is more than the {MAX_SHOWN:,}th fault: reading stopped", LAYOUT
        self._faults.append(
            Diagnostic(
                path=self._path,
                code=code,
                severity=Severity.ERROR,
                message=message,
                hint=hint,
                line=line.number,
                column=start + 1,
                source=source,
                caret=caret,
                width=width,
            )
        )
        if len(self._faults) > MAX_SHOWN:
            raise self._unusable()
