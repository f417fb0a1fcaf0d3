"""Which kind of push a plan or a journal is, beside lists and clusters, and the options that make it that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.drill import goes_back
from geoplan.push import firmware_records as updates
from geoplan.vendor import SHARED_SECRET

if TYPE_CHECKING:
    from geoplan.plan.model import Plan
    from geoplan.push.history import History

NONE_OF_UNITS = "one of lists and clusters"


def kind_called(plan: Plan) -> str:
    """Return what a message calls a push of a plan, by whether it changes units themselves."""
    if plan.secret is not None:
        return f"the way back of the {SHARED_SECRET}" if plan.secret.goes_back else f"one of the {SHARED_SECRET}"
    return f"an update to {plan.firmware.to}" if plan.firmware else NONE_OF_UNITS


def words_of_drill(unfinished: History) -> tuple[str, ...]:
    """Return the options that name the pair of a failover drill, and its way back; an empty tuple for a push."""
    if unfinished.drill is None:
        return ()
    return ("--site", unfinished.drill, *(("--back",) if goes_back(unfinished.plan) else ()))


def words_of_kind(unfinished: History) -> tuple[str, ...]:
    """Return the options that make a push on units what it is; an empty tuple for a push of lists and clusters."""
    if rotation := unfinished.rotation:
        return ("--secret", *(("--back",) if rotation.goes_back else ()))
    to = unfinished.update
    if to is None:
        return ()
    way = ("--back",) if unfinished.begin.options.restores_firmware else ("--image", _image_of(unfinished) or "FILE")
    return ("--upgrade-to", to, *way)


def _image_of(unfinished: History) -> str | None:
    """Return the image of an update as it was typed: its name alone is found from its own folder only."""
    flags = unfinished.begin.flags
    if "--image" in flags[:-1]:
        return flags[flags.index("--image") + 1]
    return next((each.image for each in unfinished.records if isinstance(each, updates.Installing)), None)
