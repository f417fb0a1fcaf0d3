"""The tables in the READMEs that are made from the models: ``python -m tests.tables`` writes them again.

Each stands between two marks, ``<!-- NAME: made by tests.tables -->`` and ``<!-- end of NAME -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from geoplan.push.records import AnyRecord
from geoplan.topology.model import Topology
from tests.conftest import ROOT

Schema = dict[str, Any]


def topology_keys() -> str:
    """Return a table for each kind of mapping in a topology file, from the models' JSON Schema."""
    schema = Topology.model_json_schema()
    definitions: Schema = schema["$defs"]
    tables = [_table("The top of the file", schema)]
    for name in _in_order(schema, definitions):
        keys = dict.fromkeys(
            key
            for owner in (schema, *map(_mapping, definitions.values()))
            for key, value in owner["properties"].items()
            if name in _references(value)
        )
        under = ", ".join(f"`{key}`" for key in keys)
        tables.append(_table(f"{_title(name)}: under {under}", definitions[name]))
    return "\n\n".join(tables)


def journal_records() -> str:
    """Return a table of all records that a journal can hold, from their models."""
    rows = []
    for model in get_args(AnyRecord):
        (event,) = get_args(model.model_fields["event"].annotation)
        fields = ", ".join(f"`{name}`" for name in model.model_fields if name not in ("event", "at"))
        rows.append(f"| `{event}` | {_cell(model.__doc__)} | {fields} |")
    return "\n".join(["| record | says | holds |", "|---|---|---|", *rows])


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "keys": (ROOT / "topologies" / "README.md", topology_keys),
    "records": (ROOT / "geoplan" / "push" / "README.md", journal_records),
}


def with_table(text: str, name: str, table: str) -> str:
    """Return a document with one of its tables as it has to be."""
    begin, end = f"<!-- {name}: made by tests.tables -->", f"<!-- end of {name} -->"
    assert text.count(begin) == text.count(end) == 1, f"the document has no place for the table '{name}'"
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{table}\n\n{end}{rest.split(end)[1]}"


def _table(heading: str, schema: Schema) -> str:
    mapping = _mapping(schema)
    required = mapping.get("required", [])
    rows = [
        f"| `{key}` | {_takes(value, required=key in required)} | {_cell(value.get('description'))} |"
        for key, value in mapping["properties"].items()
    ]
    about = schema.get("description", "").split("\n")[0]
    return "\n".join([f"### {heading}", "", about, "", "| key | takes | meaning |", "|---|---|---|", *rows])


def _in_order(schema: Schema, definitions: Schema) -> list[str]:
    """Return the names of all kinds of mappings, each after the first that holds it."""
    names: dict[str, None] = {}

    def visit(part: Schema) -> None:
        for value in _mapping(part)["properties"].values():
            for name in _references(value):
                if name not in names:
                    names[name] = None
                    visit(definitions[name])

    visit(schema)
    return list(names)


def _mapping(schema: Schema) -> Schema:
    """Return what a schema says of a mapping: a unit may be a bare address, too."""
    return next((part for part in schema.get("anyOf", ()) if "properties" in part), schema)


def _references(value: Schema) -> Iterator[str]:
    for part in (value, *value.get("anyOf", ()), value.get("items", {})):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]


def _takes(value: Schema, *, required: bool) -> str:
    (part,) = [part for part in value.get("anyOf", [value]) if part.get("type") != "null"]
    default = value.get("default")
    if required:
        return f"{_kind(part)}; required"
    if default in (None, []) or value.get("description", "").startswith("Default"):
        return _kind(part)
    return f"{_kind(part)}; default `{_value(default)}`"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _kind(part: Schema) -> str:
    if "$ref" in part:
        return _named(part["$ref"].rpartition("/")[2])
    if "enum" in part:
        return " or ".join(f"`{value}`" for value in part["enum"])
    match part.get("type"):
        case "array":
            return f"list of: {_kind(part['items'])}"
        case "object":
            return f"mapping of names to: {_kind(part['additionalProperties'])}"
        case "integer" | "number":
            return f"{part['type']}{_range(part)}"
        case "boolean":
            return "`true` or `false`"
        case _:
            return "such as " + " or ".join(f"`{each}`" for each in part["examples"]) if "examples" in part else "text"


def _range(part: Schema) -> str:
    lowest, highest = part.get("minimum"), part.get("maximum")
    if lowest is None:
        return ""
    return f", {lowest} or more" if highest is None else f", {lowest} to {highest}"


def _named(name: str) -> str:
    """Return what people call a kind of mapping: ``HaPair`` is an HA pair."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return re.sub(r"^(ha|aws)\b", lambda found: found[0].upper(), words)


def _title(name: str) -> str:
    return _named(name)[0].upper() + _named(name)[1:]


def _cell(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())


def main() -> None:
    """Write all tables into their documents."""
    for name, (path, make) in TABLES.items():
        path.write_text(with_table(path.read_text(), name, make()))


if __name__ == "__main__":
    main()
