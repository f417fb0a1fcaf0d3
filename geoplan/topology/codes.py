"""Every code that a diagnostic can carry: those of the rules, and those of a file that cannot be read as a topology."""

from __future__ import annotations

from geoplan.topology.finding import BALANCING, DOCUMENT, ERROR, FORMAT, UPDATING, YAML, Code
from geoplan.topology.rules import RULES

# What geoplan.yaml12, the types and the models of a topology, and the records of geoplan.plan.recorded refuse.
_OF_READING = {
    "GEO001": Code(
        ERROR,
        "The file is too large",
        "A topology takes some kilobytes; over 16 MiB it is another kind of file, and is not read.",
        FORMAT,
    ),
    "GEO002": Code(
        ERROR,
        "The file is not UTF-8 text",
        "Names have to come out as they were written, so the encoding is never guessed.",
        f"{YAML}, 5.2",
    ),
    "GEO003": Code(
        ERROR,
        "The file is not YAML",
        "The parser could not read on at this place; the cause may be on the line before.",
        YAML,
    ),
    "GEO004": Code(ERROR, "The file is empty", "A topology names at least one site.", FORMAT),
    "GEO005": Code(
        ERROR,
        "The file holds several documents",
        "It would not be clear which of them is the topology.",
        f"{YAML}, 9.2",
    ),
    "GEO006": Code(
        ERROR,
        "A key is given twice",
        "One of the two values would silently be lost, with the site or address in it.",
        f"{YAML}, 3.2.1.3",
    ),
    "GEO007": Code(
        ERROR,
        "Too many values",
        "Values that repeat one another many times over can fill the memory from a small file.",
        FORMAT,
    ),
    "GEO008": Code(
        ERROR,
        "YAML that has no meaning here",
        "Tags and keys that are not plain text stand for other kinds of data than a topology holds.",
        FORMAT,
    ),
    "GEO009": Code(
        ERROR,
        "Values are nested too deep",
        "A topology is a few levels deep; anything deeper is a slip or an attack.",
        FORMAT,
    ),
    "GEO101": Code(
        ERROR,
        "A value has the wrong type",
        "A list stands where a mapping belongs, a text where a number does, or the like.",
        FORMAT,
    ),
    "GEO102": Code(
        ERROR,
        "An unknown key",
        "A key with a typing error would otherwise be passed over, and what it says with it.",
        FORMAT,
    ),
    "GEO103": Code(ERROR, "A key is missing", "Without it the plan could only be guessed.", FORMAT),
    "GEO104": Code(
        ERROR, "A number is out of range", "No LoadMaster, port or place on Earth has such a value.", FORMAT
    ),
    "GEO105": Code(
        ERROR,
        "A secret in the file",
        "Topology files are mailed and kept in version control; secrets come from the environment or a private file.",
        FORMAT,
    ),
    "GEO106": Code(
        ERROR,
        "Not the URL of an API",
        "A LoadMaster's API answers on HTTPS at the root of its address.",
        "RESTful API Programmer Guide",
    ),
    "GEO107": Code(
        ERROR, "Not a firmware version", "What a unit can do is read from its version, so it has to be one.", UPDATING
    ),
    "GEO108": Code(ERROR, "Not one of the values allowed", "The key knows these values and no others.", FORMAT),
    "GEO110": Code(
        ERROR,
        "Not an identifier of AWS",
        "Identifiers are pasted into templates as they stand; AWS would refuse one of another form half-way through.",
        BALANCING,
    ),
    "GEO201": Code(
        ERROR,
        "Not an address",
        "Lists and clusters take IP addresses; a name could mean another unit tomorrow.",
        f"{DOCUMENT}, 5.1",
    ),
    "GEO202": Code(
        ERROR, "An address with a prefix length", "The lists name single units, not networks.", f"{DOCUMENT}, 5.1"
    ),
    "GEO203": Code(
        ERROR,
        "An address with a port",
        "The lists take addresses alone; where the API listens on another port, 'api' says so.",
        f"{DOCUMENT}, 5.1",
    ),
    "GEO204": Code(
        ERROR,
        "An address that no unit can have",
        "Unspecified, loopback, multicast, broadcast and link-local addresses do not lead to a unit from another site.",
        "RFC 6890",
    ),
    "GEO301": Code(ERROR, "A name is empty", "People and clusters are told apart by it.", FORMAT),
    "GEO302": Code(
        ERROR, "A name is too long", "Names over 64 characters fit neither the web interface nor a table.", FORMAT
    ),
    "GEO303": Code(
        ERROR,
        "A name holds control characters",
        "They break lines, steer terminals or turn the direction of writing, so that a name reads as another.",
        FORMAT,
    ),
    "GEO304": Code(
        ERROR,
        "A name begins or ends with a space",
        "Nobody sees the difference between two names that only a space tells apart.",
        FORMAT,
    ),
    "GEO601": Code(
        ERROR,
        "A recorded list holds something other than addresses",
        "A record is compared address by address.",
        f"{DOCUMENT}, 5.4",
    ),
    "GEO602": Code(
        ERROR,
        "A record has another layout",
        "Each site is its name, its units and its two lists, as the example prints them.",
        f"{DOCUMENT}, 5.4",
    ),
}

CODES: dict[str, Code] = dict(sorted((_OF_READING | {code: each.meaning for code, each in RULES.items()}).items()))


def explain(code: str) -> str:
    """Say what a code means and why it matters; raises :class:`KeyError` for an unknown one."""
    meaning = CODES[code]
    return f"{code} ({meaning.severity}): {meaning.title}\n\n{meaning.why}\n\nSource: {meaning.source}"
