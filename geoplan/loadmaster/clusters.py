"""GEO clusters over the API: added, made a Remote LM and placed, each step only where it is still to be done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from geoplan.addresses import canonical
from geoplan.errors import ClusterInTheWayError, UnusableAnswerError
from geoplan.loadmaster.model import ClusterType, GeoCluster
from geoplan.loadmaster.wire import Command

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from geoplan.loadmaster.session import Session

SECONDS_OF_ARC = 3600  # in a degree

Look: TypeAlias = "Callable[[], Awaitable[None]] | None"
"""What looks at units just before a request that changes one, which is not sent where it raises; or None."""


class ClusterCommands:
    """The clusters of one unit; ``read`` lists them."""

    def __init__(self, unit: str, session: Session, read: Callable[[], Awaitable[tuple[GeoCluster, ...]]]) -> None:
        self._unit = unit
        self._session = session
        self._read = read

    async def add_remote_lm(self, name: str, address: str, *, also_as: Collection[str] = (), look: Look = None) -> None:
        """Add a cluster and make it a Remote LM; see :meth:`geoplan.loadmaster.LoadMaster.add_remote_lm_cluster`."""
        find = partial(self._find, {canonical(known) for known in (address, *also_as)})
        cluster = await find()
        if cluster is None:
            add = Command("addcluster", {"ip": address, "name": name}, changes=True)

            async def is_added() -> bool:
                return await find() is not None

            await self._send(add, look, is_applied=is_added)
            # Under which of its addresses a pair shows it now is for the unit to say.
            cluster = await find() or GeoCluster(address, name, ClusterType.DEFAULT)
        if not cluster.is_named(name) or cluster.type not in (ClusterType.DEFAULT, ClusterType.REMOTE_LM):
            raise ClusterInTheWayError(
                self._unit,
                f"the address {cluster.address} belongs to the cluster '{cluster.name}' of type {cluster.type}, "
                f"where '{name}' of type {ClusterType.REMOTE_LM} is to be",
                hint="rename or remove that cluster on the unit, or give the site that cluster's name",
            )
        if cluster.type is not ClusterType.REMOTE_LM:
            await self._make_remote(cluster, find, look)

    async def _make_remote(
        self, cluster: GeoCluster, find: Callable[[], Awaitable[GeoCluster | None]], look: Look
    ) -> None:
        """Give a cluster its type."""

        def has_type(now: GeoCluster | None) -> bool:
            return now is not None and now.type is ClusterType.REMOTE_LM

        await self._modify(cluster, {"type": ClusterType.REMOTE_LM.value}, find, has_type, look)

    async def add_like(self, cluster: GeoCluster, look: Look = None) -> None:
        """Add a cluster as another unit has it, as far as that tells: type, checker, whether it is on, and place.

        One that is there already gets what it lacks of that. Raises :class:`ClusterInTheWayError` where its address
        has another name, or where its type is none that can be set.
        """
        find = partial(self._find, {canonical(cluster.address)})
        found = await find()
        if cluster.type is ClusterType.UNKNOWN or (found and found.name != cluster.name):
            raise ClusterInTheWayError(
                self._unit,
                f"the cluster '{cluster.name}' ({cluster.address}) of type {cluster.type} cannot be entered"
                + (f": that address belongs to '{found.name}'" if found else ""),
                hint="enter it by hand",
            )
        if found is None:
            add = Command("addcluster", {"ip": cluster.address, "name": cluster.name}, changes=True)

            async def is_added() -> bool:
                return await find() is not None

            await self._send(add, look, is_applied=is_added)
        wanted: dict[str, str | bool] = {"type": cluster.type.value}
        if cluster.checker and cluster.type is ClusterType.DEFAULT:
            wanted["checker"] = cluster.checker.lower()
        if cluster.enabled is not None:
            wanted["enable"] = cluster.enabled

        def has_all(now: GeoCluster | None) -> bool:
            return now is not None and now.type is cluster.type and now.enabled in (None, cluster.enabled)

        now = await find()
        if now and (not has_all(now) or "checker" in wanted):
            await self._modify(now, wanted, find, has_all, look)
        now = await find()
        here = (now.latitude, now.longitude) if now else None
        is_told = cluster.latitude is not None and cluster.longitude is not None
        if is_told and here != (cluster.latitude, cluster.longitude):
            await self.place(cluster.address, cluster.latitude or 0.0, cluster.longitude or 0.0, look)

    async def rename(self, address: str, name: str, look: Look = None) -> None:
        """Give a cluster another name. Raises :class:`UnusableAnswerError` where it is not there."""
        find = partial(self._find, {canonical(address)})
        cluster = await find()
        if cluster is None:
            raise UnusableAnswerError(self._unit, f"it has no cluster at {address}")
        await self._modify(cluster, {"name": name}, find, lambda now: now is not None and now.is_named(name), look)

    async def _modify(
        self,
        cluster: GeoCluster,
        wanted: Mapping[str, str | bool],
        find: Callable[[], Awaitable[GeoCluster | None]],
        has_all: Callable[[GeoCluster | None], bool],
        look: Look,
    ) -> None:
        """Change a cluster: by its address, or once the unit has refused that, by its number.

        The cluster is of a list read just before: with every cluster that goes, others can get its number.
        """

        async def is_so() -> bool:
            return has_all(await find())

        by_address = Command("modcluster", {"ip": cluster.address, **wanted}, changes=True)
        number = cluster.index
        by_number = None if number is None else Command("modcluster", {"id": number, **wanted}, changes=True)
        await self._send(by_address, look, other=by_number, is_applied=is_so)

    async def place(self, address: str, latitude: float, longitude: float, look: Look = None) -> None:
        """Place a cluster, in degrees, of which the unit takes whole seconds of arc."""
        wanted = (round(latitude * SECONDS_OF_ARC), round(longitude * SECONDS_OF_ARC))

        async def is_placed() -> bool:
            cluster = await self._find({canonical(address)})
            if cluster is None or cluster.latitude is None or cluster.longitude is None:
                raise UnusableAnswerError(self._unit, "it does not say where the cluster is")
            return (round(cluster.latitude * SECONDS_OF_ARC), round(cluster.longitude * SECONDS_OF_ARC)) == wanted

        place = Command("clustchangeloc", {"ip": address, "latsecs": wanted[0], "longsecs": wanted[1]}, changes=True)
        await self._send(place, look, is_applied=is_placed)

    async def delete(self, address: str) -> None:
        """Delete the cluster that the unit shows at an address; one that is not there is refused by the unit."""

        async def is_gone() -> bool:
            return await self._find({canonical(address)}) is None

        await self._session.change(Command("delcluster", {"ip": address}, changes=True), is_applied=is_gone, once=True)

    async def _send(
        self,
        command: Command,
        look: Look,
        *,
        other: Command | None = None,
        is_applied: Callable[[], Awaitable[bool]],
    ) -> None:
        if look:
            await look()
        await self._session.change(command, other=other, is_applied=is_applied)

    async def _find(self, addresses: Collection[str]) -> GeoCluster | None:
        return next((found for found in await self._read() if canonical(found.address) in addresses), None)
