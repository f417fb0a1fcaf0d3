"""``geoplan push --undo``: which push is taken back, what it says of that before, and what of it stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.cli.connection import NO_CHANGE
from geoplan.cli.options import WHOLE
from geoplan.errors import PushRefusedError
from geoplan.plan.actions import ACTIONS
from geoplan.push.history import number_in
from geoplan.push.undoing import LAST, find_push, undoing
from geoplan.wording import local_time, shown, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.cli.connection import ConnectionOptions, TypedCommands
    from geoplan.push.store import Store
    from geoplan.push.undoing import Undoing
    from geoplan.topology.model import Topology


def taken_back(
    topology: Topology, store: Store, reach: ConnectionOptions, named: str | None, *, resume: bool
) -> Undoing | None:
    """Return what takes the push of that name back, or goes on with taking one back; None for any other push.

    Raises :class:`PushRefusedError` where there is no such push, it is of more groups than are meant, or nothing says
    where one of its units answers.
    """
    unfinished = store.past().unfinished if resume else None
    if unfinished and unfinished.begin.undoes and unfinished.rotation is None:  # that has a way back of its own
        named = unfinished.begin.undoes
    if named is None:
        return None
    if resume and unfinished is None:
        raise PushRefusedError(
            "there is no unfinished push to resume; nothing was changed", hint="take a push back without --resume"
        )
    found = undoing(find_push(store, named))
    number = found.history.number
    own = {canonical(unit.address) for site in topology.sites for unit in site.units}
    if topology.whole is not topology and (others := [each for each in found.units if canonical(each) not in own]):
        raise PushRefusedError(
            f"push {number} was of {found.history.plan.scope}, and --group leaves out {some_of(others)}; "
            "nothing was changed",
            hint="leave --group out: a push is taken back as a whole",
        )
    if missing := [address for address in found.unreached(topology) if not reach.names(address)]:
        raise PushRefusedError(
            f"neither '{topology.name}' nor the journal of push {number} says where the APIs of "
            f"{some_of(missing)} are; nothing was changed",
            hint="name these units in an --endpoints file, or give a topology that has them",
        )
    return found


def command_of(typed: TypedCommands) -> str:
    """Return the command that takes the last push back, which it does as a whole."""
    whole = replace(typed, part=WHOLE, phase=None, change=NO_CHANGE, unfinished=None)
    return whole("push", "--undo")


def require_unrepeated(store: Store, named: str | None) -> None:
    """Check that it is not the last push that is meant after one that took one back: it would be the one before.

    For whoever is not asked. Raises :class:`PushRefusedError`.
    """
    if named != LAST:
        return
    done = [each for each in store.histories() if each.has_changes and each.drill is None and each.rotation is None]
    if not (done and done[-1].begin.undoes and done[-1].is_finished):
        return
    next_one = find_push(store, LAST).number
    raise PushRefusedError(
        f"push {done[-1].number}, the last one, took push {number_in(done[-1].begin.undoes)} back already; nothing was "
        "changed",
        hint=f"to take back push {next_one} as well, which was before it, name it: --undo {next_one}",
    )


def title_of(found: Undoing) -> str:
    """Return which push is taken back, in a line."""
    history = found.history
    begin = history.begin
    of = f" of '{history.topology}'" + (f" ({begin.file})" if begin.file else "")
    began = f"begun by {begin.who} at {local_time(begin.at)}"
    return shown(f"takes back push {history.number}{of}, {began}, which ended as: {history.outcome}")


def plan_lines(found: Undoing) -> Iterator[str]:
    """Yield what is done to take a push back, for whoever reviews that, and what stays."""
    for step in found.plan.steps:
        yield shown(f"  {step.number}. {ACTIONS[step.action].sentence} {step.site}")
    for line in found.left:
        yield shown(f"not taken back: {line}")
    yield f"plan {found.plan.checksum}"


def as_plain(found: Undoing) -> dict[str, object]:
    """Return the same as JSON holds it, with the whole plan."""
    return {
        "push": found.history.number,
        "journal": str(found.history.path),
        "topology": found.history.topology,
        "began": found.history.begin.at.isoformat(),
        "who": found.history.begin.who,
        "outcome": found.history.outcome,
        "left": list(found.left),
        "checksum": found.plan.checksum,
        "plan": found.plan.model_dump(mode="json", include=set(found.plan.written_fields)),
    }
