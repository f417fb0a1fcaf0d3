"""What pydantic finds wrong with a topology's shape, in the words of the people who write the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from geoplan.diagnostics import SENSITIVE_KEY
from geoplan.topology.finding import Finding
from geoplan.topology.model import Topology
from geoplan.topology.names import ROLE_WORDS, nearest
from geoplan.wording import shorten
from geoplan.yaml12 import typed

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from geoplan.yaml12 import Loc

# What belongs where pydantic reports that something of another type stands.
_EXPECTED = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
}


_EXAMPLES = {
    "sites": "a list under it: - name: … and ha_pair or standalone",
    "ha_pair": "ha_pair: {master: ADDRESS, slave: ADDRESS}",
    "cluster": "cluster: {name: …}",
    "location": "location: {latitude: 53.35, longitude: -6.26}",
    "groups": "groups: {NAME: [SITE, SITE]}",
    "timing": "timing: {boot_seconds: 120}",
    "limits": "limits: {max_clusters: 18}",
    "extra_remote_geo_access": "extra_remote_geo_access: [ADDRESS, ADDRESS]",
    "health_check": "health_check: {interval_seconds: 10, healthy_threshold: 2}",
    "aws": "aws: {region: eu-west-1, vpc_id: …, subnets: …, listeners: …}",
    "subnets": "a list under it: - {subnet_id: …, allocation_id: …}",
    "listeners": "a list under it: - {protocol: TCP, port: 443}",
    "tags": "tags: {NAME: VALUE}",
    "virtual_services": "a list under it: - {name: …, port: 443}",
}


def shape_findings(error: ValidationError, document: object) -> Iterator[tuple[str, Finding]]:
    """Yield each fault of a document's shape, with its code."""
    yield from (("GEO105", finding) for finding in _secrets(document))
    details = error.errors(include_url=False)
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    meant = {(*loc[:-1], _meant_by(loc)) for loc in unknown}
    for detail in details:
        told_elsewhere = (
            (detail["type"] == "extra_forbidden" and _looks_secret(detail["loc"][-1]))
            or (detail["type"] == "missing" and detail["loc"] in meant)  # the key is there, mistyped
            or (detail["type"] == "too_short" and bool(detail["input"]))  # no site of several could be read
            or (detail["input"] is None and detail["loc"] and isinstance(detail["loc"][-1], str))  # GEO109 says so
        )
        if not told_elsewhere:
            yield _finding(detail)


def _finding(detail: ErrorDetails) -> tuple[str, Finding]:
    """Put one of pydantic's errors into a code and words."""
    kind, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
    if kind.startswith("GEO"):
        return kind, Finding(loc, context["message"], context["hint"])
    if kind == "extra_forbidden":
        return "GEO102", _unknown_key(loc)
    if kind == "missing":
        return "GEO103", _missing_key(loc)
    if kind == "too_short":
        return "GEO103", _empty_list(loc)
    if kind == "literal_error":
        return "GEO108", _not_allowed(detail)
    if kind in _EXPECTED:
        return "GEO101", _wrong_type(detail)
    return "GEO104", _out_of_range(detail)


def _unknown_key(loc: Loc) -> Finding:
    key, near, home = str(loc[-1]), _meant_by(loc), _HOMES.get(str(loc[-1]))
    if key == "<<":
        return Finding(loc, "YAML 1.2 knows no merge key", "write the values out where they are needed", at_key=True)
    if home:
        return Finding(loc, f"'{key}' does not belong here", f"write it under '{home}'", at_key=True)
    if not near and (role := ROLE_WORDS.get(key.lower())):
        return Finding(loc, f"unknown key '{key}'", f"write '{role}' under '{_HOMES[role]}'", at_key=True)
    hint = f"did you mean '{near}'?" if near else f"known here: {', '.join(_keys_known_at(loc[:-1]))}"
    return Finding(loc, f"unknown key '{shorten(key)}'", hint, at_key=True)


def _meant_by(loc: Loc) -> str | None:
    """Return the key that the unknown one at a place most likely means."""
    known, other_word = _keys_known_at(loc[:-1]), ROLE_WORDS.get(str(loc[-1]).lower())
    return other_word if other_word in known else nearest(str(loc[-1]), known)


def _missing_key(loc: Loc) -> Finding:
    key = str(loc[-1])
    return Finding(loc[:-1], f"the key '{key}' is missing", f"add {key}: …")


def _empty_list(loc: Loc) -> Finding:
    example = _EXAMPLES[str(loc[-1])].removeprefix("a list under it: ")
    return Finding(loc, f"there are no {loc[-1]}", f"write at least one: {example}")


def _not_allowed(detail: ErrorDetails) -> Finding:
    key, found, expected = detail["loc"][-1], detail["input"], detail["ctx"]["expected"]
    value = f"'{shorten(found)}'" if isinstance(found, str) else _describe(found)
    return Finding(detail["loc"], f"'{key}' cannot be {value}", f"write {expected}")


def _wrong_type(detail: ErrorDetails) -> Finding:
    loc, expected, found = detail["loc"], _EXPECTED[detail["type"]], detail["input"]
    what = f"'{loc[-1]}'" if loc and isinstance(loc[-1], str) else "this entry" if loc else "the topology"
    if loc and loc[-1] in {"master", "slave", "standalone"}:
        return Finding(loc, f"a unit cannot be {_describe(found)}", "write its address, or a mapping with 'address'")
    quoted = isinstance(found, str) and "number" in expected and re.fullmatch(r"[-+]?[0-9.]+", found)
    example = _EXAMPLES.get(str(loc[-1]) if loc else "")
    hint = "write it without quotes" if quoted else f"write {example}" if example else f"write {expected} here"
    return Finding(loc, f"{what} has to be {expected}, but it is {_describe(found)}", hint)


def _out_of_range(detail: ErrorDetails) -> Finding:
    requirement = detail["msg"].removeprefix("Input should be ").removeprefix("a ").replace("finite number", "finite")
    message = f"'{detail['loc'][-1]}' cannot be {_describe(detail['input'])}"
    return Finding(detail["loc"], message, f"write a number that is {requirement}")


def _describe(value: object) -> str:
    match typed(value):
        case None:
            return "empty"
        case bool() as switch:
            return "true" if switch else "false"
        case int() | float():
            return str(value)
        case str():
            return "a text"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def _keys_known_at(loc: Loc) -> list[str]:
    """Return the keys of the mapping at a place in a topology."""
    model: type[BaseModel] = Topology
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), model)
    return list(model.model_fields)


def _homes(model: type[BaseModel], key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key that stands below the top with the key that it stands under."""
    for name, field in model.model_fields.items():
        if key and name != "name":
            yield name, key
        for inner in _models_in(field.annotation):
            yield from _homes(inner, name)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _secrets(document: object, loc: Loc = ()) -> Iterator[Finding]:
    """Yield each key that looks like a secret's, wherever it stands; groups may be called what they like."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if loc != ("groups",) and _looks_secret(key):
                hint = (
                    "take it out of the file, and change it if others have seen it; secrets come from the environment"
                )
                yield Finding(
                    (*loc, key), f"'{key}' looks like a secret, which has no place in this file", hint, at_key=True
                )
            yield from _secrets(value, (*loc, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from _secrets(value, (*loc, index))


def _looks_secret(key: str | int) -> bool:
    return isinstance(key, str) and bool(re.search(SENSITIVE_KEY, key, re.IGNORECASE))


_HOMES = dict(_homes(Topology))
