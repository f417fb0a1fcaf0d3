"""``geoplan push --secret``: where the secrets come from, and the plan that follows."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from geoplan.cli.connection import WAY_BACK
from geoplan.cli.signals import interruptible
from geoplan.push.secret_back import is_of_same_units, to_take_back
from geoplan.vendor import SHARED_SECRET

if TYPE_CHECKING:
    from geoplan.cli.connection import TypedCommands
    from geoplan.cli.push_command import PushCommand
    from geoplan.loadmaster.credentials import Secret
    from geoplan.loadmaster.partner_secret import SecretSource
    from geoplan.plan.model import Plan
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology

NEW, OLD = "GEOPLAN_SECRET", "GEOPLAN_OLD_SECRET"


def plan_of_secret(topology: Topology, given: PushCommand, store: Store, typed: TypedCommands) -> Plan:
    """Return the plan that sets the secret; of one that is asked about, that of its journal.

    Raises :class:`geoplan.errors.PushRefusedError` for a way back of what was not set on exactly these units.
    """
    from geoplan.plan.secret import make_rotation

    if given.journals.only_tells:
        past = store.past()
        known = past.unfinished or past.latest
        if known is not None and known.rotation is not None:
            return known.plan
    plan = make_rotation(topology, goes_back=given.update.back)
    if plan.secret and plan.secret.goes_back and not (given.journals.resume or given.journals.only_tells):
        _require_way_back(topology, plan, store, typed)
    return plan


def _require_way_back(topology: Topology, plan: Plan, store: Store, typed: TypedCommands) -> None:
    """Check that the last setting on any of these units was of all of them and of no other, and is not back already."""
    from geoplan.cli.push_units import typed_about
    from geoplan.errors import PushRefusedError

    unfinished = store.past().unfinished
    if unfinished is not None and (unfinished.rotation is None or unfinished.rotation.goes_back):
        return  # which blocks it anyway, and says what leads on
    found = unfinished or to_take_back(store.histories())
    if found is None:
        raise PushRefusedError(
            f"there is no setting of the {SHARED_SECRET} on these units to take back; nothing was changed",
            hint="to set another one, or the one before, as the new one: " + typed("push", "--secret"),
        )
    if not is_of_same_units(found, plan):
        about = typed_about(found, topology, typed)
        raise PushRefusedError(
            f"push {found.number}, which --back would take back, was of {found.plan.scope}, and this is of other "
            "units; nothing was changed",
            hint=f"go back on all of its units, and on no others: {about('push', *WAY_BACK)}",
        )


def options_of_secret(given: PushCommand, store: Store) -> dict[str, Any]:
    """Return the options of a push that sets the secret, which is asked for where nothing else has it.

    Raises :class:`geoplan.errors.CredentialsError` where there is none, or none that units take.
    """
    own, goes_back, is_lab = given.secret, given.update.back, given.lab.lab
    only_reads = given.run.dry_run or given.run.only_preflight
    may_ask = not only_reads
    new = None if goes_back else _new(given).find(may_ask=may_ask)
    needs_old = goes_back or not (own.no_way_back or given.journals.resume or is_lab)
    old = _old(given).find(may_ask=may_ask) if needs_old else None
    secret = _required(old if goes_back else new, OLD if goes_back else NEW, only_reads=only_reads)
    if old is not None and new is not None and old == new:
        from geoplan.errors import CredentialsError

        raise CredentialsError("the new secret is the old one", hint="choose another one")
    undone = to_take_back(store.histories()) if goes_back and not given.journals.resume else None
    return {
        "secret": secret,
        "has_way_back": goes_back or is_lab or own.no_way_back or given.journals.resume or old is not None,
        "accepts_links_down": is_lab or own.accept_links_down or given.window.window is not None,
        "pause_seconds": given.update.pause,
        "undoes": undone.name if undone else None,
    }


def _required(found: Secret | None, variable: str, *, only_reads: bool) -> Secret:
    from geoplan.errors import CredentialsError
    from geoplan.loadmaster.credentials import MASK, Secret

    if found is not None:
        return found
    if only_reads:
        return Secret(MASK)  # it is sent nowhere
    option = "--old-secret-file" if variable == OLD else "--secret-file"
    raise CredentialsError("there is no secret to set", hint=f"set {variable}, or give a file with {option}")


def _new(given: PushCommand) -> SecretSource:
    return _source("new Partner Shared Secret", NEW, given.secret.secret_file, is_confirmed=not given.journals.resume)


def _old(given: PushCommand) -> SecretSource:
    return _source("Partner Shared Secret that units have now", OLD, given.secret.old_secret_file)


def _source(name: str, variable: str, path: str | None, *, is_confirmed: bool = False) -> SecretSource:
    from geoplan.loadmaster.partner_secret import SecretSource

    def prompt(asked: str) -> str:
        with interruptible():
            typed: str = click.prompt(
                asked.capitalize() if asked.islower() else asked[0].upper() + asked[1:],
                hide_input=True,
                confirmation_prompt=is_confirmed,
                default="",
                show_default=False,
                err=True,
            )
        return typed

    return SecretSource(name, variable, os.environ, path, prompt if sys.stdin.isatty() else None)
