"""What can stand in a journal: one model for each kind of record, strict, with what it proves and who writes it.

A journal is JSON in ASCII, one record a line, split at line feeds alone: names and paths keep whatever bytes they
have. A line that fits no model here is a damaged journal, or one of another version; nothing is guessed from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool, TypeAdapter
from pydantic import ValidationError as _ValidationError

from geoplan.live.findings import NoteKind
from geoplan.plan.model import Action
from geoplan.push.firmware_records import FirmwareRecord
from geoplan.push.options import Options, RebootMode
from geoplan.push.outcome import StepState
from geoplan.push.record import Record
from geoplan.push.secret_records import (
    SecretInForce,
    SecretNotSet,
    SecretSet,
    SecretsLeftAlone,
    SecretsMayDiffer,
    SettingSecret,
)
from geoplan.push.values import Addresses, FoundLists, ReachedUnit, Seconds, Sight, Strict, Text, Value

if TYPE_CHECKING:
    from datetime import datetime

FORMAT = "geoplan/journal/2"
OLD_FORMAT = "geoplan/journal/1"
"""Of journals whose records had no models: they are read once, and carried over."""


class RecordedOptions(Strict):
    """What the operator had asked for when the push began: a resumed push takes it over."""

    reboot: RebootMode = RebootMode.CHANGED
    reboot_sites: tuple[Text, ...] = ()
    parallel_groups: StrictBool = False
    remove_unknown: StrictBool = False
    accept_geo_merge: StrictBool = False
    accept_fqdn_loss: StrictBool = False
    restores_firmware: StrictBool = False
    asks_after_first: StrictBool = True  # as long as nobody said that it need not
    pause_seconds: Seconds = 0.0

    @classmethod
    def of(cls, options: Options) -> RecordedOptions:
        """Take what a resumed push is to know of a push's options."""
        return cls(**{name: getattr(options, name) for name in cls.model_fields})

    def as_options(self) -> Options:
        """Return them as the options of a push; what is of one run alone is as usual."""
        return Options(**{name: getattr(self, name) for name in type(self).model_fields})


class Begin(Record):
    """A push began: its plan, and which units it may change. Always the first record, and there is but one."""

    event: Literal["begin"]
    format: Literal["geoplan/journal/2"]
    who: Text
    checksum: Text
    options: RecordedOptions
    units: Mapping[Text, Text]
    """The keys of its units, by their addresses: what a lab's units hold is none of production's."""
    plan: Mapping[Text, Any]
    file: Text | None = None
    """The topology's file as it was given; None where it was none, or an older geoplan did not write it."""
    flags: tuple[Text, ...] = ()
    """The options that were given."""
    undoes: Text | None = None
    """The push that this one takes back, by the name of its journal."""
    reached: Mapping[Text, ReachedUnit] = {}
    """Where units answer by the topologies of the push, whoever they are now: it is taken back without these."""


class Found(Record):
    """What the checks saw right before the first change, where that is not the plan's: to this the push is taken back.

    Always the second record of a push, and of journals since there is a way to take pushes back.
    """

    event: Literal["found"]
    held: Mapping[Text, FoundLists]
    """The lists of sites that differ, by the sites' names."""
    lacking: tuple[Text, ...]
    """The sites whose clusters were not there."""
    joining: Mapping[Text, Addresses] | None = None
    """Of each site that joins those whose clusters it had; None where an older geoplan did not write them."""


class Resumed(Record):
    """Another process went on with the push."""

    event: Literal["resumed"]
    who: Text


class Changing(Record):
    """A change is about to be sent: from here on it may have been made. Written by the step, before the request."""

    event: Literal["changing"]
    step: Text
    site: Text
    action: Action
    unit: Text
    what: Literal["remote_geo_access", "geo_partners", "cluster", "ha_parameters"]
    before: Value
    after: Value


class Changed(Record):
    """The change was read back, or a submission on an active unit was: the unit holds what was sent."""

    event: Literal["changed"]
    step: Text | None = None
    site: Text
    action: Action
    unit: Text


class Rebooting(Record):
    """A master is about to be told to reboot: from here on its pair may be under way."""

    event: Literal["rebooting"]
    step: Text
    site: Text
    unit: Text
    boot_time: Text | None = None
    """When the unit said just before that it was booted last, in its own words; None where it did not tell."""
    is_drill: StrictBool = False
    """Whether nothing is submitted after it, so that it owes nothing: the slave has its links already, or shows that
    it has not."""


class RebootNotSent(Record):
    """The pair's last reboot was provably never sent: it counts as none, and the pair is not under way."""

    event: Literal["reboot_not_sent"]
    step: Text
    site: Text
    unit: Text
    why: Text


class TooLate(Record):
    """The master took over again before the partners were submitted on the slave: the pair has to begin anew."""

    event: Literal["too_late"]
    site: Text
    unit: Text


class Resubmitting(Record):
    """Partners are about to be submitted again; ``before`` is what was read just before, if that was told."""

    event: Literal["resubmitting"]
    step: Text | None = None
    site: Text
    unit: Text
    before: Addresses | None = None
    after: Addresses


class Resubmitted(Record):
    """The slave took its partners while it was active: what is left of the pair is to see both units healthy."""

    event: Literal["resubmitted"]
    step: Text
    site: Text
    unit: Text


