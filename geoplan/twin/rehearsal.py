"""A push from its first run to its proof: what goes wrong meanwhile, and what its operator does about it."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.lab.device.unit import HaParameters, Mode, Power
from geoplan.live.findings.compare import Kind, Mend
from geoplan.live.model import HA_SUBJECT
from geoplan.push import abandoning
from geoplan.push.listener import PushListener
from geoplan.push.options import RebootMode
from geoplan.twin import cures
from geoplan.twin.behaviour import STRANGER
from geoplan.twin.shapes import shape_units
from geoplan.twin.stage import Stage, UnitsAtStart
from geoplan.twin.units import HaTold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from geoplan.lab.clock import Timings as LabTimings
    from geoplan.live.polling import Timings
    from geoplan.plan.model import Plan
    from geoplan.push.events import Event
    from geoplan.push.run import PushResult
    from geoplan.twin.script import Script
    from geoplan.twin.shapes import Shape

MAX_RUNS = 16
MENDED_AFTER = 6
"""Runs after which people mend by hand what keeps a push from going on."""

HIDDEN_SECONDS = 5.0
"""At most between a push's last look at the lists of a pair and the reboot that follows."""


class RunEnd(StrEnum):
    """How one run of a push ended."""

    DONE = "done"
    STOPPED = "stopped"
    KILLED = "killed"
    REFUSED = "refused"


