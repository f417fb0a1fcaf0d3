"""What variants make of requests and answers: a row for each variant that does something to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from geoplan.lab.api.request import (
    FORBIDDEN,
    NOT_ALLOWED,
    NOT_FOUND,
    UNAUTHORIZED,
    UNKNOWN_COMMAND,
    UNPROCESSABLE,
    Answer,
    ApiError,
    missing,
)
from geoplan.lab.variants import Variant

if TYPE_CHECKING:
    from geoplan.lab.api.request import ApiRequest, Context, Handler, Node
    from geoplan.lab.http import Response

Understood = Callable[["Context", "ApiRequest"], "ApiRequest"]
Told = Callable[["Context", "ApiRequest", Answer], Answer]
Written = Callable[[bytes], bytes]

LONGEST_NAME = 20
SSH_PORT = "geosshport"


def answered(context: Context, call: ApiRequest, run: Handler) -> Answer:
    """Carry a command out as the units of this lab understand it, and answer as they tell it."""
    variants = [variant for variant in Variant if variant in context.variants] if context.variants else []
    try:
        for variant in variants:
            call = _UNDERSTOOD.get(variant, _as_asked)(context, call)
        answer = run(context, call)
    except ApiError as refusal:
        if refusal.code != NOT_FOUND or Variant.NO_CLUSTERS_200 not in variants:
            raise
        return Answer(data={})
    for variant in variants:
        answer = _TOLD.get(variant, _as_done)(context, call, answer)
    return answer


def written(context: Context, response: Response) -> Response:
    """Write an answer as the units of this lab do."""
    if not context.variants:
        return response
    changes = _WRITTEN.get(response.content_type, {})
    body = response.body
    for variant, change in changes.items():
        if variant in context.variants:
            body = change(body)
    hides_status = response.content_type == JSON and Variant.FAILURES_200 in context.variants
    return replace(response, body=body, status=200 if hides_status else response.status)


def _as_asked(_context: Context, call: ApiRequest) -> ApiRequest:
    return call


def _as_done(_context: Context, _call: ApiRequest, answer: Answer) -> Answer:
    return answer


# -- what units take ---------------------------------------------------------------------------------------------------


def _knowing_clusters_by(name: str) -> Understood:
    """Ignore every other way to name a cluster, as a unit does with parameters that it does not know."""

    def understand(_context: Context, call: ApiRequest) -> ApiRequest:
        if call.command not in ("showcluster", "modcluster"):
            return call
        if not call.has(name):
            raise missing(name)
        return _without(call, {"id", "ip"} - {name})

    return understand


def _taking_modes(*words: str) -> Understood:
    def understand(_context: Context, call: ApiRequest) -> ApiRequest:
        if call.has("hamode"):
            call.one_of("hamode", words)
        return call

    return understand


def _setting_by(spelling: str) -> Understood:
    def understand(_context: Context, call: ApiRequest) -> ApiRequest:
        if call.command != "set" or call.version == 1:
            return call
        if not call.has(spelling):
            raise missing(spelling)
        return _without(call, {"value", "val"} - {spelling})

    return understand


def _with_normal_name(_context: Context, call: ApiRequest) -> ApiRequest:
    if call.command not in ("addcluster", "modcluster") or not call.has("name"):
        return call
    name = re.sub(r"\s", "_", call.text("name").strip())[:LONGEST_NAME]
    return replace(call, parameters={**call.parameters, "name": name})


def _lacking(*commands: str) -> Understood:
    def understand(_context: Context, call: ApiRequest) -> ApiRequest:
        if call.command in commands:
            raise ApiError(NOT_ALLOWED, UNKNOWN_COMMAND)
        return call

    return understand


def _not_knowing(*parameters: str) -> Understood:
    def understand(_context: Context, call: ApiRequest) -> ApiRequest:
        if call.command == "get" and call.param in parameters:
            raise ApiError(UNPROCESSABLE, f"Unknown parameter {call.param}")
        return call

    return understand


def _refusing_on_standbys(code: int, words: str) -> Understood:
    """Refuse every read on a standby, and no change: those that it refuses it refuses anyway."""

    def understand(context: Context, call: ApiRequest) -> ApiRequest:
        is_read = call.command.startswith(("get", "list", "show", "is")) or call.command == "backup"
        if is_read and context.network.ha_state(context.unit) == "Standby":
            raise ApiError(code, words)
        return call

    return understand


def _without(call: ApiRequest, names: set[str]) -> ApiRequest:
    return replace(call, parameters={name: value for name, value in call.parameters.items() if name not in names})


_OWN_HA_COMMANDS = ("awshamode", "awshaparam", "getawshaparams", "azurehamode", "azurehaparam", "getazurehaparams")

_UNDERSTOOD: Mapping[Variant, Understood] = {
    Variant.CLUSTERS_BY_ID: _knowing_clusters_by("id"),
    Variant.CLUSTERS_BY_IP: _knowing_clusters_by("ip"),
    Variant.HA_FIRST: _taking_modes("first", "second", "single"),
    Variant.HA_MASTER: _taking_modes("master", "slave", "single"),
    Variant.SET_VALUE: _setting_by("value"),
    Variant.SET_VAL: _setting_by("val"),
    Variant.NAMES_NORMALISED: _with_normal_name,
    Variant.CLOUD_HA_ONLY: _lacking(*_OWN_HA_COMMANDS),
    Variant.NO_GETALL: _lacking("getall"),
    Variant.NO_BOOTTIME: _not_knowing("boottime"),
    Variant.NO_HASTATUS: _not_knowing("hastatus", "activetime"),
    Variant.STANDBYS_403: _refusing_on_standbys(FORBIDDEN, "Not available: this unit is not active"),
    Variant.STANDBYS_401: _refusing_on_standbys(UNAUTHORIZED, "Client Error: Authorization required"),
}

# -- what units tell ---------------------------------------------------------------------------------------------------


def _telling_lists(form: Callable[[tuple[str, ...]], Node]) -> Told:
    def tell(_context: Context, call: ApiRequest, answer: Answer) -> Answer:
        if call.command not in ("get", "getall") or answer.data is None:
            return answer
        told = {name: form(value) if isinstance(value, tuple) else value for name, value in answer.data.items()}
        return replace(answer, data=told)

    return tell


def _repeating(_context: Context, call: ApiRequest, answer: Answer) -> Answer:
    return replace(answer, repeats=True) if call.command == "get" else answer


def _telling_partners(form: Callable[[Context, str, str], Node]) -> Told:
    """Tell each partner in another form, given its address and its word."""

    def tell(context: Context, call: ApiRequest, answer: Answer) -> Answer:
        if call.command != "getgeopartnerstatus" or answer.data is None:
            return answer
        partners: Any = cast("Mapping[str, Any]", answer.data["GeoPartners"])["Partner"]
        told: Any = [form(context, partner["IPAddress"], partner["Status"]) for partner in partners]
        lines = tuple(told) if told and isinstance(told[0], str) else told
        return replace(answer, data={"GeoPartners": {"Partner": lines}}, repeats=True)

    return tell


def _with_port(context: Context, address: str, word: str) -> Node:
    host = f"[{address}]" if ":" in address else address
    return {"IPAddress": f"{host}:{context.unit.setting(SSH_PORT)}", "Status": word}


def _by_name(context: Context, address: str, word: str) -> Node:
    return {"Name": _host_of(context, address), "Status": word}


def _connected(_context: Context, address: str, word: str) -> Node:
    return {"IPAddress": address, "Status": {"green": "Connected", "red": "Not connected"}.get(word, word)}


def _green_between_active(context: Context, address: str, word: str) -> Node:
    other = context.network.find(address)
    both = (context.unit, other)
    is_red = word == "green" and not all(unit and context.network.is_active(unit) for unit in both)
    return {"IPAddress": address, "Status": "red" if is_red else word}


def _host_of(context: Context, address: str) -> str:
    unit = context.network.find(address)
    return str(unit.own["hostname"]) if unit else address


def _telling_ha(name: str, form: Callable[[Context, str], str]) -> Told:
    """Tell one of the HA parameters in another form."""

    def tell(context: Context, call: ApiRequest, answer: Answer) -> Answer:
        if not call.command.endswith("haparams") or not answer.data:
            return answer
        ((element, shown),) = cast("Mapping[str, Mapping[str, Any]]", answer.data).items()
        return replace(answer, data={element: {**shown, name: form(context, str(shown[name]))}})

    return tell


def _partner_by_name(context: Context, partner: str) -> str:
    return partner if partner == "unset" else _host_of(context, partner)


def _telling(parameter: str, form: Callable[[Any], Node]) -> Told:
    """Tell a parameter in another form."""

    def tell(_context: Context, call: ApiRequest, answer: Answer) -> Answer:
        if call.command not in ("get", "getall") or answer.data is None:
            return answer
        told = {name: form(value) if name.lower() == parameter else value for name, value in answer.data.items()}
        return replace(answer, data=told)

    return tell


def _leaving_out(*parameters: str) -> Told:
    def tell(_context: Context, call: ApiRequest, answer: Answer) -> Answer:
        if call.command != "getall" or answer.data is None:
            return answer
        return replace(answer, data={name: value for name, value in answer.data.items() if name not in parameters})

    return tell


def _not_listing(*commands: str) -> Told:
    def tell(_context: Context, call: ApiRequest, answer: Answer) -> Answer:
        if call.command != "listapi" or answer.data is None:
            return answer
        listed = cast("tuple[str, ...]", answer.data["commands"])
        return replace(answer, data={"commands": tuple(name for name in listed if name not in commands)})

    return tell


def _without_dots(_context: Context, call: ApiRequest, answer: Answer) -> Answer:
    if call.command not in ("listfqdns", "showfqdn") or answer.data is None:
        return answer
    key = "FullyQualifiedDomainName"
    fqdns = cast("Sequence[Mapping[str, Any]]", answer.data["fqdn"])
    return replace(answer, data={"fqdn": [{**fqdn, key: fqdn[key].removesuffix(".")} for fqdn in fqdns]})


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%a %b %d %H:%M:%S %Y")


_TOLD: Mapping[Variant, Told] = {
    Variant.LISTS_COMMAS: _telling_lists(",".join),
    Variant.LISTS_BLANKS: _telling_lists(" ".join),
    Variant.LISTS_BOTH: _telling_lists(", ".join),
    Variant.LISTS_REPEATED: _repeating,
    Variant.LISTS_NESTED: _telling_lists(lambda addresses: [{"IPAddress": address} for address in addresses]),
    Variant.PARTNERS_WITH_PORT: _telling_partners(_with_port),
    Variant.PARTNERS_AS_LINES: _telling_partners(lambda _context, address, word: f"{address}: {word}"),
    Variant.PARTNERS_BY_NAME: _telling_partners(_by_name),
    Variant.PARTNERS_UNKNOWN: _telling_partners(
        lambda _context, address, _word: {"IPAddress": address, "Status": "Unknown"}
    ),
    Variant.PARTNERS_CONNECTED: _telling_partners(_connected),
    Variant.STANDBYS_RED: _telling_partners(_green_between_active),
    Variant.HA_TOLD_FIRST: _telling_ha(
        "HaMode", lambda _context, word: {"master": "First", "slave": "Second"}.get(word, word)
    ),
    Variant.HA_PARTNER_BY_NAME: _telling_ha("Partner", _partner_by_name),
    Variant.HAMODE_0: _telling("hamode", lambda _number: 0),
    Variant.CLOUD_HA_ONLY: _not_listing(*_OWN_HA_COMMANDS),
    Variant.NO_GETALL: _not_listing("getall"),
    Variant.NO_BOOTTIME: _leaving_out("boottime"),
    Variant.BOOTTIME_DATE: _telling("boottime", _date),
    Variant.NO_HASTATUS: _leaving_out("hastatus", "activetime"),
    Variant.FQDNS_WITHOUT_DOT: _without_dots,
}

# -- how answers are written -------------------------------------------------------------------------------------------

XML, JSON = "text/xml", "application/json"
CONTROL = "\r\n\t\x07"
LAST_OF_LATIN_1 = 0xFF


def _as_utf_8(body: bytes) -> bytes:
    return body.decode("iso-8859-1").encode()


def _with_bare_ampersands(body: bytes) -> bytes:
    return body.replace(b"&amp;", b"&")


def _with_control_characters(body: bytes) -> bytes:
    content = json.loads(body)
    marked = {**content, "message": content.get("message", "") + CONTROL}
    escaped = json.dumps(CONTROL)[1:-1]
    return json.dumps(marked).replace(escaped, CONTROL).encode() + b"\n"


def _as_latin_1(body: bytes) -> bytes:
    """Write characters as they are, and escape those that ISO-8859-1 has not."""
    text = json.dumps(json.loads(body), ensure_ascii=False)
    escaped = (c if ord(c) <= LAST_OF_LATIN_1 else json.dumps(c)[1:-1] for c in text)
    return "".join(escaped).encode("iso-8859-1") + b"\n"


def _framed_by(padding: bytes) -> Written:
    return lambda body: padding + body + padding


_FRAMES: Mapping[Variant, Written] = {
    Variant.BLANK_LINES: _framed_by(b"\r\n \n"),
    Variant.NUL_BYTES: _framed_by(b"\0\0"),
}
_WRITTEN: Mapping[str, Mapping[Variant, Written]] = {
    XML: {Variant.UTF_8: _as_utf_8, Variant.BARE_AMPERSAND: _with_bare_ampersands, **_FRAMES},
    JSON: {Variant.JSON_CONTROL_CHARACTERS: _with_control_characters, Variant.JSON_LATIN_1: _as_latin_1, **_FRAMES},
}
