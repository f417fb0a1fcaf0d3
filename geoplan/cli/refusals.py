"""What a program reads where a command is refused: one object of JSON in place of the report."""

from __future__ import annotations

import json
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from geoplan.errors import GeoplanError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Given = ParamSpec("Given")
Made = TypeVar("Made")

INTERRUPTED = 130
_IS_TOLD = "geoplan.is_told"


def tells_refusals(format_name: str) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Have a command write an object of its JSON format where it ends by an error, and standard output is for JSON."""

    def decorated(command: Callable[Given, Made]) -> Callable[Given, Made]:
        @wraps(command)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Made:
            try:
                return command(*args, **kwargs)
            except GeoplanError as error:
                _tell(format_name, kwargs, str(error), error.exit_code, problems=problems_of(error), hint=error.hint)
                raise
            except (click.Abort, KeyboardInterrupt):
                _tell(format_name, kwargs, "interrupted", INTERRUPTED)
                raise

        return run

    return decorated


def note_report() -> None:
    """Note that standard output has the report, so that an error after it adds nothing."""
    click.get_current_context().meta[_IS_TOLD] = True


def problems_of(error: GeoplanError) -> tuple[str, ...]:
    """Return each reason of an error that has several, in words."""
    if isinstance(error, InvalidInputError):
        return tuple(f"{each.code} {each.message}" for each in error.diagnostics)
    return tuple(map(str, getattr(error, "problems", ())))


def ended(
    format_name: str, message: str, exit_code: int, *, problems: Sequence[str] = (), hint: str | None = None
) -> str:
    """Return the object that says how a command ended which has no report; keys as in push's event *ended*."""
    told: dict[str, object] = {"format": format_name, "event": "ended", "message": message, "exit_code": exit_code}
    told["problems"] = list(problems)
    if hint:
        told["hint"] = hint
    return json.dumps(told, ensure_ascii=False)


def _tell(  # noqa: PLR0913 - what is told
    format_name: str,
    given: dict[str, object],
    message: str,
    exit_code: int,
    *,
    problems: Sequence[str] = (),
    hint: str | None = None,
) -> None:
    is_read = given.get("output_format") == "json" and given.get("output") in (None, "-")
    if is_read and not click.get_current_context().meta.get(_IS_TOLD):
        click.echo(ended(format_name, message, exit_code, problems=problems, hint=hint))
