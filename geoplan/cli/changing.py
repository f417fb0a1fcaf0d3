"""Where a change starts: a topology or plan in a file, live units, or the journal of a change that is to go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

import click

from geoplan.addresses import canonical
from geoplan.cli.connection import NO_CHANGE
from geoplan.cli.files import OldState, load_old, planned_change
from geoplan.cli.importing import MAX_LISTED, Search, listed
from geoplan.errors import PushRefusedError
from geoplan.wording import count, local_time, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from geoplan.cli.connection import TypedCommands
    from geoplan.cli.options import ChangeOptions
    from geoplan.live.discover.before import Before
    from geoplan.live.discover.search import Discovery, Named
    from geoplan.loadmaster import UnitConnection
    from geoplan.plan.model import Plan
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology

AS_FILE = "live.yaml"


def start_of(topology: Topology, typed: TypedCommands, command: str) -> OldState | None:
    """Return where the change starts that ``typed`` names, or None where it names none; live units are asked.

    ``command`` is the one that asks, by its name: what a refusal says to type is that again. Raises
    :class:`PushRefusedError` where live units do not tell one topology, or may not all be asked.
    """
    if typed.change.old is None:
        return None
    return _live_state(topology, typed, command) if typed.change.is_live else load_old(typed.change.old)


def start_of_push(topology: Topology, typed: TypedCommands, *, goes_on: bool) -> OldState | None:
    """Return where the change of a push starts, as :func:`start_of` does; of one that ``goes_on`` where it started.

    Live units are then no more what they were, and its journal has it; they were confirmed when it began. Raises
    :class:`PushRefusedError` where the unfinished push is no change, where units that leave would be sent credentials
    although certificates are not checked, and where a push is unfinished that is not to go on: half-way, units tell no
    start.
    """
    if not typed.change.is_live:
        return start_of(topology, typed, "push")
    from geoplan.cli.push_units import push_store, typed_after

    store = push_store(topology, typed.reach, typed.state_dir)
    past = store.past()
    begun = past.unfinished
    if not goes_on:
        if begun is not None and not store.holder():
            began = f"the push that {begun.who} began at {local_time(begun.begin.at)}"
            raise PushRefusedError(
                f"--from live: {began} is unfinished, so units may be half-way; nothing was asked, and nothing changed",
                hint=f"go on with it: {typed_after(past, topology, typed).resuming()}\n"
                f"        or end it as it is: {replace(typed, change=NO_CHANGE)('push', '--abandon')}",
            )
        return start_of(topology, typed, "push")
    if begun is None:
        return None
    if begun.plan.change is None:
        raise PushRefusedError(
            "the unfinished push is no change; nothing was changed",
            hint=f"go on with it: {replace(typed, change=NO_CHANGE)('push', '--resume')}",
        )
    from geoplan.plan.change import older_plan

    if begun.plan.change.leaving and typed.reach.insecure:
        raise PushRefusedError(_INSECURE, hint="leave --insecure out; see --ca-file and geoplan trust")
    return OldState(older_plan(begun.plan), None, _usual_port(topology))


def with_what_is_due(plan: Plan, topology: Topology, old: OldState, change: ChangeOptions, store: Store) -> Plan:
    """Return the plan of a change with the reboots that earlier pushes on its units left due."""
    from geoplan.push.reboots import owed_to

    owing = owed_to(plan, store.past())
    return planned_change(topology, old, change, owing) if owing else plan


_INSECURE = (
    "--insecure: nothing is sent to units that others name, and sites that leave are such units; nothing was changed"
)


@dataclass
class _ChangeSearch(Search):
    """Asks the units of a topology, and of those that they name whoever may be linked with them."""

    own: Mapping[str, UnitConnection] = field(default_factory=dict)
    """How the topology's own units are reached, by their addresses in one spelling."""
    outside: frozenset[str] = frozenset()

    def allowed(self, named: Named) -> Collection[str]:
        """Return whom to ask of these; whoever stands in an access list alone is linked with nobody."""
        from geoplan.live.discover.search import belongs

        return super().allowed(
            {address: namings for address, namings in named.items() if belongs(namings) and address not in self.outside}
        )

    def _access(self, address: str) -> UnitConnection:
        return self.own.get(canonical(address)) or super()._access(address)


