"""Which facts of the ledger a read can show: a row each, with what is looked at and how it is told.

A check returns what was seen, in the words of the ledger where it is what geoplan takes for true, or None if this unit
shows nothing of it. What is told here holds neither addresses nor names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, is_address
from geoplan.live.probe import wire_checks
from geoplan.live.probe.answers import HA_FAMILIES, ProbeAnswers
from geoplan.live.probe.wire_checks import how, told
from geoplan.loadmaster import decode
from geoplan.loadmaster.model import State
from geoplan.loadmaster.partner_status import mentions, partner_status
from geoplan.topology.types import place_of_url
from geoplan.vendor import CUT_NAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geoplan.loadmaster.raw import RawAnswer
    from geoplan.loadmaster.wire import Node


class Check(NamedTuple):
    """A fact that a read can show."""

    fact: str
    """Its name in the ledger."""
    seen: Callable[[ProbeAnswers], str | None]
    is_sign: bool = False
    """Whether what differs may have another cause, so that it contradicts nothing for sure."""


class CheckAmongUnits(NamedTuple):
    """A fact that shows where several units are read: a unit, and the others. What differs is a sign, and no more."""

    fact: str
    seen: Callable[[ProbeAnswers, Sequence[ProbeAnswers]], str | None]


# -- the unit ---------------------------------------------------------------------------------------------------------


def _api_port(unit: ProbeAnswers) -> str | None:
    return _own_port(unit) if _family(unit) is None else None


def _cloud_api_port(unit: ProbeAnswers) -> str | None:
    return _own_port(unit) if _family(unit) is not None else None


def _own_port(unit: ProbeAnswers) -> str | None:
    """Return the port on which the API answers; behind another host's URL it shows nothing of the unit's own."""
    host, port = place_of_url(unit.api_url) or ("", 0)
    return str(port) if unit.formats and host == canonical(unit.address) else None


def _boot_time(unit: ProbeAnswers) -> str | None:
    told = unit.value("boottime")
    if told is None:
        return "not told" if unit.formats else None
    if re.fullmatch(r"\d+(\.\d+)?", told):
        return "seconds since 1970"
    return "a date and time" if decode.moment(told) else "something else"


# -- who is active ----------------------------------------------------------------------------------------------------


def _ha_status(unit: ProbeAnswers) -> str | None:
    told = unit.value("hastatus")
    if told is None:
        return "not told" if unit.formats else None
    known = ("Active", "Standby", "Passive", "HA not configured")
    return "one of " + ", ".join(known) if told in known else "another word"


def _health_code(unit: ProbeAnswers, status: str) -> str | None:
    """Return what the health check answers while the API says that the unit is the one or the other."""
    if unit.health is None or unit.value("hastatus") != status:
        return None
    return unit.health.said if unit.health.said.isdigit() else None


def _health_check_reach(unit: ProbeAnswers) -> str | None:
    """Look at units of pairs: whether their health check answers from here."""
    if unit.health is None or unit.value("hastatus") not in ("Active", "Standby"):
        return None
    return "everyone" if unit.health.said.isdigit() else f"not from here: {unit.health.said}"


def _active_time(unit: ProbeAnswers) -> str | None:
    told, status = unit.value("activetime"), unit.value("hastatus")
    if not told or status not in ("Active", "Standby"):
        return None
    return "0 on a standby alone" if (told == "0") == (status == "Standby") else f"{told == '0' and 0} while {status}"


def _is_standby(unit: ProbeAnswers) -> bool:
    says_so = unit.health is not None and unit.health.state is State.STANDBY
    return says_so or unit.value("hastatus") == "Standby"


def _standby_reads(unit: ProbeAnswers) -> str | None:
    """Look at a standby only."""
    if not _is_standby(unit):
        return None
    asked = [raw for name in ("get geoclients", "get geopartners", "listclusters") for raw in unit.both(name)]
    asked = asked or [raw for (_, name), raw in unit.raw.items() if name == "get version"]
    return told("answered" if _tells(raw) else f"refused with {how(raw)}" for raw in asked)


def _tells(raw: RawAnswer) -> bool:
    return raw.outcome == "success" or (raw.answer is not None and decode.says_nothing_there(raw.answer.message))


# -- HA parameters ----------------------------------------------------------------------------------------------------


def _family(unit: ProbeAnswers) -> str | None:
    """Return the first family of commands that tells HA parameters; an empty success tells none."""
    for name in HA_FAMILIES:
        answer = unit.first(name)
        if answer is not None and decode.has_content(answer.content):
            return name
    return None


def _role(unit: ProbeAnswers) -> str | None:
    """Return the word for a unit's role in a pair, or None if it is in none."""
    family = _family(unit)
    answer = unit.first(family) if family else None
    found = decode.find(answer.content, "hamode") if answer else []
    word = decode.plain(found[0]).lower().split(" ")[0] if found else ""
    return None if word in ("", "single") else word


