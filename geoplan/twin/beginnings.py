"""How a rehearsal can begin otherwise than usual: what units have lost since a push, and what its operator asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from geoplan.lab.device.network import MAX_REBOOTS
from geoplan.lab.device.parameters import GEO_PARTNERS, REMOTE_GEO_ACCESS
from geoplan.live.polling import Timings
from geoplan.push.options import RebootMode
from geoplan.topology.model import SYNC_FLOOR_SECONDS
from geoplan.twin import shapes
from geoplan.twin.behaviour import Behaviour, Hands, Place
from geoplan.twin.between import LostRequest

if TYPE_CHECKING:
    from geoplan.lab.device.geo import Cluster
    from geoplan.lab.device.unit import Unit

QUICK_BOOT, QUICK_BOOT_TOLD, QUICK_SYNC = 15.0, 20.0, 5.0
"""A boot that is over before the client has given up on the answer to the reboot, and as what it is told."""


@dataclass(frozen=True)
class NoRebootsAtFirst(Behaviour):
    """The operator pushes without reboots first, and ordinarily after that."""

    lasting: ClassVar[bool] = True

    def begin(self, world: Place) -> None:
        """Ask for it."""
        world.options = replace(world.options, reboot=RebootMode.NEVER)
        world.must_remember = True


@dataclass(frozen=True)
class Debts(Behaviour):
    """A push is given up before its reboots: the next one has to make up for them."""

    lasting: ClassVar[bool] = True
    costs: ClassVar[int] = 0

    def begin(self, world: Place) -> None:
        """See that it does."""
        world.must_remember = True


@dataclass(frozen=True)
class ShortEstimates(Behaviour):
    """The topology says that units replicate at once, and they take as long as ever, up to what a push reckons with."""

    lasting: ClassVar[bool] = True

    def begin(self, world: Place) -> None:
        """Let the push go by the wrong time."""
        seconds = min(world.sync_seconds, SYNC_FLOOR_SECONDS)
        _set_sync(world, seconds)
        told = type(world.timings).of(world.plan.estimates.model_copy(update={"sync_seconds": 0.0}))
        world.timings = replace(world.timings, sync_seconds=told.sync_seconds)


@dataclass(frozen=True)
class AnswerLostByQuickUnit(LostRequest):
    """The answer to a reboot is lost, and the units are back before the client gives it up."""

    costs: ClassVar[int] = 0

    def begin(self, world: Place) -> None:
        """Let all units be quick, as the topology says."""
        world.network.timings = replace(world.network.timings, boot_seconds=QUICK_BOOT)
        _set_sync(world, QUICK_SYNC)
        world.timings = Timings(QUICK_BOOT_TOLD, QUICK_SYNC)
        super().begin(world)


@dataclass(frozen=True)
class EarlyReturns(Behaviour):
    """A unit is back from each of its reboots before its partner can take the partners; then all pairs are rebooted."""

    unit: str
    costs: ClassVar[int] = 8

    def begin(self, world: Place) -> None:
        """Let it go on; the operator has no patience, and begins anew each time."""
        world.begin_anew(MAX_REBOOTS + 1)
        world.simulation.inject(f"early-return,unit={self.unit}")

    def end(self, world: Place) -> None:
        """Ask for all reboots."""
        world.options = replace(world.options, reboot=RebootMode.ALWAYS)


@dataclass(frozen=True)
class IgnoredSubmissions(Behaviour):
    """Units say that they have taken their partners, and have not."""

    units: tuple[str, ...]

    def begin(self, world: Place) -> None:
        """Let it go on."""
        for unit in self.units:
            world.simulation.inject(f"ignore,unit={unit},command=set:{GEO_PARTNERS}")


@dataclass(frozen=True)
class DeafUnits(Behaviour):
    """Units take their HA parameters and leave one of them as it is, until a person sets it."""

    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "always"
    parameter: Literal["hcai", "haprefered", "partner"]

    def begin(self, world: Place) -> None:
        """Let it go on."""
        world.shapes.append(world.until_mended(shapes.deaf_to(self.parameter)))
        world.by_hand.append(lambda: self._set(world))

    def _set(self, world: Place) -> None:
        for site in world.network.pairs:
            pair = world.plan.ha_pair(site)
            for wanted in (pair.master, pair.slave):
                unit = world.network.unit(wanted.address)
                if unit.ha.mode != "single":
                    planned = replace(
                        unit.ha,
                        partner=wanted.partner,
                        prefer_master=wanted.preferred_host == "master",
                        all_interfaces=wanted.all_interfaces,
                    )
                    world.network.set_ha(unit, planned)


# -- since an earlier push ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EmptiedList(Behaviour):
    """Somebody has emptied the access list of a site, so that there is something to push."""

    lasting: ClassVar[bool] = True
    unit: str

    def begin(self, world: Place) -> None:
        """Empty it."""
        world.network.set_parameter(world.network.unit(self.unit), REMOTE_GEO_ACCESS, ())


@dataclass(frozen=True)
class EmptiedNewcomer(Behaviour):
    """A unit that joins others had their GEO configuration once; somebody has deleted all of it there only now."""

    lasting: ClassVar[bool] = True
    unit: str
    source: str

    def begin(self, world: Place) -> None:
        """Delete it; linked as it is, the unit would let its partners know."""
        network = world.network
        source, unit = network.unit(self.source), network.unit(self.unit)
        clusters = [cluster for _, cluster in network.geo.clusters(source)]
        network.geo.replace_all(unit, clusters, list(network.geo.fqdns(source)))
        network.geo.replace_all(unit, [], [])


@dataclass(frozen=True)
class EmptyStandby(Behaviour):
    """The standby of a pair has lost its partners, until somebody lets the pair replicate again."""

    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "always"
    site: str

    def begin(self, world: Place) -> None:
        """Take them."""
        pair = world.network.pair(self.site)
        pair.slave.configuration = pair.slave.configuration.with_settings({GEO_PARTNERS: ()})
        world.by_hand.append(pair.changed)


@dataclass(frozen=True)
class ForgottenLinks(Behaviour):
    """All links are gone, and all lists are in place."""

    lasting: ClassVar[bool] = True

    def begin(self, world: Place) -> None:
        """Forget them."""
        for unit in world.network.units.values():
            if unit.role != "slave":
                world.network.partners.forget(unit)


@dataclass(frozen=True)
class StaleCluster(Behaviour):
    """The cluster of a pair carries the slave's address while the master is active, which no step mends."""

    site: str
    cluster: str

    def begin(self, world: Place) -> None:
        """Let it go on; nothing may be changed meanwhile."""
        slave, address_of = world.network.pair(self.site).slave.address, world.network.geo.address_of

        def stale(cluster: Cluster, asked: Unit) -> str:
            is_meant = cluster.name == self.cluster and not world.is_lifted
            return slave if is_meant else address_of(cluster, asked)

        world.network.geo.address_of = stale  # type: ignore[method-assign]
        why = f"no step mends that the cluster '{self.cluster}' does not follow the active unit"
        world.watch.forbids.append(lambda _unit, _subject: None if world.is_lifted else why)


def _set_sync(world: Place, seconds: float) -> None:
    world.sync_seconds = seconds
    world.network.timings = replace(world.network.timings, sync_seconds=seconds)
    for pair in world.network.pairs.values():
        pair.set_timings(world.network.timings)
