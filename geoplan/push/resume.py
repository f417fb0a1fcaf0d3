"""What earlier pushes on a topology say to a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.push.lock import WAIT
from geoplan.push.preflight import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.plan.model import Phase, Plan
    from geoplan.push.history import History

GO_ON = "--resume goes on from it, --status shows it, --abandon gives it up"


@dataclass(frozen=True, slots=True)
class ResumeCheck:
    """Where a topology stands before a push: what is unfinished, and what of that blocks the push."""

    unfinished: History | None
    problems: tuple[Problem, ...]
    may_resume: bool = False
    """Whether a push is refused that ``--resume`` would let go on."""


def check_resume(plan: Plan, unfinished: History | None, *, resume: bool, running: str | None) -> ResumeCheck:
    """Look at the unfinished push on any of the units; ``running`` says that another push holds one of them now."""
    if running:  # what is unfinished is that push
        return ResumeCheck(unfinished, (Problem(plan.topology, running, WAIT),))
    problems = tuple(_problems(plan, unfinished, resume=resume))
    fits = unfinished is not None and (unfinished.checksum == plan.checksum or unfinished.phases != plan.phases())
    return ResumeCheck(unfinished, problems, may_resume=fits and not resume)


def _problems(plan: Plan, unfinished: History | None, *, resume: bool) -> Iterator[Problem]:
    if unfinished is None:
        if resume:
            yield Problem(plan.topology, "there is no unfinished push to resume", "push without --resume")
        return
    if not resume:
        began = f"{unfinished.begin.at.astimezone():%Y-%m-%d %H:%M:%S}"
        called = "" if unfinished.topology == plan.topology else f" on '{unfinished.topology}'"
        message = f"the push{called} that {unfinished.who} began at {began} is unfinished: see --resume"
        yield Problem(plan.topology, message)
    if unfinished.checksum != plan.checksum:
        if (begun := unfinished.phases) and begun != plan.phases():
            message = f"the unfinished push is one of {as_option(begun)}, and this one of {as_option(plan.phases())}"
            yield Problem(plan.topology, message, f"resume it with {as_option(begun)}, or give it up with --abandon")
            return
        plans = f"{unfinished.checksum}, and the topology now gives {plan.checksum}"
        message = f"the unfinished push carries out the plan {plans}"
        hint = "resume with the topology as it was, or give the unfinished push up with --abandon"
        yield Problem(plan.topology, message, hint)


def as_option(phases: Sequence[Phase]) -> str:
    """Return the option that names phases."""
    return f"--phase {'all' if len(phases) > 1 else phases[0]}"