def _ha_mode_word(unit: ProbeAnswers) -> str | None:
    if (word := _role(unit)) is None:
        return None
    pairs = (("master", "slave"), ("first", "second"))
    return next((" or ".join(pair) for pair in pairs if word in pair), "another word")


def _ha_partner(unit: ProbeAnswers) -> str | None:
    return told("an address" if is_address(partner) else "a name" for partner in _partners(unit))


def _partners(unit: ProbeAnswers) -> list[str]:
    """Return what a unit of a pair tells of its partner there."""
    family = _family(unit)
    answer = unit.first(family) if family and _role(unit) else None
    return [text for text in _texts(answer, "partner") if text.lower() not in decode.NOTHING_WORDS]


def _ha_mode_number(unit: ProbeAnswers) -> str | None:
    if _role(unit) is None or (told := unit.value("hamode")) is None:
        return None
    return told if told in ("0", "1", "2", "3", "4") else "another word"


# -- GEO --------------------------------------------------------------------------------------------------------------


def _list_form(unit: ProbeAnswers) -> str | None:
    """Look at lists of two addresses and more, in each format by itself."""
    shown = []
    for wire in unit.formats:
        forms = []
        for parameter in ("geoclients", "geopartners"):
            raw = unit.raw.get((wire, f"get {parameter}"))
            found = decode.find(raw.answer.content, parameter) if raw and raw.answer else []
            forms += [form for node in found if (form := _separators(node))]
        if form := told(forms):
            shown.append(f"{form} in {wire}")
    return ", ".join(shown) or None


def _separators(node: Node) -> str | None:
    if isinstance(node, list):
        return "one value each" if len(node) > 1 else None
    between = set(re.findall(r"[\s,;]+", decode.plain(node)))
    if not between:
        return None
    names = {",": "commas", " ": "blanks", ", ": "commas with blanks"}
    return told(names.get(separator, "something else") for separator in between)


def _partner_form(unit: ProbeAnswers) -> str | None:
    """Look at the status of partners: in which form it comes, and with which words."""
    forms = []
    for raw in unit.both("getgeopartnerstatus"):
        if raw.outcome == "success" and raw.answer is not None and decode.has_content(raw.answer.content):
            status = partner_status(raw.answer)
            forms += [form for text in _values(raw.answer.content) if (form := _place_form(text))]
            forms += ["no address"] if not status else []
            forms += ["a word that is not known"] if None in status.values() else []
            forms += [f"the word {word}" for word in _words(raw.answer.content) & _OTHER_WORDS]
    return told(forms) or ("an address and a word" if _has_partners(unit) else None)


_OTHER_WORDS = frozenset({"connected", "not connected", "online", "offline"})


def _has_partners(unit: ProbeAnswers) -> bool:
    return any(raw.answer and decode.has_content(raw.answer.content) for raw in unit.both("getgeopartnerstatus"))


def _values(node: Node) -> list[str]:
    return [text for leaf in decode.leaves(node) if (text := decode.plain(leaf))]


def _words(node: Node) -> set[str]:
    return {text.lower() for text in _values(node)}


def _place_form(text: str) -> str | None:
    """Return what a text holds beside an address, if it holds one."""
    found = mentions(text)
    if not found or is_address(text):
        return None
    if found[0].words:
        return "ADDRESS: WORD"
    return "ADDRESS:PORT" if len(found) == 1 else "several addresses in one text"


