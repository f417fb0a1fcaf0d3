"""One LoadMaster over its API, in the words of this product."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from geoplan.addresses import same_addresses
from geoplan.errors import UnitRefusedError, UnusableAnswerError
from geoplan.loadmaster import decode
from geoplan.loadmaster.clock import LoopClock
from geoplan.loadmaster.clusters import ClusterCommands
from geoplan.loadmaster.credentials import ApiKey
from geoplan.loadmaster.firmware import FirmwareCommands
from geoplan.loadmaster.ha import HA_COMMANDS, NEWER_WORDS, has_parameters, is_host_name
from geoplan.loadmaster.ha_changes import HaChangeCommands
from geoplan.loadmaster.health import HealthAnswer, health_answer
from geoplan.loadmaster.http import UnitHttp
from geoplan.loadmaster.model import State
from geoplan.loadmaster.pace import Pace
from geoplan.loadmaster.partner_secret import PartnerSecretCommands
from geoplan.loadmaster.partner_status import partner_status
from geoplan.loadmaster.session import Retries, Session
from geoplan.loadmaster.settings import (
    GEO_PARTNERS,
    REMOTE_GEO_ACCESS,
    SSH_ACCESS,
    VERSION,
    read_boot_time,
    read_change_time,
    read_ha_status,
    read_settings,
)
from geoplan.loadmaster.shared_credentials import SharedCredentials
from geoplan.loadmaster.tls import Insecure
from geoplan.loadmaster.wire import Answer, Command, UnusableError, require_few_entries
from geoplan.vendor import GEO_RESTORE_TYPE, HOST_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import httpx

    from geoplan.loadmaster.clock import Clock
    from geoplan.loadmaster.clusters import Look
    from geoplan.loadmaster.connection import UnitConnection
    from geoplan.loadmaster.ha import HaCommands
    from geoplan.loadmaster.http import IdleConnections, ShownRequest
    from geoplan.loadmaster.model import GeoCluster, GeoFqdn, HaFacts, HaMode, HaSettings, HaStatus, UnitSettings
    from geoplan.loadmaster.raw import RawAnswer
    from geoplan.loadmaster.wire import WireFormat

Value = TypeVar("Value")


class LoadMaster(FirmwareCommands, HaChangeCommands, PartnerSecretCommands):
    """Talk to one unit while the ``async with`` block lasts.

    ``transport`` replaces the network and stays open; ``clock`` and ``jitter``, which returns a number from 0 to 1,
    drive the pauses between attempts. ``observer`` is told every request, secrets masked, just before it is sent.
    With ``changes_once`` no change is sent a second time, whatever became of the first: for callers that look at the
    unit again before each attempt. A reboot, an HA mode and a resubmission are never sent a second time. With
    ``dry_run`` changes go to the observer alone and count as done. Clients of many units share an ``idle``, all
    clients of one unit its ``pace``, and all units with the same credentials what is ``shared`` of those.

    Every method may raise the children of :class:`geoplan.errors.UnitError`. Of those a change raises
    :class:`geoplan.errors.UnclearOutcomeError` where it cannot tell whether it was carried out; after any other
    error of a single change the unit has not carried it out.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        access: UnitConnection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        retries: Retries | None = None,
        observer: Callable[[ShownRequest], None] | None = None,
        changes_once: bool = False,
        dry_run: bool = False,
        idle: IdleConnections | None = None,
        pace: Pace | None = None,
        shared: SharedCredentials | None = None,
    ) -> None:
        clock = clock or LoopClock()
        self.access = access
        self.address = access.address
        self.is_trusted = not isinstance(access.trust, Insecure)
        self._transport = transport
        self._exchange = UnitHttp(access, transport=transport, observer=observer, idle=idle)
        self._session = Session(
            self._exchange,
            api_version=access.api_version,
            has_key=isinstance(access.credentials, ApiKey),
            partner=access.partner,
            clock=clock,
            jitter=jitter,
            retries=retries or Retries(),
            pace=pace or Pace(clock),
            shared=shared or SharedCredentials(),
            changes_once=changes_once,
            dry_run=dry_run,
        )
        self._clusters = ClusterCommands(self.address, self._session, self.clusters)
        self._ha_commands: HaCommands | None = None
        self._looked_up: dict[str, tuple[str, ...]] = {}
        self._own_health_port: int | None = None
        """Where its own HA parameters say that it answers the health check."""

    @property
    def certificate(self) -> str | None:
        """The fingerprint of the certificate behind its last answer, or None before one."""
        return self._exchange.certificate

    async def __aenter__(self) -> Self:
        """Make ready; nothing is sent yet."""
        await self._exchange.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close all connections."""
        await self._exchange.close()

    # -- the unit itself ---------------------------------------------------------------------------------------------

    async def state(self) -> State:
        """Return what its health check says, which needs no login; a unit without one is ``UNKNOWN``."""
        answer = await self.health()
        return answer.state if answer else State.UNKNOWN

    async def health(self) -> HealthAnswer | None:
        """Return what its health check says and answered, or None for a unit without one."""
        if self.access.health_url is None:
            return None
        urls = (self.access.health_url, self.access.health_url_at(self._own_health_port))
        ask = partial(health_answer, timeout_seconds=self.access.timeouts.health, transport=self._transport)
        found = await asyncio.gather(*(ask(url) for url in dict.fromkeys(urls) if url))
        return next((answer for answer in found if answer.state is not State.DOWN), found[0])

    async def ha_status(self, *, once: bool = False) -> HaStatus | None:
        """Return what its API says of its place in its pair, or None for an answer that tells nothing."""
        return await read_ha_status(self._session, once=once)

    async def settings(self) -> UnitSettings | None:
        """Return all parameters that one call tells, or None where the unit does not answer it."""
        return await read_settings(self._session)

    async def firmware(self) -> str:
        """Return the version it runs, for example ``7.2.54.12.22642.RELEASE``."""
        return await self._get(VERSION, decode.text)

    @property
    def wants_basic(self) -> bool:
        """Whether it was seen to refuse APIv2 for a setting of its logins, so that it is spoken to in APIv1.

        APIv2 needs Session Management on, and *Require Basic Authentication* off.
        """
        return self._session.wants_basic

    @property
    def formats(self) -> tuple[WireFormat, ...]:
        """The wire formats in which it may be spoken to."""
        return self._session.formats

    async def read_raw(self, wire: WireFormat, command: Command) -> RawAnswer:
        """Send a command that only reads once, and return whatever came of it; see :meth:`Session.read_raw`."""
        return await self._session.read_raw(wire, command)

    async def remote_ssh_access(self) -> bool:
        """Return whether *Allow Remote SSH Access* is on."""
        return await self._get(SSH_ACCESS, decode.flag)

    async def backup(self) -> bytes:
        """Return a backup file of the whole unit."""
        answer = await self._session.read(Command("backup", file=True))
        return self._understood(decode.file, answer)

    async def host_name(self) -> str:
        """Return the name of its host."""
        return await self._get(HOST_NAME, decode.text)

    async def virtual_services(self) -> int:
        """Return how many virtual services it has."""
        return await self._list("listvs", decode.virtual_services, 0)

    async def reboot(self) -> None:
        """Send the reboot and return once the unit has taken it; it is gone soon afterwards.

        It is sent once. :class:`UnitUnreachableError` says that it was not sent at all. An answer can be lost to the
        reboot itself: :class:`UnclearOutcomeError` says so, and only whether the unit goes down can tell.
        """
        await self._session.change(Command("reboot", changes=True), once=True)

    async def boot_time(self) -> str | None:
        """Return when it was booted last, in the unit's own words, or None if it does not tell."""
        return await read_boot_time(self._session)

    async def change_time(self) -> str | None:
        """Return when its configuration was changed last, in the unit's own words, or None if it does not tell."""
        return await read_change_time(self._session)

    # -- GEO ---------------------------------------------------------------------------------------------------------

    async def geo_enabled(self) -> bool:
        """Return whether GEO is on."""
        try:
            answer = await self._session.read(Command("isgeoenabled"))
        except UnitRefusedError as refusal:
            if decode.says_disabled(refusal.answer):
                return False
            raise
        return self._understood(decode.geo_enabled, answer)

    async def remote_geo_access(self) -> tuple[str, ...]:
        """Return Remote GEO LoadMaster Access in the unit's order."""
        return await self._get(REMOTE_GEO_ACCESS, decode.addresses)

    async def geo_partners(self) -> tuple[str, ...]:
        """Return GEO LoadMaster Partners in the unit's order."""
        return await self._get(GEO_PARTNERS, decode.addresses)

    async def set_remote_geo_access(self, addresses: Sequence[str]) -> None:
        """Enter Remote GEO LoadMaster Access."""
        await self._set_list(REMOTE_GEO_ACCESS, addresses)

    async def set_geo_partners(self, addresses: Sequence[str]) -> None:
        """Enter GEO LoadMaster Partners where they differ; for the same list again see ``resubmit_geo_partners``."""
        await self._set_list(GEO_PARTNERS, addresses)

    async def resubmit_geo_partners(self, addresses: Sequence[str]) -> None:
        """Submit an unchanged partners list again, so that the unit forms its links (section 5.2).

        It is sent once. Reading back tells nothing of a list that does not change, so a lost answer is an
        :class:`UnclearOutcomeError`; to submit it once more does no harm once the right unit is known to be active.
        """
        await self._session.change(_setting(GEO_PARTNERS, addresses), once=True)

    async def partner_status(self) -> Mapping[str, bool | None]:
        """Return whether each partner is green, or None for a colour that cannot be read."""
        return await self._list("getgeopartnerstatus", partner_status, {})

    async def fqdns(self) -> tuple[str, ...]:
        """Return the names of the GEO FQDNs."""
        return await self._list("listfqdns", decode.fqdns, ())

    async def fqdn_maps(self) -> tuple[GeoFqdn, ...]:
        """Return the GEO FQDNs with their maps: each is asked for by itself where the list tells none of its maps."""
        nothing: tuple[GeoFqdn, ...] = ()
        listed = await self._list("listfqdns", decode.fqdn_maps, nothing)
        return tuple([fqdn if fqdn.maps else await self._fqdn(fqdn.name) for fqdn in listed])

    async def _fqdn(self, name: str) -> GeoFqdn:
        answer = await self._session.read(Command("showfqdn", {"fqdn": name}))
        return self._understood(lambda given: decode.fqdn_map(given, name), answer)

    async def clusters(self) -> tuple[GeoCluster, ...]:
        """Return the GEO clusters."""
        return await self._list("listclusters", decode.clusters, ())

    async def add_remote_lm_cluster(
        self, name: str, address: str, *, also_as: Collection[str] = (), look: Look = None
    ) -> None:
        """Add a cluster and make it a Remote LM, or finish one that was added and is still of type default.

        ``also_as`` are addresses under which the unit may show it instead: a pair replaces its own (section 4).
        ``look`` is called just before each request. A cluster that is as it should be is left alone. Raises
        :class:`ClusterInTheWayError` where the address is taken by another name or type, and
        :class:`RefusedSpellingError` where the unit wants a cluster named by its number. After an error the first half
        may be in place; call it again.
        """
        await self._clusters.add_remote_lm(name, address, also_as=also_as, look=look)

    async def add_cluster_like(self, cluster: GeoCluster, *, look: Look = None) -> None:
        """Add a cluster as another unit has it, as far as that one tells and this one takes."""
        await self._clusters.add_like(cluster, look)

    async def rename_cluster(self, address: str, name: str, *, look: Look = None) -> None:
        """Give the cluster at an address another name."""
        await self._clusters.rename(address, name, look)

    async def restore_geo(self, content: bytes) -> None:
        """Restore *GEO Configuration* alone from a unit's backup, once; what else a unit does on it nobody confirms."""
        restore = Command("restore", {"type": GEO_RESTORE_TYPE}, changes=True, upload=content)
        await self._session.change(restore, once=True)

    async def set_cluster_location(self, address: str, latitude: float, longitude: float, *, look: Look = None) -> None:
        """Place a cluster, in degrees, of which the unit takes whole seconds of arc."""
        await self._clusters.place(address, latitude, longitude, look)

    async def delete_cluster(self, address: str) -> None:
        """Delete a cluster once, by the address that the unit shows; every unit that it is linked with loses it too."""
        await self._clusters.delete(address)

    # -- HA ----------------------------------------------------------------------------------------------------------

    async def ha_parameters(self) -> HaFacts | None:
        """Return the HA parameters of a cloud unit, or None if the unit tells none: it refuses, or is of no cloud."""
        for family in (self._ha_commands,) if self._ha_commands else HA_COMMANDS:
            try:
                answer = await self._session.read(Command(family.tell))
            except UnitRefusedError:
                continue
            if decode.has_content(answer.content):  # a success without any means: no unit of that cloud
                self._ha_commands = family
                found = self._understood(decode.ha_parameters, answer)
                self._own_health_port = found.health_check_port or None
                return await self._with_addresses(found)
        return None

    async def _with_addresses(self, found: HaFacts) -> HaFacts:
        """Return HA parameters with the addresses of a partner that is given by its name; of one name alone."""
        name = found.partner or ""
        if self.access.resolve is None or not is_host_name(name):
            return found
        if not self._looked_up:
            self._looked_up[name] = ()  # whoever asks meanwhile does not look it up again
            self._looked_up[name] = await self.access.resolve(name)
        return replace(found, partner_addresses=self._looked_up.get(name, ()))

    async def set_ha_mode(self, mode: HaMode) -> None:
        """Give the unit its role in a pair; its HA parameters come from :meth:`set_ha_parameters`.

        It is sent once, since it can make a unit active or standby. Raises :class:`RefusedSpellingError` where the unit
        refuses the older words: the next call, before which you look again, says it in the newer.
        """
        family = await self._known_ha_commands()

        async def is_set() -> bool:
            found = await self.ha_parameters()
            if found is None or found.mode is None:
                raise UnusableAnswerError(self.address, "it does not tell its HA mode")
            return found.mode == mode

        word = NEWER_WORDS.get(mode)
        newer = Command(family.set_mode, {"hamode": word}, changes=True) if word else None
        command = Command(family.set_mode, {"hamode": mode}, changes=True)
        await self._session.change(command, other=newer, is_applied=is_set, once=True)

    async def set_ha_parameters(self, parameters: HaSettings) -> None:
        """Set all HA parameters of the unit but its mode (section 6.2)."""

        async def is_set() -> bool:
            return has_parameters(await self.ha_parameters(), parameters)

        family = await self._known_ha_commands()
        given: dict[str, str | bool | int | tuple[str, ...]] = {
            "partner": parameters.partner,
            "hcp": parameters.health_check_port,
            "haprefered": int(parameters.preferred_host == "master"),
            "hcai": int(parameters.all_interfaces),
        }
        await self._session.change(Command(family.set_parameters, given, changes=True), is_applied=is_set)

    async def _known_ha_commands(self) -> HaCommands:
        """Return the commands with which this unit's firmware names HA: AWS's own, or those of every cloud."""
        if self._ha_commands is None:
            await self.ha_parameters()
        if self._ha_commands is None:
            hint = "see that it is a cloud LoadMaster; on others HA is set up in another way"
            raise UnusableAnswerError(self.address, "it knows no HA parameters", hint=hint)
        return self._ha_commands

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _get(self, parameter: str, read: Callable[[Answer, str], Value]) -> Value:
        answer = await self._session.read(Command("get", {"param": parameter}))
        return self._understood(lambda given: read(given, parameter), answer)

    async def _list(self, command: str, read: Callable[[Answer], Value], nothing: Value) -> Value:
        """Read a list; a unit that has nothing in it answers with a failure."""
        try:
            answer = await self._session.read(Command(command))
        except UnitRefusedError as refusal:
            if decode.says_nothing_there(refusal.answer):
                return nothing
            raise
        return self._understood(read, answer)

    async def _set_list(self, parameter: str, addresses: Sequence[str]) -> None:
        async def is_set() -> bool:
            return same_addresses(await self._get(parameter, decode.addresses), addresses)

        await self._session.change(_setting(parameter, addresses), is_applied=is_set)

    def _understood(self, read: Callable[[Answer], Value], answer: Answer) -> Value:
        try:
            value = read(answer)
            require_few_entries(value)
        except UnusableError as error:
            message, hint = f"its answer is not understood: {error}", "report the unit's firmware and this answer"
            raise UnusableAnswerError(self.address, message, hint=hint) from None
        return value


def _setting(parameter: str, addresses: Iterable[str]) -> Command:
    return Command("set", {"param": parameter, "value": tuple(addresses)}, changes=True)
