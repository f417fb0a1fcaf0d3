"""What a record of a journal can hold: lists, clusters, HA parameters, each as it was or as it will be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StrictBool, StrictInt

from geoplan.topology.types import ApiUrl

if TYPE_CHECKING:
    from geoplan.live.model import HaFacts

FIRST_YEAR, LAST_YEAR = 1900, 9000


def _text(value: object) -> str:
    # Not left to the model: it takes no text with bytes beyond UTF-8, which a user's name or a path may well have.
    if not isinstance(value, str):
        raise ValueError("it is no text")  # noqa: TRY004 - a validator says so by this kind of error
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("it is no moment with a time zone")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:  # no journal was written then, and not every zone has such moments
        raise ValueError("it is no moment of this age")
    return moment


Text = Annotated[str, PlainValidator(_text)]
Moment = Annotated[datetime, PlainValidator(_moment)]
Addresses = tuple[Text, ...]


class Strict(BaseModel):
    """A model that takes what it names, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class FqdnValue(Strict):
    """An FQDN; of each of its maps the address, and the name of the cluster that it uses, empty for none."""

    name: Text
    maps: tuple[tuple[Text, Text], ...]


class ClusterValue(Strict):
    """A cluster as it was on a unit, or as it will be; the location is in degrees.

    Of one that is deleted all is kept that it takes to add it again, every FQDN of the unit, unless they could not be
    read, and the units of other sites that had it, too.
    """

    address: Text
    name: Text
    type: Text
    latitude: float | None = None
    longitude: float | None = None
    checker: Text | None = None
    enabled: StrictBool | None = None
    fqdns: tuple[FqdnValue, ...] | None = None
    also_on: Addresses | None = None


class HaValue(Strict):
    """A unit's HA parameters; what it did not tell is nothing."""

    mode: Text | None = None
    preferred_host: Text | None = None
    partner: Text | None = None
    health_check_port: StrictInt | None = None
    all_interfaces: StrictBool | None = None


def plain_ha(facts: HaFacts) -> dict[str, object]:
    """Return a unit's HA parameters as a record holds them."""
    return {
        "mode": facts.mode,
        "preferred_host": {True: "master", False: "none", None: None}[facts.prefers_master],
        "partner": facts.partner,
        "health_check_port": facts.health_check_port,
        "all_interfaces": facts.all_interfaces,
    }


class ReachedUnit(Strict):
    """Where a unit answers, as its topology says; an endpoints file goes before that."""

    api: ApiUrl
    health_check_port: int = Field(strict=True, ge=1, le=65535)


class FoundLists(Strict):
    """What a site's active unit held; None for a list that it did not tell."""

    remote_geo_access: Addresses | None = None
    geo_partners: Addresses | None = None


Value = Addresses | ClusterValue | HaValue | None
"""What a change finds and leaves: a list, a cluster, HA parameters; None where there was none, or it is not told."""


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Sight(StrEnum):
    """What a drill sees of a failover."""

    ACTIVE = "active"
    """The other unit is the active one."""
    BACK = "back"
    """The unit that was rebooted answers again."""
    WHOLE = "whole"
    """One unit is active, the other its standby, and both are where they stay."""
    SEES_GREEN = "sees_green"
    """The new active unit shows a partner green."""
    SEEN_GREEN = "seen_green"
    """A partner shows the new active unit green."""
    RED = "red"
    """A link with a partner stayed red on one of its ends until the end of the drill."""
    NOT_TOLD = "not_told"
    """Neither end has told the colour of a link, or one has not, and none says red."""