class Heard(PushListener):
    """Keeps all that a push tells."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)


class Rehearsal(Stage):
    """A push to units in simulated time, with what a script has in store."""

    def __init__(  # noqa: PLR0913 - what a rehearsal is
        self, script: Script, plan: Plan, folder: Path, *, lab_timings: LabTimings, timings: Timings, seed: int = 0
    ) -> None:
        self.script = script
        start = UnitsAtStart(
            script.topology, lab_timings, script.firmware, script.variants, script.unpaired, script.longest_delay
        )
        super().__init__(
            start, plan, folder, options=script.options, timings=timings, seed=seed, has_key=script.has_key
        )
        self.last: PushResult | None = None
        """How the last push ended that came to its end."""
        self.heard = Heard()
        """What the last push told."""
        self.runs = 0
        self.course: list[RunEnd] = []
        """How each run ended."""
        self.story: list[str] = []
        """How each run ended, in words."""
        self.by_hand: list[Callable[[], object]] = []
        """What people do, once they see that a push does not get on by itself."""
        self.is_lifted = False
        """Whether all disturbances have ended."""
        self.is_mended = False
        self.is_over = False
        """Whether the push has come to its end: nobody touches anything after that."""
        self._has_proved = self._has_shown = self._has_switched = self._is_refused = False
        self._asked_for = 0
        """How many reboots the operator has asked for by name."""
        self._pushing: asyncio.Future[PushResult] | None = None
        self._left: Path | None = None
        """What a push that is being killed leaves on disk."""
        self._kills = 0
        self.must_remember = False
        """Whether a push before has left reboots out, or was given up before them: the next one makes up for them."""
        self.shapes: list[Shape] = shape_units(self.simulation)
        """How units answer otherwise than the lab's do."""
        for fault in script.faults:
            self.simulation.inject(fault)
        for behaviour in script.behaviours:
            behaviour.begin(self)

    def has_partners(self, address: str) -> bool:
        """Return whether the active unit of a unit's site has its partners by now."""
        unit = self.active_unit(self.network.unit(address).site)
        return unit is not None and bool(unit.geo_partners)

    def until_mended(self, shape: Shape) -> Shape:
        """Return a shape that ends once people have mended what keeps the push from going on."""
        return lambda dialect, context, call: None if self.is_mended else shape(dialect, context, call)

    async def run(self) -> list[str]:
        """Push until it is done; return what was wrong with the way or the end."""
        kills = list(self.script.kills)
        resume = False
        for number in range(MAX_RUNS):
            if number >= len(self.script.kills) + self.script.lifted_after:
                await self._lift_and_wait()
            if number >= len(self.script.kills) + MENDED_AFTER:
                self._mend()
            self._is_refused = False
            try:
                result = await self._push(resume=resume, kill_after=kills.pop(0) if kills else None)
            except TimeoutError:
                self._note(RunEnd.KILLED, "the push was killed")
                resume = self._goes_on()
            except PushStoppedError as error:
                self._note(RunEnd.STOPPED, str(error))
                resume = self._goes_on()
                self.restart_pacified()
                self.make_masters_active(preferred_alone=True)
            except PushRefusedError as error:
                self._is_refused = True
                self._note(RunEnd.REFUSED, "; ".join([str(error), *error.problems]))
                if not error.problems and not error.hint:
                    self.watch.say(f"it was refused and does not say what to do: {error}")
                resume = self.is_unfinished
                self.restart_pacified()
                self.make_masters_active()
                self.take_back_hands()
                if self.is_lifted:
                    cures.enter_again(self)
                    self.options = replace(self.options, accept_geo_merge=True)  # its hint, where only that is left
                await asyncio.sleep(60.0)
            except GeoplanError as error:
                self.watch.say(f"{type(error).__name__}: {error}")
                break
            else:
                self._note(RunEnd.DONE, "complete" if result.is_complete else "done with findings")
                if await self._is_end(result):
                    return self.broken
                resume = False
                continue
            if number > len(self.script.kills):
                await asyncio.sleep(30.0)
        self.watch.say("it never came to an end")
        return self.broken

    def _note(self, end: RunEnd, words: str) -> None:
        self.course.append(end)
        self.story.append(words if end is RunEnd.DONE else f"{end}: {words}")

    async def _is_end(self, result: PushResult) -> bool:
        """Do what a result asks for; where it asks for nothing, check the end."""
        if self.restart_pacified():  # its own screen shows it, and no answer of its API
            await asyncio.sleep(2 * self.start.lab_timings.boot_seconds)
            return False
        if self.options.reboot is RebootMode.NEVER:
            self.check_claim(result)
            self.options = replace(self.options, reboot=RebootMode.CHANGED)  # an ordinary push: it has to know
            return False
        if self.must_remember and (red := self.red_in_any_state()):
            self.watch.say(f"reboots that were left out were not made up for: red after a failover {sorted(red)}")
        self.must_remember = False
        pairs = tuple(dict.fromkeys((*result.report.pairs_to_finish, *result.unfinished_pairs)))
        if pairs:
            # What it reports has to be what finishes them.
            self.check_claim(result)
            self._asked_for += len(pairs)
            self.options = replace(self.options, reboot_sites=pairs)
            return False
        if not result.is_complete and not self._has_switched and self.make_masters_active():
            self._has_switched = True  # what a master forgot is mended where it is active
            await asyncio.sleep(10.0)
            return False
        if self._needs_hands(result):
            self._mend()
            return False
        if not result.is_complete and not self._has_shown and self._show(result.report.unproven):
            self._has_shown = True
            await asyncio.sleep(10.0)
            return False
        if self._wants_proof(result):
            self._has_proved = True
            pairs = tuple(site.name for site in self.plan.sites if site.kind == "ha_pair")
            self._asked_for += len(pairs)
            self.options = replace(self.options, reboot_sites=pairs)
            return False
        self.is_over = True
        await asyncio.sleep(150.0)  # a flapping unit is still to go down twice
        if self.restart_pacified():  # which may be once too often: as long as it is passive nothing fails over to it
            await asyncio.sleep(2 * self.start.lab_timings.boot_seconds)
        self._check_end(result)
        return True

    def _needs_hands(self, result: PushResult) -> bool:
        """Return whether a push has named what it leaves as it is, which nobody has changed by hand so far."""
        return not self.is_mended and any(found.mends is Mend.LEFT for found in result.report.differences)

    def _wants_proof(self, result: PushResult) -> bool:
        """Return whether links are red and nobody can tell: who wants to know has all pairs rebooted once."""
        is_hidden = not result.is_complete and self.script.hides_colours
        return is_hidden and not self._has_proved and bool(self.red_in_any_state())

    async def _push(self, *, resume: bool, kill_after: float | None = None) -> PushResult:
        """Push once. Raises :class:`TimeoutError` where it is killed."""
        self.runs += 1
        self.heard = Heard()
        self._pushing = asyncio.ensure_future(self.push_once(self.heard, resume=resume))
        try:
            async with asyncio.timeout(kill_after):
                self.last = await self._pushing
                return self.last
        except asyncio.CancelledError:
            if self._left is None:
                raise
            self.folder, self._left = self._left, None
            raise TimeoutError from None

    def kill(self) -> None:
        """Kill the push that runs: all that it leaves on disk is what is there now, and nothing that it writes yet."""
        if self._pushing is None or self._pushing.done():
            return
        self._kills += 1
        self._left = self.folder.with_name(f"{self.folder.name.partition('~')[0]}~{self._kills}")
        shutil.copytree(self.folder, self._left)
        self._pushing.cancel()

    async def _look_up(self, host: str) -> tuple[str, ...]:
        """Return the address of a unit by the name of its host."""
        units = self.network.units.values() if self.script.knows_hosts else ()
        return tuple(unit.address for unit in units if unit.own["hostname"] == host)

    # -- what people do ----------------------------------------------------------------------------------------------

    async def _lift_and_wait(self) -> None:
        if not self.is_lifted:
            self.lift()
            await asyncio.sleep(self.script.patience_seconds)
        self.lift()

    def lift(self) -> None:
        """End all disturbances, and give power to every unit that has none."""
        if not self.is_lifted:
            self.is_lifted = True
            for behaviour in self.script.behaviours:
                behaviour.end(self)
        self.simulation.lift_all()
        self._power_all_on()

    def take_back_hands(self) -> None:
        """Take back what hands have added to lists, as a push that refuses because of it asks for."""
        for (site, name), added in self.watch.handed.items():
            unit = self.active_unit(site)
            if unit is None:
                continue
            held = unit.geo_partners if name == GEO_PARTNERS else unit.remote_geo_access
            if left := [address for address in held if address not in added]:
                if len(left) < len(held):
                    self.network.set_parameter(unit, name, tuple(left))
            elif held:
                self.network.set_parameter(unit, name, ())

    def _mend(self) -> None:
        """Do by hand what keeps this estate from any push: standbys that only say HTTP 500, pairs that never form."""
        script = self.script
        needs = {behaviour.needs_hands for behaviour in script.behaviours}
        in_ha = "refused in HA" in needs and self._is_refused and (script.unpaired or script.verifies_ha)
        if self.is_mended or not ("always" in needs or ("unpaired" in needs and script.unpaired) or in_ha):
            return
        self.is_mended = True
        for pair in self.network.pairs.values():
            for unit, other in (pair.units, pair.units[::-1]):
                if unit.ha.mode == "single":
                    mode: Mode = "master" if unit is pair.master else "slave"
                    port = unit.published_health_port or 0
                    prefers = self.plan.site(unit.site).preferred_host != "none"
                    self.network.set_ha(unit, HaParameters(mode, other.address, port, prefers))
        for do in self.by_hand:
            do()

    def _show(self, unproven: Collection[str]) -> bool:
        """Switch over to standbys whose links nothing proves, as the end of a push asks for: then they tell."""
        standbys = {site: pair.standby for site, pair in self.network.pairs.items()}
        sites = [site for site, standby in standbys.items() if standby and standby.address in unproven]
        for site in sites:
            self.simulation.fail_over(site)
        return bool(sites)

    def _goes_on(self) -> bool:
        """Return whether the operator resumes a push that is left unfinished; abandon it where that is the script."""
        unfinished = self.is_unfinished
        if unfinished and self.script.abandons:
            self.script.abandons -= 1
            self.abandon()
            return False
        return unfinished

    def begin_anew(self, times: int) -> None:
        """Let people abandon what stops so many times and push again without a wait, before anything ends."""
        self.script.lifted_after, self.script.abandons, self.script.patience_seconds = times, times, 0.0

    def abandon(self) -> None:
        """Abandon the unfinished push, as ``--abandon`` does."""
        abandoning.abandon(self.store, self.time, lambda _past, _unfinished: None)
        if self.is_unfinished:
            self.watch.say("a push was abandoned, and is unfinished all the same")

    # -- invariants --------------------------------------------------------------------------------------------------

    def check_lists(self, also: frozenset[str] = frozenset()) -> None:
        """Let lists be what hands have made of them as well."""
        by_hand = frozenset({STRANGER}) if self.watch.handed or self.watch.is_edited else frozenset[str]()
        super().check_lists(also | by_hand)

    def check_claim(self, result: PushResult, lost: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Leave out what nobody could see go."""
        super().check_claim(result, lost | self._lost_unseen())

    def _lost_unseen(self) -> frozenset[tuple[str, str]]:
        """Return the links of units that lost one to a hand between a push's last look at the lists and the reboot.

        The other unit's submission brings the list back, and nothing shows any more that the link is gone.
        """
        lost = {
            unit.address
            for site, at in self.watch.removed_by_hand
            for unit in self.network.units.values()
            if unit.site == site and any(0 <= reboot - at < HIDDEN_SECONDS for reboot in unit.reboots)
        }
        return frozenset((one, other) for one, other in product(self.network.units, repeat=2) if lost & {one, other})

    def _check_end(self, result: PushResult) -> None:
        self.check_pairs()
        if not result.is_complete and not self._is_untold(result):
            self.watch.say(f"the end is not complete: {result.report.differences}, {result.unfinished_pairs}")
        self.check_clusters()
        self.check_claim(result)
        self.check_done()
        if result.is_complete and not any(behaviour.hides_standbys for behaviour in self.script.behaviours):
            self.check_standbys()
        # What a unit has forgotten, or only seemed to take, shows by its colours alone.
        may_be_red = self.script.hides_colours and any(f.startswith(("lose", "ignore")) for f in self.script.faults)
        if not result.is_complete and not may_be_red and (red := self.red_in_any_state()):
            self.watch.say(f"red after a failover: {sorted(red)}")
        # Each of two absences is a reboot by itself, and may take the window of another pair's submission.
        flaps = sum(4 for fault in self.script.faults if fault.startswith("flap"))
        self.check_reboots(self.script.incidents + flaps + self._asked_for)

    def _is_untold(self, result: PushResult) -> bool:
        """Return whether an end that is not complete is due to nothing but what units do not tell."""
        untold = {found.subject for found in result.report.differences if found.kind in (Kind.UNREADABLE, Kind.RED)}
        told = [found for found in result.report.differences if found.kind not in (Kind.UNREADABLE, Kind.RED)]
        hides_mode = any(isinstance(behaviour, HaTold) for behaviour in self.script.behaviours)
        known = {"partner_status"} if self.script.hides_colours else set()
        known |= {HA_SUBJECT} if hides_mode else set()
        return not told and untold <= known and bool(known)

    def _power_all_on(self) -> None:
        for unit in self.network.units.values():
            if unit.power is Power.OFF:
                self.simulation.power_on(unit.address)
