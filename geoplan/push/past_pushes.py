"""What the journals of pushes on some units say: to people, and to a push that is to follow."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnusableFileError
from geoplan.live.findings.kinds import generic_command
from geoplan.plan.drill import drilled_site
from geoplan.push import records as models
from geoplan.push.kinds import kind_called, words_of_drill, words_of_kind
from geoplan.push.lock import WAIT
from geoplan.push.past_changes import change_lines, changes_of
from geoplan.push.problems import Problem
from geoplan.push.reboots import pairs_that_owe
from geoplan.push.rollback import as_lines, going_back, submitted_on_slaves
from geoplan.push.secret_progress import sites_that_differ
from geoplan.push.secret_status import as_plain_secrets, secret_lines
from geoplan.push.set_aside import generic_about, lines_of_left
from geoplan.push.summary import name_step, not_done
from geoplan.push.update_status import update_lines
from geoplan.push.waiting_image import lines_of_waiting
from geoplan.vendor import BACKUP, GEO_CONFIGURATION
from geoplan.wording import MAX_LISTED, count, local_time, shell_command, shown, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.live.findings.kinds import Command
    from geoplan.plan.model import Phase, Plan
    from geoplan.push.history import History
    from geoplan.push.records import AnyRecord
    from geoplan.push.store import Past
    from geoplan.push.update_status import About
    from geoplan.topology.api import UnitApi

FORMAT = "geoplan/push-status/1"
GO_ON = "--resume goes on with it, --status shows it, --abandon ends it as it is"


def as_text(  # noqa: PLR0913 - what is typed next
    past: Past,
    plan: Plan,
    running: str | None = None,
    apis: Mapping[str, UnitApi] | None = None,
    *,
    command: Command = generic_command,
    about: About = generic_about,
) -> str:
    """Return when and by whom the last push was begun, how it ended, what it changed, and how to go back by hand.

    It is the one that is to be ended, if there is one. ``running`` says that a push on these units is running now, and
    which. ``apis`` are those of the topology: where a person logs in to go back. ``command`` returns a command of
    geoplan about this topology as it is typed, ``about`` what writes commands about an earlier push.
    """
    history = past.unfinished or past.latest
    lines = ["no push on these units yet"] if history is None else _lines(history, running)
    if owed := _pairs_to_finish(past, plan):
        lines += ["", f"pairs that are not finished: {', '.join(owed)}"]
    if unproven := [slave for slave in _slaves(plan) if past.ledger.unproven(slave)]:
        lines += ["", f"links of these slaves are not proven: {some_of(unproven)}"]
    if history is None or history.is_finished:
        left = [*lines_of_left(past.left_aside, plan, about), *lines_of_waiting(past.waiting)]
        lines += ["", *left] if left else []
    if history and (units := going_back(history)):
        submitted = submitted_on_slaves(history)
        touched = {*submitted, *(unit.unit for unit in units)}
        lines += ["", *as_lines(units, submitted, _logins(history, touched, apis or {}))]
    if history and (seeded := [record.unit for record in history.records if isinstance(record, models.Seeding)]):
        lines += ["", f"to take a restore of {GEO_CONFIGURATION} back, once no list links the unit: at {BACKUP}, from"]
        lines += [f"  {unit}  {shell_command(history.backed_up.get(unit, ''))}" for unit in dict.fromkeys(seeded)]
    if past.unfinished and past.unfinished.rotation and not running:
        lines += ["", *secret_lines(past, past.unfinished, ways_of_secret(past.unfinished, command), command)]
    elif past.unfinished and past.unfinished.update and not running:
        lines += ["", *update_lines(past.unfinished, resuming(past.unfinished, command), command, about)]
    elif past.unfinished and not running:
        lines += ["", f"to go on with it:  {resuming(past.unfinished, command)}"]
        lines += [f"to abandon it:     {command('push', '--abandon')}"]
    return "".join(f"{shown(line)}\n" for line in lines)


def left_by_abandoning(past: Past, unfinished: History, plan: Plan) -> list[str]:
    """Return what stays as it is once a push is abandoned: its changes, what it has not done, and what is owed."""
    lines = [f"the push of '{unfinished.topology}' that {unfinished.who} began at {_moment(unfinished.begin)}"]
    changed = "; its changes stay as they are" if unfinished.has_changes else "; it has changed nothing"
    lines[0] += f" is unfinished: {unfinished.outcome}{changed}"
    with suppress(UnusableFileError):  # whose plan cannot be read can still be abandoned
        undone = not_done(unfinished)
        if undone:
            lines.append(f"not done: {len(undone)} of {count(len(unfinished.plan.steps), 'step')}")
            lines += [f"  {step.number:>3}  {name_step(step)}" for step in undone[:MAX_LISTED]]
            lines += [f"  and {len(undone) - MAX_LISTED} more"] if len(undone) > MAX_LISTED else []
    if unfinished.rotation is not None:
        lines += [f"with secrets that may differ: {site}" for site in sites_that_differ(unfinished)]
        lines.append("links are red between units with different secrets, until geoplan push --secret sets all of them")
    lines += [*lines_of_left(past.left_aside, plan)[:1], *lines_of_waiting(past.waiting)]
    owed = _pairs_to_finish(past, plan)
    with suppress(UnusableFileError):
        owed = tuple(dict.fromkeys((*owed, *pairs_that_owe(past.ledger, unfinished.plan))))
    if owed:
        lines.append(f"still owed, whichever push comes next: the reboots of the masters of {some_of(owed)}")
    if unproven := [slave for slave in _slaves(plan) if past.ledger.unproven(slave)]:
        lines.append(f"links of these slaves are not proven: {some_of(unproven)}")
    return [shown(line) for line in lines]


def _logins(history: History, touched: set[str], apis: Mapping[str, UnitApi]) -> dict[str, str]:
    """Return where the units of the sites that were touched are logged in to: of a pair, either may be active."""
    sites = [site for site in history.plan.sites if any(unit.address in touched for unit in site.units)]
    own = {canonical(address): api.url for address, api in apis.items()}
    addresses = [unit.address for site in sites for unit in site.units]
    return {address: own[canonical(address)] for address in addresses if canonical(address) in own}


def _lines(history: History, running: str | None) -> list[str]:
    counted = Counter(history.step_states.values())
    steps = ", ".join(f"{number} {state}" for state, number in counted.items()) or "none yet"
    lines = [
        f"began      {_moment(history.begin)} by {history.begin.who}",
        f"ended      {_moment(history.records[-1])}: {history.outcome}"
        if running is None or history.is_finished
        else f"running    {running}",
        f"plan       {history.begin.checksum}",
        f"steps      {len(history.plan.steps)}: {steps}",
        f"journal    {shell_command(str(history.path))}",
    ]
    if files := list(history.backed_up.values()):
        lines.append(f"backups    {len(files)} in {shell_command(str(Path(files[0]).parent))}")
    if changes := change_lines(history):
        lines += ["", "changed, with what was there before:", *(f"  {change}" for change in changes)]
    return lines


def as_plain(past: Past, plan: Plan, running: str | None = None) -> dict[str, object]:
    """Return the same as JSON would hold it; where there was no push yet, its outcome is nothing."""
    history = past.unfinished or past.latest
    owed = {
        "pairs_to_finish": list(_pairs_to_finish(past, plan)),
        "debts": {
            slave: {"due": sorted(past.ledger.due(slave)), "unproven": sorted(past.ledger.unproven(slave))}
            for slave in _slaves(plan)
            if past.ledger.owes(slave)
        },
    }
    if history is None:
        return {"format": FORMAT, "outcome": None, "finished": True, "running": running, **owed}
    of_secret = {"secrets": as_plain_secrets(past, history)} if history.rotation else {}
    return {
        "format": FORMAT,
        "began": history.begin.at.isoformat(),
        "who": history.who,
        "outcome": history.outcome,
        "finished": history.is_finished,
        "running": None if history.is_finished else running,
        **owed,
        "checksum": history.begin.checksum,
        "steps": dict(history.step_states),
        "journal": str(history.path),
        "backups": dict(history.backed_up),
        "changes": [record.as_plain() for record in changes_of(history)],
        "going_back": [asdict(unit) for unit in going_back(history)],
        **of_secret,
    }


def _pairs_to_finish(past: Past, plan: Plan) -> tuple[str, ...]:
    begun = past.unfinished.owed_pairs if past.unfinished else ()
    return tuple(dict.fromkeys((*begun, *pairs_that_owe(past.ledger, plan))))


def _slaves(plan: Plan) -> list[str]:
    return [canonical(unit.address) for site in plan.sites for unit in site.units if unit.role == "slave"]


def _moment(record: AnyRecord) -> str:
    return local_time(record.at)


# -- to a push that is to follow ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResumeCheck:
    """Where a topology stands before a push: what is unfinished, and what of that blocks the push."""

    unfinished: History | None
    problems: tuple[Problem, ...]
    may_resume: bool = False
    """Whether a push is refused that ``--resume``, with the groups of the unfinished one, would let go on."""


def resuming(unfinished: History, command: Command = generic_command) -> str:
    """Return the command that goes on with what is unfinished: a push, an update or a drill."""
    drill = words_of_drill(unfinished)
    return command("drill", *drill, "--resume") if drill else command("push", *words_of_kind(unfinished), "--resume")


def check_resume(
    plan: Plan, unfinished: History | None, *, resume: bool, running: str | None, command: Command = generic_command
) -> ResumeCheck:
    """Look at the unfinished push on any of the units; ``running`` says that another push holds one of them now.

    ``command`` returns a command of geoplan about this topology as it is typed.
    """
    if running:  # what is unfinished is that push
        return ResumeCheck(unfinished, (Problem(plan.topology, running, WAIT),))
    problems = tuple(_unfinished_problems(plan, unfinished, command, resume=resume))
    is_other = unfinished is not None and unfinished.drill != drilled_site(plan)
    may_resume = (
        unfinished is not None
        and not is_other
        and (
            _is_of_other_groups(unfinished, plan)
            or _is_lacking_change(unfinished, plan)
            or (not resume and (unfinished.begin.checksum == plan.checksum or unfinished.phases != plan.phases()))
        )
    )
    return ResumeCheck(unfinished, problems, may_resume)


def _unfinished_problems(
    plan: Plan, unfinished: History | None, command: Command, *, resume: bool
) -> Iterator[Problem]:
    if unfinished is None:
        if resume:
            yield Problem(plan.topology, "there is no unfinished push to resume", "push without --resume")
        return
    if not resume:
        began = local_time(unfinished.begin.at)
        called = "" if unfinished.topology == plan.topology else f" on '{unfinished.topology}'"
        message = f"the push{called} that {unfinished.who} began at {began} is unfinished: see --resume"
        yield Problem(plan.topology, message)
    if unfinished.begin.checksum != plan.checksum:
        if unfinished.drill is not None:
            message = f"what is unfinished is a failover drill of '{unfinished.drill}'"
            yield Problem(plan.topology, message, _GO_ON_OR_END, commands=_ways_to_end(unfinished, command))
            return
        if drilled_site(plan) is not None:
            message = "what is unfinished is a push, and no drill begins before its end"
            ways = _ways_on(unfinished, command, _GO_ON_OR_END, _ways_to_end(unfinished, command))
            yield Problem(plan.topology, message, *ways)
            return
        with suppress(UnusableFileError):
            if (other := kind_called(unfinished.plan)) != (own := kind_called(plan)):
                message = f"the unfinished push is {other}, and this one is {own}"
                yield Problem(plan.topology, message, *_ways_on(unfinished, command, _AS_STATUS_SAYS))
                return
        if _is_of_other_groups(unfinished, plan):
            message = f"the unfinished push is one of {unfinished.plan.scope}, and this one of {plan.scope}"
            yield Problem(plan.topology, message, *_ways_on(unfinished, command, _RESUME_OR_END))
            return
        if _is_lacking_change(unfinished, plan):
            words = shell_command(*unfinished.words_of_change)
            message = f"the unfinished push is a change: it was begun with {words}"
            yield Problem(plan.topology, message, "resume it with these options, or end it with --abandon")
            return
        if (begun := unfinished.phases) and (now := plan.phases()) and begun != now:
            message = f"the unfinished push is one of {as_option(begun)}, and this one of {as_option(now)}"
            yield Problem(plan.topology, message, f"resume it with {as_option(begun)}, or end it with --abandon")
            return
        if unfinished.update is not None:  # of the same version, by another plan: units have another one since
            message = (
                f"an update to {unfinished.update} is unfinished, and units run another version than it began with"
            )
            yield Problem(plan.topology, message, "go on with it:", commands=(resuming(unfinished, command),))
            return
        plans = f"{unfinished.begin.checksum}, and the topology now gives {plan.checksum}"
        message = f"the unfinished push carries out the plan {plans}"
        hint = "resume with the topology as it was, or end the unfinished push as it is, and push anew:"
        yield Problem(plan.topology, message, hint, commands=(command("push", "--abandon"),))


_AS_STATUS_SAYS = "go on with it as --status says, or end it with --abandon"
_RESUME_OR_END = "resume that one, or end it with --abandon"


def _ways_on(
    unfinished: History, command: Command, hint: str, commands: tuple[str, ...] = ()
) -> tuple[str, None, tuple[str, ...], tuple[str, ...]]:
    """Return what another push says to do first, of most kinds what is given: a hint, and what to type.

    Of an unfinished setting of the secret that is never to leave it as it is: units of a pair may differ.
    """
    if unfinished.rotation is None:
        return hint, None, (), commands
    or_back = ":" if unfinished.rotation.goes_back else ", or go back:"
    hint = f"its links are red until all units have the same: go on with it{or_back}"
    return hint, None, (), ways_of_secret(unfinished, command)


def ways_of_secret(unfinished: History, command: Command = generic_command) -> tuple[str, ...]:
    """Return the commands that lead on from an unfinished setting of the secret: it is ended, or taken back."""
    on = resuming(unfinished, command)
    goes_back = unfinished.rotation is not None and unfinished.rotation.goes_back
    return (on,) if goes_back else (on, command("push", "--secret", "--back"))


_GO_ON_OR_END = "go on with it, or abandon it:"


def _ways_to_end(unfinished: History, command: Command) -> tuple[str, str]:
    return resuming(unfinished, command), command("push", "--abandon")


def _is_of_other_groups(unfinished: History, plan: Plan) -> bool:
    """Return whether an unfinished push is of more, fewer or other groups than a plan; of the same file or another."""
    with suppress(UnusableFileError):
        begun, now = ({group.name for group in each.groups_now} for each in (unfinished.plan, plan))
        return begun != now
    return False


def _is_lacking_change(unfinished: History, plan: Plan) -> bool:
    """Return whether an unfinished push is a change, and a plan none: so it cannot be the same."""
    return plan.change is None and bool(unfinished.words_of_change)


def as_option(phases: Sequence[Phase]) -> str:
    """Return the option that names phases."""
    return f"--phase {'all' if len(phases) > 1 else phases[0]}"
