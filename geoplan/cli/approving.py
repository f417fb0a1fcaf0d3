"""Approvals as commands make and take them: a plan alone, or bound to flags and to what was found."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import click

from geoplan.cli.connection import live_fleet
from geoplan.cli.files import read_text, what_is_wrong, write
from geoplan.cli.push_question import change_lines
from geoplan.cli.push_units import accesses_of, push_store
from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.live.polling import SystemClock
from geoplan.plan.model import Phase, Plan
from geoplan.push.approval import FORMAT, Approval, Flags, Review
from geoplan.push.listener import Found, PushListener
from geoplan.push.run import run_push
from geoplan.push.store import addresses_of
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from geoplan.cli.connection import TypedCommands
    from geoplan.cli.files import OldState
    from geoplan.push.options import Options
    from geoplan.topology.model import Topology

CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")


# -- made: geoplan plan --live -----------------------------------------------------------------------------------------


def write_approval(  # noqa: PLR0913 - what is approved, and where that goes
    topology: Topology,
    plan: Plan,
    options: Options,
    typed: TypedCommands,
    *,
    output: str | None,
    old: OldState | None = None,
) -> int:
    """Ask all units as a push does, and write what approves the push that would follow; return the exit code.

    Raises :class:`PushRefusedError` where anything blocks that push: then there is nothing to approve.
    """
    found = asyncio.run(_look(topology, plan, options, typed, old))
    approval = Approval.of(plan, options, found.facts, found.verdict)
    for line in change_lines(plan, found, diff=typed("diff")):
        click.echo(line, err=True)
    write(approval.to_json(), output)
    click.echo(f"approval {approval.checksum}", err=True)
    if output not in (None, "-"):
        pushing = _push(replace(typed, phase=_phase(plan)), approval.flags, "--plan", str(output))
        click.echo(f"push with: {pushing}", err=True)
    return 0


async def _look(topology: Topology, plan: Plan, options: Options, typed: TypedCommands, old: OldState | None) -> Found:
    listener, reach = _Approving(typed), typed.reach
    accesses, is_lab = accesses_of(topology, plan, reach, old), reach.lab_id() is not None
    async with live_fleet(plan, accesses, SystemClock(), jobs=options.jobs, is_lab=is_lab) as fleet:
        store = push_store(topology, reach, typed.state_dir, units=addresses_of(plan))
        asked = replace(options, max_clusters=topology.limits.max_clusters, only_preflight=True)
        try:
            await run_push(fleet, asked, store, listener)
        except PushRefusedError as error:
            for problem in error.problems:
                click.echo(f"  {problem}", err=True)
            raise PushRefusedError(
                f"a push would be refused, so nothing can be approved: {error}", error.problems, hint=error.hint
            ) from None
    (found,) = listener.seen
    return found


class _Approving(PushListener):
    """Keeps what the checks found."""

    def __init__(self, typed: TypedCommands) -> None:
        self._typed = typed
        self.seen: list[Found] = []

    def typed(self, name: str, *words: str) -> str:
        return self._typed(name, *words)

    def objections(self, found: Found) -> tuple[()]:
        self.seen.append(found)
        return ()


# -- taken: geoplan push --plan, --checksum ----------------------------------------------------------------------------


def require_checksum(checksum: str | None) -> None:
    """Check that a checksum can be one. Raises :class:`click.BadParameter`."""
    if checksum is not None and not CHECKSUM.fullmatch(checksum):
        raise click.BadParameter(
            f"'{checksum}' is no checksum: write sha256: and 64 hexadecimal digits", param_hint="'--checksum'"
        )


class Named(NamedTuple):
    """What somebody reviewed: the plan or approval of ``--plan``, as it was read, and ``--checksum``."""

    plan_file: str | None = None
    content: Approval | Plan | None = None
    checksum: str | None = None

    @classmethod
    def read(cls, plan_file: str | None, checksum: str | None) -> Named:
        """Read what is named. Raises :class:`UnusableFileError` for a file that is neither."""
        require_checksum(checksum)
        return cls(plan_file, None if plan_file is None else _read(plan_file), checksum)

    def is_plan(self, plan: Plan) -> bool:
        """Return whether a plan is what was reviewed."""
        content = self.content.plan if isinstance(self.content, Approval) else self.content
        return plan.checksum in (self.checksum, content.checksum if content else None)


def review_of(plan: Plan, options: Options, typed: TypedCommands, *, named: Named, resume: bool) -> Review:
    """Return what the push is to be held against once its units have been asked.

    Raises :class:`PushRefusedError` for what can be told without them: another plan, or flags that were not approved.
    """
    plan_file, reviewed, checksum = named
    flags, typed = Flags.of(options), replace(typed, phase=_phase(plan))
    if isinstance(reviewed, Approval):
        if resume:
            raise click.UsageError(
                "--resume goes on with what was approved when the push began: leave the approval out of --plan"
            )
        _require_plan(plan, reviewed.plan)
        if flags != reviewed.flags:
            given, approved = (shell_command(*each.as_written) or "none" for each in (flags, reviewed.flags))
            fitting = _push(typed, reviewed.flags, "--plan", str(plan_file))
            raise PushRefusedError(
                f"the options of this push are not the approved ones: given {given}, approved {approved}; "
                "nothing was changed",
                hint=f"what was approved is: {fitting}",
            )
        return Review(reviewed, checksum)
    if reviewed:
        _require_plan(plan, reviewed)
    if (reviewed or checksum == plan.checksum) and flags.as_written:
        option = "--plan" if reviewed else "--checksum"
        approve = typed("plan", "--live", *flags.as_written, "-o", "approved.json")
        raise PushRefusedError(
            f"the plan that {option} names does not approve {shell_command(*flags.as_written)}; nothing was changed",
            hint=f"approve plan and options together: {approve}",
        )
    return Review(None, checksum)


def _require_plan(plan: Plan, reviewed: Plan) -> None:
    """Refuse a plan that is another one than was reviewed."""
    if plan.checksum == reviewed.checksum:
        return
    hint = "review the plan again; nothing was changed"
    if [group.name for group in reviewed.groups] != [group.name for group in plan.groups]:
        hint = f"the reviewed plan is one of {reviewed.scope}, and this one of {plan.scope}"
    elif plan.phases() != reviewed.phases():
        hint = f"the reviewed plan is one of --phase {_phase(reviewed)}, and this one of --phase {_phase(plan)}"
    raise PushRefusedError(
        f"the topology now gives another plan than the reviewed one: {plan.checksum} in place of {reviewed.checksum}",
        hint=hint,
    )


def _read(path: str) -> Approval | Plan:
    """Read a plan or an approval; the file says which it is."""
    text = read_text(path)
    try:
        content = json.loads(text)
        is_approval = isinstance(content, dict) and content.get("format") == FORMAT
        return Approval.model_validate_json(text) if is_approval else Plan.model_validate_json(text)
    except (ValueError, RecursionError) as error:
        raise UnusableFileError(
            f"{path} is not a usable plan or approval: {what_is_wrong(error)}",
            hint="make a plan with geoplan plan --format json, an approval with geoplan plan --live",
        ) from None


def _push(typed: TypedCommands, flags: Flags, *more: str) -> str:
    return typed("push", *flags.as_written, *more)


def _phase(plan: Plan) -> str:
    return "all" if len(plan.phases()) > 1 else next(iter(plan.phases()), Phase.GEO).value
