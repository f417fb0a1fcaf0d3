"""What one push changed, or may have, as its journal tells it: to people, and to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan import vendor
from geoplan.addresses import canonical
from geoplan.push import firmware_records as updates
from geoplan.push import records as models
from geoplan.push import secret_records as secrets
from geoplan.push import values
from geoplan.wording import local_time

if TYPE_CHECKING:
    from geoplan.push.history import History
    from geoplan.push.values import Value

    Change = (
        models.Changing
        | models.Seeding
        | models.Rebooting
        | models.Resubmitted
        | updates.Preferring
        | updates.Installing
        | updates.Booting
        | secrets.SettingSecret
    )


_CHANGES = (
    models.Changing,
    models.Seeding,
    models.Rebooting,
    models.Resubmitted,
    updates.Preferring,
    updates.Installing,
    updates.Booting,
    secrets.SettingSecret,
)


def changes_of(history: History) -> list[Change]:
    """Return what was changed, or may have been, in its order; what provably came to nothing is left out."""
    found: list[Change] = []
    for record in history.records:
        if isinstance(record, updates.NotInstalled | secrets.SecretNotSet):
            found = _without_last(found, record)
        elif isinstance(record, _CHANGES):
            found.append(record)
    return found


def _without_last(found: list[Change], ended: updates.NotInstalled | secrets.SecretNotSet) -> list[Change]:
    """Return changes without the last one of its unit of the kind that came to nothing."""
    kind = updates.Installing if isinstance(ended, updates.NotInstalled) else secrets.SettingSecret
    own = [number for number, each in enumerate(found) if isinstance(each, kind) and each.unit == ended.unit]
    return [each for number, each in enumerate(found) if number != max(own, default=-1)]


def change_lines(history: History) -> list[str]:
    """Return in words what was changed, or may have been, with what was there before."""
    answered = _answered(history)
    return [f"{local_time(each.at)}  {_change(each, is_sure=id(each) in answered)}" for each in changes_of(history)]


def _answered(history: History) -> frozenset[int]:
    """Return which settings of the secret their units have answered, by identity."""
    found: set[int] = set()
    have: set[str] = set()
    for record in reversed(history.records):
        if isinstance(record, secrets.SecretSet):
            have.add(canonical(record.unit))
        elif isinstance(record, secrets.SettingSecret) and canonical(record.unit) in have:
            have.remove(canonical(record.unit))
            found.add(id(record))
    return frozenset(found)


def _change(record: Change, *, is_sure: bool) -> str:
    where = f"{record.unit}  {record.site}"
    match record:
        case models.Rebooting():
            return f"{where}: rebooted"
        case updates.Installing():
            return f"{where}: firmware {record.after} given, was {record.before}"
        case updates.Booting():
            return f"{where}: rebooted into its firmware"
        case secrets.SettingSecret():
            about = "" if is_sure else ", or just about to be"
            return f"{where}: {vendor.SHARED_SECRET} set{about}; nothing reads it back"
        case updates.Preferring():
            return f"{where}: {vendor.PREFER_MASTER if record.after else vendor.NO_PREFERRED_HOST} set"
        case models.Resubmitted():
            return f"{where}: partners submitted again"
        case models.Seeding():
            had = ", ".join(record.before) or "empty"
            return f"{where}: GEO configuration restored from {record.source}, was {had}"
        case models.Changing():
            return f"{where}: {record.what} was {_value(record.before)}"


def _value(before: Value) -> str:
    match before:
        case tuple():
            return ", ".join(before) or "empty"
        case values.HaValue():
            partner, port = (value or "unset" for value in (before.partner, before.health_check_port))
            return f"mode {before.mode}, partner {partner}, health check port {port}"
        case values.ClusterValue():
            return f"'{before.name}' ({before.address}) of type {before.type}"
        case None:
            return "not there"
