"""A program of the operator's own that is told when a watch sees a change: mail, chat, a ticket."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from geoplan.push.state_dir import STATE_DIR_VARIABLE
from geoplan.status.notification import Changes, as_json, changes, findings_in
from geoplan.wording import count, shown_in_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.live.findings.kinds import Finding
    from geoplan.status.model import Seen

PATIENCE_SECONDS = 10.0
"""For one run: the next look waits for it."""
OWN_VARIABLES = "GEOPLAN_"


class Notifier:
    """Runs a program when findings come or go, with these as JSON on its standard input.

    It is no shell that runs it. A program that fails or takes too long is told on standard error; what it was not told
    goes with the next change.
    """

    def __init__(self, words: tuple[str, ...], *, seconds: float = PATIENCE_SECONDS) -> None:
        self._words = words
        self._seconds = seconds
        self._last: tuple[Finding, ...] = ()
        self._told: tuple[Finding, ...] | None = None

    async def __call__(self, seen: Seen) -> None:
        """Tell what has changed, if anything has; while a push of these units runs, that says itself what it does."""
        if seen.is_pushed:
            return
        now = findings_in(seen)
        has_changed, self._last = bool(changes(self._last, now)), now
        untold = changes(self._told or (), now)
        if has_changed and untold:
            problem = await self._run(as_json(seen.status, untold, is_first=self._told is None))
            if problem:
                click.echo(f"geoplan: warning: {self._said(problem, untold)}", err=True)
                return
        if has_changed or self._told is None:
            self._told = now

    def _said(self, problem: str, untold: Changes) -> str:
        changed = count(len(untold.appeared) + len(untold.gone), "change")
        program = shown_in_line(self._words[0])  # its arguments may hold what others are not to see
        return f"--notify: {program} {problem}; {changed} not told, they go with the next one"

    async def _run(self, text: str) -> str | None:
        """Run the program, and return what went wrong, if anything did."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env=environment_for_others(os.environ),
                start_new_session=True,  # Ctrl-C is for the watch, and what the program starts ends with it
            )
        except (OSError, ValueError) as error:
            return f"cannot be run: {getattr(error, 'strerror', None) or error}"
        try:
            async with asyncio.timeout(self._seconds):
                await process.communicate(text.encode())
        except TimeoutError:
            return f"was ended after {self._seconds:g} s"
        finally:
            await _end(process)
        code = process.returncode or 0
        return None if code == 0 else f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"


def environment_for_others(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the variables that geoplan reads credentials and secrets from."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(OWN_VARIABLES) or name == STATE_DIR_VARIABLE
    }


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program that still runs, with all that it has started."""
    if process.returncode is not None:
        return
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    await process.wait()