def _live_state(topology: Topology, typed: TypedCommands, command: str) -> OldState:
    from geoplan.live.discover.before import before_change, outside_of
    from geoplan.live.discover.search import discover
    from geoplan.plan.model import Phase
    from geoplan.plan.planner import make_plan

    change, reach, whole = typed.change, typed.reach, topology.whole
    if change.follow and reach.insecure:
        raise click.UsageError("--follow sends credentials to units that others name: leave --insecure out")
    own = {canonical(address): access for address, access in reach.accesses(whole).items()}
    search = _ChangeSearch(
        reach,
        _usual_port(topology),
        topology.health_check_port,
        follow=change.follow,
        within=change.within,
        known=frozenset(own),
        own=own,
        outside=outside_of(whole),
    )
    addresses = [unit.address for site in topology.sites for unit in site.units]
    found = asyncio.run(discover(search.clients, addresses, search.allowed))
    before = before_change(whole, found, search.ports(), replaced=change.replaced)
    if before.unasked:
        raise _not_asked(before, search, typed, command)
    if before.problems:
        raise _inconsistent(before, found, search, typed, command)
    if before.topology is None:
        raise PushRefusedError(
            f"no unit of '{topology.name}' has partners or a cluster of its own, so there is nothing to change",
            hint=f"it is a first push: {replace(typed, change=NO_CHANGE)(command)}",
        )
    return OldState(make_plan(before.topology, (Phase.GEO,)), before.topology)


def _usual_port(topology: Topology) -> int:
    """Return the port of the API of most units of a topology: on that its file's other units are looked for."""
    from geoplan.topology.api import apis_of

    return Counter(api.unit_port for api in apis_of(topology.whole).values()).most_common(1)[0][0]


def _not_asked(before: Before, search: Search, typed: TypedCommands, command: str) -> PushRefusedError:
    """Say which addresses were not asked, who names each, and what to type to have them asked as well."""
    unasked = before.unasked
    what = "so whether a site leaves there is not known; nothing was changed"
    lines = [f"--from live: {count(len(unasked), 'address')} found and not asked, {what}", *listed(unasked)]
    able = [address for address in unasked if search.reach.can_reach(address)]
    without = [address for address in able if not search.can_ask(address)]
    if search.reach.insecure:
        hint = "with --insecure nothing is sent to addresses that units name: leave it out"
    elif not able:
        hint = f"the lab serves none of them; give the older topology as a file: --from {AS_FILE}"
    elif without:
        hint = f"there are no credentials for {some_of(without)}: see --credentials"
    else:
        networks = (*typed.change.within, *(ip_network(address) for address in able[:MAX_LISTED]))
        wider = replace(typed, change=replace(typed.change, follow=True, within=networks))
        hint = f"if they are yours, have them asked as well: {wider(command)}"
    return PushRefusedError("\n".join(lines), hint=hint)


def _inconsistent(
    before: Before, found: Discovery, search: Search, typed: TypedCommands, command: str
) -> PushRefusedError:
    """Say what does not fit, and how to start from a file with what is there instead."""
    problems = before.problems
    lines = [f"  {problem}" for problem in problems[:MAX_LISTED]]
    lines += [f"  and {len(problems) - MAX_LISTED:,} more"] if len(problems) > MAX_LISTED else []
    told = f"--from live: units do not tell one topology without doubt ({count(len(problems), 'problem')})"
    first, *others = [unit.address for unit in found.units.values()][:MAX_LISTED]
    importing = search.reach.command("import", first, *others, "-o", AS_FILE)
    by_file = replace(typed, change=replace(typed.change, old=AS_FILE, follow=False, within=()))
    return PushRefusedError(
        "\n".join([f"{told}, and nothing was changed:", *lines]),
        hint="put that right on the units; or write down what is there, correct the file, and start from it:\n"
        f"        {importing}\n        {by_file(command)}",
    )