class Healthy(Record):
    """Both units of a rebooted pair are up and where they stay: its reboot is no longer due."""

    event: Literal["healthy"]
    site: Text


class Green(Record):
    """The unit, while active and after a submission of its own, showed these partners green: its links are proven."""

    event: Literal["green"]
    site: Text
    unit: Text
    partners: Addresses
    red: Addresses = ()
    """The partners that it showed red at the same time."""


class GreenStandby(Record):
    """Active units showed it green while it was the standby: red later is not its nature, until it submits anew."""

    event: Literal["green_standby"]
    site: Text
    unit: Text
    on: Addresses


class Seeding(Record):
    """The GEO configuration of a unit is about to be replaced from the backup of another one.

    What it had is in its own backup.
    """

    event: Literal["seeding"]
    step: Text
    site: Text
    unit: Text
    source: Text
    """The unit whose backup it is."""
    file: Text
    before: tuple[Text, ...] = ()
    """Its clusters and FQDNs, in words."""


class Timed(Record):
    """A drill has seen something of a failover, so many seconds after the reboot was sent."""

    event: Literal["timed"]
    step: Text
    site: Text
    what: Sight
    unit: Text
    """The unit that was seen, or that told."""
    seconds: Seconds | None = None
    """None where the run that sent the reboot was cut off, and another one saw this."""
    partner: Text | None = None
    """Of a link its other end, by its own address."""
    within: Seconds | None = None
    """The longest time between two looks up to then: it happened no longer ago than that."""


class Renewed(Record):
    """These units are new boxes: what earlier pushes have proven of the ones before them is void."""

    event: Literal["renewed"]
    units: Addresses


class Unsubmitted(Record):
    """The site's list held these partners before the push, and nothing says that its slave has submitted them."""

    event: Literal["unsubmitted"]
    site: Text
    partners: Addresses


class Unlinked(Record):
    """The site's cluster was deleted on the unit, and has stayed elsewhere: no link has carried the deletion.

    That is so of the links between the units that were active then.
    """

    event: Literal["unlinked"]
    step: Text
    site: Text
    unit: Text
    active: Addresses
    """The active units of the site and of those that it was linked with."""


class Note(Record):
    """Something worth knowing afterwards; programs go by its kind."""

    event: Literal["note"]
    message: Text
    kind: NoteKind = NoteKind.OTHER
    site: Text | None = None
    unit: Text | None = None


class Backup(Record):
    """A unit's configuration from before the push is in a file."""

    event: Literal["backup"]
    unit: Text
    file: Text
    sha256: Text


class StepEnded(Record):
    """A step ended, well or not. Written by the executor."""

    event: Literal["step"]
    id: Text
    site: Text
    state: StepState
    unit: Text | None = None
    why: Text | None = None


class Stopped(Record):
    """The push stopped part-way and can be resumed."""

    event: Literal["stopped"]
    outcome: Text
    why: tuple[Text, ...] = ()


class End(Record):
    """The push came to its end, or was given up: it is not resumed. What it owes stays owed."""

    event: Literal["end"]
    outcome: Text
    who: Text | None = None
    unfinished_pairs: tuple[Text, ...] = ()


AnyRecord = (
    Begin
    | Found
    | Resumed
    | Changing
    | Changed
    | Rebooting
    | RebootNotSent
    | TooLate
    | Resubmitting
    | Resubmitted
    | Healthy
    | Green
    | GreenStandby
    | Seeding
    | Timed
    | Renewed
    | Unsubmitted
    | Unlinked
    | FirmwareRecord
    | SettingSecret
    | SecretNotSet
    | SecretSet
    | SecretsMayDiffer
    | SecretsLeftAlone
    | SecretInForce
    | Note
    | Backup
    | StepEnded
    | Stopped
    | End
)

_ANY: TypeAdapter[AnyRecord] = TypeAdapter(
    Annotated[AnyRecord, Field(discriminator="event")], config=ConfigDict(defer_build=True)
)


class UnfitRecordError(ValueError):
    """A line that is no record of this version of journals."""


def make(event: str, at: datetime, **fields: object) -> AnyRecord:
    """Return a record. Raises :class:`TypeError` for an event or a field that journals do not have: a fault of ours."""
    try:
        return _ANY.validate_python({"event": event, "at": at, **fields})
    except _ValidationError as error:
        raise TypeError(f"a journal has no such record '{event}': {_reason(error)}") from None


def parse(line: bytes) -> AnyRecord:
    """Read one line, without its end. Raises :class:`UnfitRecordError` where it is no record."""
    try:
        return _ANY.validate_python(json.loads(line.decode("ascii")))
    except _ValidationError as error:
        raise UnfitRecordError(_reason(error)) from None
    except UnicodeDecodeError:
        raise UnfitRecordError("it is not ASCII") from None
    except RecursionError:
        raise UnfitRecordError("it is nested too deeply") from None
    except ValueError as error:
        raise UnfitRecordError(str(error)) from None


def other_version(line: bytes) -> str | None:
    """Return the version of a journal by its first line, if it has one and it is another than this one."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    version = content.get("format") if isinstance(content, dict) else None
    return version if isinstance(version, str) and version != FORMAT else None


def _reason(error: _ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"][1:])), first["msg"])))
