"""Every code that a diagnostic can carry: what it means, why it matters, where that comes from."""

from __future__ import annotations

from typing import NamedTuple

from geoplan.diagnostics import Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

DOCUMENT = "LoadMaster HA for AWS"
YAML = "YAML 1.2.2"
FORMAT = "geoplan's topology format (geoplan schema topology)"
GEO = "GEO Feature Description"
UPDATING = "Updating the LoadMaster Software"
BALANCING = "Elastic Load Balancing, Network Load Balancers"


class Code(NamedTuple):
    """What a code means."""

    severity: Severity
    title: str
    why: str
    source: str


CODES: dict[str, Code] = {
    # The file
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
        YAML + ", 5.2",
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
        YAML + ", 9.2",
    ),
    "GEO006": Code(
        ERROR,
        "A key is given twice",
        "One of the two values would silently be lost, with the site or address in it.",
        YAML + ", 3.2.1.3",
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
    # Its shape
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
    "GEO109": Code(
        ERROR,
        "A key with nothing behind it",
        "It may be what an edit left over; taking it for 'not given' could join sites that should be apart.",
        FORMAT,
    ),
    "GEO110": Code(
        ERROR,
        "Not an identifier of AWS",
        "Identifiers are pasted into templates as they stand; AWS would refuse one of another form half-way through.",
        BALANCING,
    ),
    # Addresses
    "GEO201": Code(
        ERROR,
        "Not an address",
        "Lists and clusters take IP addresses; a name could mean another unit tomorrow.",
        DOCUMENT + ", 5.1",
    ),
    "GEO202": Code(
        ERROR, "An address with a prefix length", "The lists name single units, not networks.", DOCUMENT + ", 5.1"
    ),
    "GEO203": Code(
        ERROR,
        "An address with a port",
        "The lists take addresses alone; where the API listens on another port, 'api' says so.",
        DOCUMENT + ", 5.1",
    ),
    "GEO204": Code(
        ERROR,
        "An address that no unit can have",
        "Unspecified, loopback, multicast, broadcast and link-local addresses do not lead to a unit from another site.",
        "RFC 6890",
    ),
    "GEO205": Code(
        ERROR,
        "An address is used twice",
        "One of the two is a slip, in whatever spelling, and some site would never learn the right address.",
        DOCUMENT + ", 5.4",
    ),
    "GEO206": Code(
        ERROR,
        "Master and slave are one unit",
        "A pair is two units, and each site lists both units of every other pair.",
        DOCUMENT + ", 5.2",
    ),
    "GEO207": Code(
        ERROR,
        "Two units have one API",
        "What is meant for one would be entered on the other, and what that one tells counts for the first one.",
        FORMAT,
    ),
    # Names
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
    "GEO305": Code(
        ERROR, "Two names are the same", "Whoever reads 'Dublin' and 'dublin' at night takes one for the other.", FORMAT
    ),
    # Sites and groups
    "GEO401": Code(ERROR, "A site has no unit", "A site is an HA pair or a standalone LoadMaster.", DOCUMENT + ", 5"),
    "GEO402": Code(
        ERROR,
        "A site is a pair and a standalone",
        "It has to be one of the two: they follow different steps.",
        DOCUMENT + ", 5",
    ),
    "GEO403": Code(
        ERROR,
        "A site is in a group twice or in two groups",
        "Partners share one configuration, so a site in two groups would make the two one.",
        GEO + ", HA Versus Partners",
    ),
    "GEO404": Code(
        ERROR,
        "A site is in no group",
        "With groups in the file, a site that none of them names would silently have no partner.",
        FORMAT,
    ),
    "GEO405": Code(
        ERROR, "A group names an unknown site", "Groups name sites as 'sites' does, letter by letter.", FORMAT
    ),
    "GEO406": Code(
        ERROR,
        "A group is empty",
        "A group without a site plans nothing; its sites may have been lost in an edit.",
        FORMAT,
    ),
    "GEO407": Code(
        ERROR,
        "Two clusters of a group have one name",
        "Partners share their clusters, and the two could not be told apart.",
        GEO + ", Manage Clusters",
    ),
    "GEO408": Code(
        ERROR,
        "A group has too many sites",
        "A LoadMaster takes 18 GEO clusters, and each site is one.",
        GEO + ", Manage Clusters",
    ),
    # Warnings
    "GEO501": Code(
        WARNING,
        "The units of a pair differ in firmware",
        "A pair with two versions should never be left in production.",
        DOCUMENT + ", 7",
    ),
    "GEO502": Code(
        WARNING,
        "Only some units of a group have the Partner Shared Secret",
        "Units with the secret and units without it refuse each other's connections.",
        UPDATING,
    ),
    "GEO503": Code(
        WARNING,
        "A pair mixes IPv4 and IPv6",
        "Both units of a pair are reached by the same sites, so both need an address that all of these can reach.",
        DOCUMENT + ", 5",
    ),
    "GEO504": Code(
        WARNING,
        "A group mixes IPv4 and IPv6",
        "Each site has to reach every other one, and a site with IPv4 alone cannot reach one with IPv6 alone.",
        DOCUMENT + ", 5",
    ),
    "GEO505": Code(
        WARNING,
        "A pair is reached over NAT",
        "On a failover HA replaces a unit's own address in a cluster; a NAT address there goes on naming the master.",
        DOCUMENT + ", 4",
    ),
    "GEO506": Code(
        WARNING,
        "An internet-facing load balancer has no Elastic IP",
        "Without one its address is AWS's to choose, and changes when the load balancer is made again.",
        DOCUMENT + ", 6.1",
    ),
    "GEO507": Code(
        WARNING,
        "A load balancer is in one subnet only",
        "A subnet lies in one zone, and a pair in one zone is lost with it.",
        DOCUMENT + ", 6.1",
    ),
    "GEO508": Code(
        WARNING,
        "A time is shorter than a push ever waits",
        "On a network a push waits as for a replication of 120 s and a boot of 60 s at least: a master rebooted before "
        "its slave holds the new lists leaves the site with the old ones.",
        DOCUMENT + ", 4; HA Feature Description",
    ),
    # Recorded lists
    "GEO601": Code(
        ERROR,
        "A recorded list holds something other than addresses",
        "A record is compared address by address.",
        DOCUMENT + ", 5.4",
    ),
    "GEO602": Code(
        ERROR,
        "A record has another layout",
        "Each site is its name, its units and its two lists, as the example prints them.",
        DOCUMENT + ", 5.4",
    ),
    # HA and the load balancer
    "GEO701": Code(
        ERROR,
        "A virtual service on the health check port",
        "The load balancer would ask the service which unit is active, and HA would stop working.",
        DOCUMENT + ", 6.2.1",
    ),
    "GEO702": Code(
        ERROR,
        "A TCP service on the port of HA synchronisation",
        "The units of a pair synchronise over TCP 6973; with a service there, the standby falls behind unseen.",
        DOCUMENT + ", 6.2.1",
    ),
    "GEO703": Code(
        ERROR,
        "A TCP service on port 22 of a unit",
        "GEO partners and cluster checks reach the unit there, over SSH.",
        DOCUMENT + ", 6.2.1",
    ),
    "GEO704": Code(
        ERROR,
        "A TLS listener without a certificate",
        "The load balancer ends TLS itself and has to show one; AWS makes no such listener without it.",
        DOCUMENT + ", 6.1",
    ),
    "GEO705": Code(
        ERROR,
        "An Elastic IP on an internal load balancer",
        "An internal one has no public address to put it on, and AWS refuses to make it.",
        DOCUMENT + ", 6.1",
    ),
    "GEO706": Code(
        ERROR,
        "Two listeners on one port",
        "A load balancer has one listener a port; TCP and UDP on one port are one listener of TCP_UDP.",
        BALANCING,
    ),
    "GEO707": Code(
        ERROR,
        "A certificate that no one is shown",
        "Only a TLS listener shows a certificate: either the protocol or the certificate is a slip.",
        BALANCING,
    ),
    "GEO708": Code(
        ERROR,
        "An identifier of AWS is used twice",
        "An instance is one unit and an Elastic IP has one place, so one of the two is a slip.",
        BALANCING,
    ),
    "GEO709": Code(
        ERROR,
        "A certificate of another region",
        "A load balancer takes certificates of its own region only.",
        BALANCING,
    ),
    "GEO710": Code(
        ERROR,
        "A target that its listener cannot have",
        "What a listener takes can be passed on in certain protocols only; AWS refuses the others.",
        BALANCING,
    ),
    "GEO711": Code(
        ERROR,
        "A listener that passes clients on to a port of HA",
        "No virtual service may stand on these ports, so clients would reach HA itself, or partners' SSH.",
        DOCUMENT + ", 6.2.1",
    ),
}


def explain(code: str) -> str:
    """Say what a code means and why it matters; raises :class:`KeyError` for an unknown one."""
    meaning = CODES[code]
    return f"{code} ({meaning.severity}): {meaning.title}\n\n{meaning.why}\n\nSource: {meaning.source}"
