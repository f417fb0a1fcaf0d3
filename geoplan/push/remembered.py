"""The topology that a push brought about last on each unit: so that a site that leaves the file is not forgotten.

Each is kept as a topology file, with a small record beside it that names its units, by the keys that locks and debts go
by. A unit's last record says what is known of it: that the topology was brought about there, or that it has left.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical
from geoplan.errors import GeoplanError, UnusableFileError
from geoplan.files import read_bounded, sync_folder, write_private
from geoplan.live.findings.kinds import Finding, FindingKind, Severity
from geoplan.plan.planner import make_plan, usual_phases
from geoplan.push.state_dir import make_own, require_own, usable
from geoplan.topology.loader import load_topology
from geoplan.topology.slugs import slugs_of
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from geoplan.live.findings.kinds import Command
    from geoplan.plan.model import Plan
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology

FORMAT = "geoplan/remembered/1"
SUFFIX = ".json"
MAX_BYTES = 16 * 2**20
MAX_SLUG = 40


@dataclass(frozen=True, slots=True)
class Remembered:
    """A topology that was brought about, and on which units."""

    path: Path
    """Its file, which ``--from`` takes."""
    keys: Mapping[str, str]
    """The keys of its units, by their addresses."""
    left: frozenset[str]
    """The keys of units that left with it."""
    alone: frozenset[str] = frozenset()
    """The keys of units that left and were left alone, since they did not answer: what they hold is as before."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A site that was brought about with some of the units at hand, and stands in their file no more."""

    site: str
    units: tuple[str, ...]
    """Its units that are in no site now."""
    path: Path
    """The topology that still has it."""
    is_left_alone: bool = False
    """Whether it was taken out of its group while it did not answer, so that it still has its old lists."""