def _cluster_key(unit: ProbeAnswers) -> str | None:
    """Tell by which parameter one cluster can be shown."""
    names = ("ip", "id")
    asked = {name: list(unit.both(f"showcluster {name}")) for name in names}
    if not all(asked.values()):
        return None
    taken = [name for name in names if all(raw.outcome == "success" for raw in asked[name])]
    return " and ".join(taken) or "neither ip nor id"


def _no_clusters(unit: ProbeAnswers) -> str | None:
    """Look at a unit without clusters."""
    asked = [raw for raw in unit.both("listclusters") if raw.answer is not None and not decode.has_content(raw.content)]
    return told(how(raw) for raw in asked)


def _trailing_dot(unit: ProbeAnswers) -> str | None:
    answer = unit.first("listfqdns")
    names = [text for key in ("fullyqualifieddomainname", "fqdn") for text in _texts(answer, key)]
    return told("with a dot at the end" if name.endswith(".") else "without" for name in names)


def _texts(answer: object, key: str) -> list[str]:
    content = getattr(answer, "content", {})
    return [text for node in decode.find(content, key) if (text := decode.plain(node))]


def _names_of_clusters(unit: ProbeAnswers) -> str | None:
    """Look at names of several words: whether any has kept its blanks, or all look rewritten."""
    names = [cluster.name for cluster in unit.clusters() or ()]
    if any(" " in name for name in names):
        return "kept"
    if any("_" in name for name in names):
        return "look rewritten: _ in place of blanks"
    return "look rewritten: cut" if max(map(len, names), default=0) == CUT_NAME_LENGTH else None


def _standby_as_partner(unit: ProbeAnswers, others: Sequence[ProbeAnswers]) -> str | None:
    """Look at how an active unit shows standbys that were asked as well: red counts where the active one is green.

    A standby that has never submitted its partners is red, too.
    """
    answer = unit.first("getgeopartnerstatus")
    if _is_standby(unit) or answer is None:
        return None
    status = {canonical(address): is_green for address, is_green in partner_status(answer).items()}
    colours = set()
    for standby in filter(_is_standby, others):
        is_green = status.get(canonical(standby.address))
        if is_green or (is_green is False and any(status.get(canonical(active)) for active in _partners(standby))):
            colours.add("green" if is_green else "red")
    return told(colours)


CHECKS = (
    Check("API_FORMATS", wire_checks.api_formats),
    Check("API_PORT", _api_port),
    Check("CLOUD_API_PORT", _cloud_api_port),
    Check("FAILURE_STATUS", wire_checks.failure_status),
    Check("UNKNOWN_COMMAND", wire_checks.unknown_command),
    Check("XML_ENCODING", wire_checks.xml_encoding),
    Check("FRAMING", wire_checks.framing),
    Check("ESCAPES", wire_checks.escapes),
    Check("GETALL", wire_checks.getall),
    Check("BOOT_TIME", _boot_time),
    Check("HA_STATUS", _ha_status),
    Check("ACTIVE_CODE", lambda unit: _health_code(unit, "Active")),
    Check("STANDBY_CODE", lambda unit: _health_code(unit, "Standby")),
    Check("HEALTH_CHECK_REACH", _health_check_reach),
    Check("ACTIVE_TIME", _active_time),
    Check("STANDBY_READS", _standby_reads),
    Check("HA_FAMILY", _family),
    Check("HA_MODE_WORD", _ha_mode_word),
    Check("HA_PARTNER", _ha_partner),
    Check("HA_MODE_NUMBER", _ha_mode_number),
    Check("LIST_FORM", _list_form),
    Check("PARTNER_STATUS", _partner_form),
    Check("CLUSTER_KEY", _cluster_key),
    Check("NO_CLUSTERS", _no_clusters),
    Check("FQDN_DOT", _trailing_dot),
    Check("CLUSTER_NAMES", _names_of_clusters, is_sign=True),
    Check("API_KEY_PLACE", wire_checks.key_place),
    Check("MAX_QUERY", wire_checks.longest_url),
)
CHECKS_AMONG_UNITS = (CheckAmongUnits("STANDBY_AS_PARTNER", _standby_as_partner),)
