"""The runbook as data: what every format of it says, in the order in which it says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from geoplan.plan.model import Action
    from geoplan.render.runbook.prose import Label, Name, Prose, Span, Url, Value
    from geoplan.render.runbook.wui import Screen


class Fact(NamedTuple):
    """One line of the overview."""

    label: str
    text: Prose


class UnitRow(NamedTuple):
    """One LoadMaster, where to reach it, and what it answers before the first step."""

    site: Name
    role: str
    address: Value
    wui: Url
    """Its web interface."""
    nat_address: Value | None
    health: Url | None
    """Where it answers the health check; a standalone need not."""
    firmware: Value | None
    """What it runs before the first step, where that is to change."""
    answer: Value | None
    """The status that it has before the first step; none before its HA parameters are set."""


class UnitParameters(NamedTuple):
    """A unit of a pair with the HA parameters that it is to have."""

    site: Name
    role: str
    address: Value
    mode: Label
    preferred: Label
    partner: Value
    port: Value
    all_interfaces: str


class UnitState(NamedTuple):
    """What the web interface says of a unit top right, and what that means."""

    shown: Label
    meaning: Prose


class Item(NamedTuple):
    """One of several things of a check, to be ticked by itself."""

    id: str
    text: Prose


class Check(NamedTuple):
    """Something to see to before the first step or after the last."""

    id: str
    title: Prose
    lines: tuple[Prose, ...] = ()
    items: tuple[Item, ...] = ()
    blank: str | None = None
    """What is to be written down beside it, by hand."""


class SiteLists(NamedTuple):
    """A site's two lists, addresses separated by spaces."""

    site: Name
    remote_geo_access: Value
    geo_partners: Value | None


class Login(NamedTuple):
    """The unit on which a step is done."""

    unit: Prose
    """By site and role or state."""
    url: Url
    """Of its web interface."""
    tell: Prose | None = None
    """How to tell the active unit from the standby."""


class Field(NamedTuple):
    """A value and the field that takes it."""

    label: Label
    value: Value
    remark: Prose | None = None


class Button(NamedTuple):
    """A button to press."""

    label: Label


class Choice(NamedTuple):
    """What a list or a number is set to, where nothing is pasted."""

    label: Label
    option: Span
    remark: Prose | None = None


class Task(NamedTuple):
    """Something to do that one field or button cannot say."""

    text: Prose


Move = Field | Button | Choice | Task


class RunbookStep(NamedTuple):
    """One step: where, what, and how to see that it worked."""

    number: int
    id: str
    action: Action
    title: Prose
    wait_before: tuple[Prose, ...]
    login: Login
    screen: Screen
    moves: tuple[Move, ...]
    expect: Prose
    wait_after: tuple[Prose, ...]
    why: str
    note: str | None
    section: str
    seconds: int
    """What it adds to the estimated window."""


class Phase(NamedTuple):
    """Steps that belong together, under one heading."""

    title: Prose
    steps: tuple[RunbookStep, ...]


class Trouble(NamedTuple):
    """What to do when a step of one kind goes wrong."""

    action: Action
    title: str
    in_place: tuple[Prose, ...]
    go_on: tuple[Prose, ...]
    go_back: tuple[Prose, ...]


class Runbook(NamedTuple):
    """Everything that a person follows in the maintenance window."""

    name: Name
    checksum: Value
    summary: Prose
    facts: tuple[Fact, ...]
    handing_over: Prose
    how_to_tell: Prose | None
    """How to tell the active unit of a pair from the standby."""
    check_command: Value | None
    """That, from a shell."""
    units: tuple[UnitRow, ...]
    new_firmware: Value | None
    """The version to which they are brought, where that is what is done."""
    before: tuple[Check, ...]
    pairs: tuple[UnitParameters, ...]
    """Of the pairs that are formed."""
    states: tuple[UnitState, ...]
    """What the units of those can show."""
    lists: tuple[SiteLists, ...]
    phases: tuple[Phase, ...]
    verify: tuple[Check, ...]
    trouble: tuple[Trouble, ...]
    seconds: int
    """The estimated window."""

    @property
    def steps(self) -> tuple[RunbookStep, ...]:
        """All steps in order."""
        return tuple(step for phase in self.phases for step in phase.steps)