def remember(store: Store, topology: Topology, left: Iterable[str] = (), alone: Iterable[str] = ()) -> Path:
    """Write down that a topology was brought about on the units of a store, and that the units ``left`` have left it.

    ``alone`` are units that left without an answer: what they hold is what they were pushed to before, and that stays
    written down. It is whole on disk when this returns, or not there. Raises :class:`UnusableFileError` where it cannot
    be written. Units are given by keys as of :func:`geoplan.push.store.unit_keys`.
    """
    silent = frozenset(alone)
    folder = _folder(store.state)
    with usable(store.state, "the topology that was pushed", "it is kept for --from alone: the push itself is done"):
        make_own(store.state)
        make_own(folder)
        number = 1 + max((int(path.name[:6]) for path in folder.glob("[0-9]" * 6 + "-*")), default=0)
        (slug,) = slugs_of([topology.name]).values()
        path = folder / f"{number:06d}-{slug[:MAX_SLUG]}.yaml"
        content = topology.model_dump(mode="json", exclude_none=True)
        # JSON is YAML 1.2, and leaves no doubt of what is a text.
        write_private(path, json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
        units = {address: key for address, key in store.keys.items() if key not in silent}
        still = _left_alone(_records(store.state)) - {*units.values(), *left}
        record = {"format": FORMAT, "units": units, "left": sorted(left), "alone": sorted(silent | still)}
        partial = path.with_suffix(".partial")
        write_private(partial, json.dumps(record).encode())
        partial.rename(path.with_suffix(SUFFIX))
        sync_folder(folder)
        with suppress(OSError):  # the next one does it
            _forget(folder)
    return path


def units_out_of_sites(plan: Plan) -> tuple[str, ...]:
    """Return the units that a change takes out of sites which go on: in no site of the plan, they have left with it."""
    old = plan.change.old_sites if plan.change else ()
    now = {canonical(unit.address) for site in plan.sites for unit in site.units}
    return tuple(unit.address for site in old for unit in site.units if canonical(unit.address) not in now)


def last_brought_about(store: Store) -> Plan | None:
    """Return the plan of the topology that was brought about last on any of a store's units; None where none is known.

    It has the phases that a push of its file has without ``--phase``.
    """
    for record in reversed(_records(store.state)):
        if not set(record.keys.values()).isdisjoint(store.keys.values()):
            topology = load_topology(record.path)
            return make_plan(topology, usual_phases(topology))
    return None


def gone(store: Store) -> tuple[Gone, ...]:
    """Return the sites that were brought about in a group with units of a store, and are in its topology no more."""
    with suppress(GeoplanError):  # a memory that cannot be read is none: what it is for is a reminder
        return tuple(_gone(store))
    return ()


def left_alone(store: Store) -> tuple[Gone, ...]:
    """Return the sites that left while they did not answer, and hold what they held before, wherever they are now."""
    return tuple(each for each in gone(store) if each.is_left_alone)


def gone_findings(store: Store, command: Command) -> tuple[Finding, ...]:
    """Return a finding for each site that is in the file no more and was retired by nobody, with what retires it.

    ``command`` writes a command as it is typed.
    """
    return tuple(
        Finding(
            FindingKind.SITE_GONE,
            (each.site,),
            each.units,
            f"'{each.site}' ({', '.join(each.units)}) was pushed with these units before, and is not in the file now: "
            "its cluster, its list entries and its links stay on all units until it is retired",
            "if it still belongs to them, put it back into the file. If not, this RETIRES it, that is, unlinks it and "
            "deletes its cluster on all units that stay:",
            (command("push", "--from", str(each.path)),),
            severity=Severity.MENDING,
        )
        for each in gone(store)
        if not each.is_left_alone
    )


def back_finding(site: Gone, units: tuple[str, ...], command: Command) -> Finding:
    """Return the finding that something answers again at units of a site that left while they did not."""
    return Finding(
        FindingKind.LEAVER_BACK,
        (site.site,),
        units,
        f"'{site.site}' left while it did not answer, and something answers at {', '.join(units)} again: if that is "
        "it, it still has its old partners and access list, and answers DNS with its old GEO configuration",
        "let it leave as well; or, if another machine has that address now, forget it:",
        (command("push", "--from", str(site.path)), shell_command("rm", str(site.path))),
        severity=Severity.MENDING,
    )


def _gone(store: Store) -> Iterator[Gone]:
    here = set(store.keys.values())
    records = _records(store.state)
    last, alone = _last_of(records), _left_alone(records)
    for number, record in reversed(list(enumerate(records))):
        keys = {canonical(address): key for address, key in record.keys.items()}
        missing = {key for key in keys.values() if key not in here and last[key] == number}
        if not missing or here.isdisjoint(keys.values()):
            continue
        for group in load_topology(record.path).partner_groups():
            of_group = {keys.get(canonical(unit.address)) for site in group.sites for unit in site.units}
            for site in group.sites if of_group & here else ():
                units = tuple(unit.address for unit in site.units if keys.get(canonical(unit.address)) in missing)
                if units:
                    yield Gone(
                        site.name,
                        units,
                        record.path,
                        is_left_alone=alone.issuperset(keys[canonical(unit)] for unit in units),
                    )


def _left_alone(records: list[Remembered]) -> frozenset[str]:
    """Return the units that left without an answer, and of which nothing is known since."""
    last = _last_of(records)
    return frozenset(key for number, each in enumerate(records) for key in each.alone if last.get(key, number) < number)


def _last_of(records: list[Remembered]) -> dict[str, int]:
    """Return of each unit the number of the last record that names it."""
    return {key: number for number, each in enumerate(records) for key in {*each.keys.values(), *each.left}}


def _folder(state: Path) -> Path:
    return state / "topologies"


def _records(state: Path) -> list[Remembered]:
    """Return all that is remembered, the oldest first; what is damaged is passed over."""
    with usable(state):
        require_own(state)
        require_own(_folder(state))
        paths = sorted(_folder(state).glob("[0-9]" * 6 + f"-*{SUFFIX}"))
    return [record for path in paths if (record := _record(path))]


def _record(path: Path) -> Remembered | None:
    try:
        content: Any = json.loads(read_bounded(path, MAX_BYTES))
        is_known = content["format"] == FORMAT and path.with_suffix(".yaml").is_file()
        units, left = dict(content["units"]), frozenset(content["left"])
        alone = frozenset(content.get("alone", ()))
    except (UnusableFileError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return Remembered(path.with_suffix(".yaml"), units, left, alone) if is_known else None


def _forget(folder: Path) -> None:
    """Remove what is no unit's last record: the record first, so that none is ever without its topology."""
    records = _records(folder.parent)
    wanted: Collection[int] = set(_last_of(records).values())
    for number, record in enumerate(records):
        if number not in wanted:
            record.path.with_suffix(SUFFIX).unlink()
            record.path.unlink()
