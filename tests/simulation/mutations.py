"""The mends of what a push once did wrong, each taken out in turn: the situation that shows it has to break then.

``python -m tests.simulation.mutations`` prints the table, and ends with 1 unless every one is caught.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.loop import run_simulated
from tests.simulation.scenarios import SCENARIOS

TakeOut = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    """One mend taken out."""

    name: str
    """What the push does without it."""
    scenario: str
    """The situation that shows it, by its name in ``scenarios``."""
    take_out: TakeOut | None = None
    """Takes the mend out; without it the mend is yet to be named here."""


@dataclass(frozen=True)
class Replay:
    """How a situation went with the mend and without it."""

    mutation: Mutation
    with_mend: list[str]
    without: list[str]

    @property
    def is_caught(self) -> bool:
        """Whether the situation is clean with the mend and breaks without it."""
        return self.mutation.take_out is not None and not self.with_mend and bool(self.without)

    def __str__(self) -> str:
        state = "caught" if self.is_caught else "NOT CAUGHT"
        why = self.without[0] if self.is_caught else next(iter(self.with_mend), "the mend is not named yet")
        return f"{state:10}  {self.mutation.name:65}  {self.mutation.scenario:46}  {why.splitlines()[0][:100]}"


def setting(*changes: tuple[str, Any]) -> TakeOut:
    """Return what sets attributes, each by its dotted name, such as ``geoplan.push.waits.MIN_SYNC_SECONDS``."""

    def take_out(patch: pytest.MonkeyPatch) -> None:
        for name, value in changes:
            patch.setattr(name, value)

    return take_out


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("a reboot that was refused is sent again blindly", "reboot connect-timeout 4 times, slave dies"),
    Mutation("a mode that was refused is sent again blindly", "mode connect-timeout"),
    Mutation("a slave that is unreachable counts as a silent standby", "closed slave: timeout"),
    Mutation("a slave that takes no credentials counts as a silent standby", "closed slave: 401"),
    Mutation("a mode that is empty or 0 is single", "working pair: HaMode absent, hamode '0'"),
    Mutation("single is sent back to a unit that answers its health check", "parameter that a unit does not take"),
    Mutation("HA parameters of a pair at work are set again", "other parameter on the master"),
    Mutation("the wait for a replication has no floor", "slow standby that refuses reads"),
    Mutation("what nobody tells is green", "colours: nothing"),
    Mutation("partners that are not listed are green", "colours: some"),
    Mutation("what was left out is forgotten", "no reboots at first, colours untold"),
    Mutation("what was abandoned is forgotten", "abandoned before its reboots, colours untold"),
    Mutation("what was seen green while a slave was active is no proof", "standbys red by nature"),
    Mutation("reboots are counted by the push's own journal alone", "fourth reboot by two pushes"),
    Mutation("the unit that took a list is not looked at again", "partners on a standby"),
    Mutation("partners are submitted again without a read", "submission connect-timeout"),
    Mutation("partners are submitted although somebody has added one", "address added on the standalone"),
    Mutation("the answer to a reboot is waited for", "reboot answered late"),
    Mutation("the standby is not verified", "standby without partners"),
    Mutation("a standby without a backup refuses the push", "standby refuses backup"),
    Mutation("the unfinished push is the last one by the clock", "abandoned after the clock was set back"),
    Mutation("a difference that no step mends lets the push begin", "cluster that does not follow"),
    Mutation("partners of a site that is left alone are emptied unrecorded", "site left alone"),
    Mutation("red links with all lists in place are nothing to do", "links of standalones lost"),
    Mutation("a pair that waits for its turn holds a slot", "many groups, 8 jobs"),
)


def replay(mutation: Mutation, folder: Path) -> Replay:
    """Play a mutation's situation with the mend and without it."""
    with_mend = _play(mutation, folder / "with")
    with pytest.MonkeyPatch.context() as patch:
        if mutation.take_out:
            mutation.take_out(patch)
        without = _play(mutation, folder / "without")
    return Replay(mutation, with_mend, without)


def table(replays: Iterable[Replay]) -> str:
    """Return a line for each mutation, and how many are caught."""
    played = list(replays)
    caught = sum(each.is_caught for each in played)
    return "\n".join([*map(str, played), f"{caught} of {len(played)} caught"])


def _play(mutation: Mutation, folder: Path) -> list[str]:
    async def played() -> list[str]:
        return await SCENARIOS[mutation.scenario](folder)

    try:
        return run_simulated(played())
    except AssertionError as error:  # an assertion of the push itself, which stands before the harm
        return [f"AssertionError: {error}"]


def main() -> int:
    """Replay every mutation and print the table."""
    os.fsync = lambda _handle: None  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        replays = [replay(each, Path(folder) / str(number)) for number, each in enumerate(MUTATIONS)]
    sys.stdout.write(table(replays) + "\n")
    return 0 if all(each.is_caught for each in replays) else 1


if __name__ == "__main__":
    sys.exit(main())
