"""Who has which Partner Shared Secret by the journals: to people, and to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push.secret_progress import has_begun, holders_of, who_has_which
from geoplan.push.secret_scope import given_before
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.findings.kinds import Command
    from geoplan.push.history import History
    from geoplan.push.store import Past


def secret_lines(past: Past, unfinished: History, ways: tuple[str, ...], command: Command) -> Iterator[str]:
    """Yield who has which secret by an unfinished setting, and the command each way; to abandon it is none.

    ``ways`` go on with it, and back.
    """
    sites = [site.name for site in unfinished.plan.sites]
    begun = [name for name in sites if has_begun(unfinished, [name])]
    yield from (f"'{name}': {who_has_which(unfinished, name)}" for name in begun)
    others = [name for name in sites if name not in begun]
    given = given_before(unfinished, past.rotations)
    if again := [name for name in others if name in given]:
        yield f"not begun by this push, given a new one by a push before: {some_of(again)}"
    if others := [name for name in others if name not in given]:
        yield f"not begun: {some_of(others)}"
    yield f"who serves:        {command('status')}"
    on, *back = ways
    yield f"to go on with it:  {on}"
    yield from (f"to go back:        {each}" for each in back)
    yield f"to give it up with secrets that differ:  {command('push', '--abandon')}"


def as_plain_secrets(past: Past, history: History) -> dict[str, object]:
    """Return of each site who has what a setting of the secret gives: which units, which may have it, which not."""
    given = given_before(history, past.rotations)
    return {
        site.name: {
            "begun": has_begun(history, [site.name]),
            "given_before": site.name in given,
            **{name: list(units) for name, units in holders_of(history, site.name)._asdict().items()},
        }
        for site in history.plan.sites
    }
