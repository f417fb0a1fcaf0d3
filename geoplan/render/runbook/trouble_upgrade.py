"""If something goes wrong while units are brought to another firmware: what is in place, how to go on and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.firmware import change_of, no_way_back, to_version, units_named
from geoplan.render.runbook.model import Trouble
from geoplan.render.runbook.prose import Prose, Value, duration, prose

if TYPE_CHECKING:
    from geoplan.render.runbook.context import RunbookContext


def standby(bearings: RunbookContext) -> Trouble:
    """Say what to do when a standby cannot be updated."""
    return Trouble(
        Action.UPDATE_STANDBY,
        "If the update of a standby fails",
        in_place=(
            prose(
                "The pair serves on its active unit, which runs what it ran before. Every finished site runs {}.",
                to_version(bearings),
            ),
        ),
        go_on=(
            *_refused_file(),
            prose(
                "It does not come back within {}: give it as long again, then start it from its console. Do not touch "
                "the active unit before the standby is back: the pair would have no unit left.",
                prose(duration(2 * bearings.plan.estimates.boot_seconds)),
            ),
            prose("Do not reboot it again and again: more than 3 reboots in 5 minutes, and it makes itself passive."),
        ),
        go_back=_back(bearings),
    )


def active(bearings: RunbookContext) -> Trouble:
    """Say what to do when the update of the active unit, or the failover, goes wrong."""
    return Trouble(
        Action.UPDATE_ACTIVE,
        "If the update of an active unit, or its failover, goes wrong",
        in_place=(prose("The pair's other unit runs {} and can serve alone.", to_version(bearings)),),
        go_on=(
            *_refused_file(),
            prose(
                "The other unit does not answer {} while this one reboots: the pair is down. See whether the load "
                "balancer's checks reach it; this unit serves again when it is back.",
                OK,
            ),
            prose(
                "It does not come back: the pair runs on the other unit. Start it from its console, and begin with no "
                "other site before this pair is whole."
            ),
        ),
        go_back=(
            *_back(bearings),
            prose("Both units of a pair go back, or none: never leave the two on different versions (section 7)."),
        ),
    )


def remaining(bearings: RunbookContext) -> Trouble:
    """Say what to do when the unit of a pair that was left cannot be updated."""
    return active(bearings)._replace(
        action=Action.UPDATE_REMAINING, title="If the update of the unit that was left goes wrong"
    )


def standalone(bearings: RunbookContext) -> Trouble:
    """Say what to do when a standalone cannot be updated."""
    return Trouble(
        Action.UPDATE_STANDALONE,
        "If the update of a standalone fails",
        in_place=(prose("Every pair runs {}. This site serves nobody while it is down.", to_version(bearings)),),
        go_on=(
            *_refused_file(),
            prose("It does not come back: start it from its console; GEO sends clients to the other sites meanwhile."),
        ),
        go_back=_back(bearings),
    )


def secret(_bearings: RunbookContext) -> Trouble:
    """Say what to do when units refuse each other over the secret."""
    return Trouble(
        Action.SET_PARTNER_SECRET,
        f"If the {wui.SHARED_SECRET} cannot be set, or units refuse each other",
        in_place=(prose("The unit runs the new version. Its links are refused until both sides have the same one."),),
        go_on=(
            prose(
                "It is not taken: it needs 8 to 127 characters, of which none is a space, an apostrophe or a letter "
                "beyond A to Z."
            ),
            prose(
                "The log says {}: the two sides do not have the same one. It cannot be read back, so set it again on "
                "both, and on every unit when in doubt. Setting it twice does no harm.",
                Value("Unauthorized Remote Machine"),
            ),
            prose("A partner that has not had its turn yet stays red: go on, and look again after the last unit."),
        ),
        go_back=(prose("There is nothing to undo: without the same secret on both sides there is no link at all."),),
    )


def pair(bearings: RunbookContext) -> Trouble:
    """Say what to do when a pair is not whole after its update."""
    return Trouble(
        Action.VERIFY_UPDATED_PAIR,
        "If a pair is not whole after its update",
        in_place=(prose("Both units of the pair have been updated, and at least one of them serves."),),
        go_on=(
            prose(
                "One unit shows another version than {}: its update was not installed. Do its step once more.",
                to_version(bearings),
            ),
            prose("Both answer {}: they do not accept each other. {}", OK, _acceptance(bearings)),
            prose(
                "Both answer {}, or neither does: reboot the one that is to be active, once, from its console.", BUSY
            ),
            prose("Begin with no other site before this pair is whole."),
        ),
        go_back=_back(bearings),
    )


def _acceptance(bearings: RunbookContext) -> Prose:
    """Say what makes two units accept each other; meanwhile each is active by itself."""
    reach = "See that they reach each other. Two active units replicate nothing: change no setting on either."
    if not change_of(bearings).has_secret:
        return prose(reach)
    return prose("Set the {} on both again. " + reach, wui.SHARED_SECRET)


def _refused_file() -> tuple[Prose, ...]:
    return (
        prose(
            "The file is refused: compare its checksum, and give it the XML verification file of the same release. "
            "Some releases need another one in between; the vendor's release notes name it."
        ),
    )


def _back(bearings: RunbookContext) -> tuple[Prose, ...]:
    """Say how a unit goes back, and which ones must not (section 7)."""
    back = prose(
        "The unit keeps what it ran before: {}, {}, and then its backup if settings are missing. Of a pair again the "
        "standby first.",
        wui.UPDATE_SOFTWARE.path,
        wui.RESTORE_SOFTWARE,
    )
    lost = no_way_back(bearings)
    if not lost:
        return (back,)
    words = "Never with {}: they come from below {}, and a unit that goes below it becomes inaccessible for good."
    return (prose(words, units_named(lost), Value("7.2.36")), back)
