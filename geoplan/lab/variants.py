"""Variants: where sources disagree on what units do, the lab takes one side, and a variant takes the other."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Self

from geoplan.lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Variant(StrEnum):
    """Another way in which units may be: a word for it, what the units do, and the fact of the ledger that it denies.

    ``geoplan.vendor`` has the facts.
    """

    description: str
    fact: str

    def __new__(cls, word: str, fact: str = "", description: str = "") -> Self:
        """Make a member that is its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.fact, member.description = fact, description
        return member

    # What units take
    CLUSTERS_BY_ID = "clusters-by-id", "CLUSTER_KEY", "know a cluster by `id` alone in showcluster and modcluster"
    CLUSTERS_BY_IP = "clusters-by-ip", "CLUSTER_KEY", "know a cluster by `ip` alone"
    HA_FIRST = "ha-first", "HA_MODES_TAKEN", "take the HA modes `first`, `second` and `single` alone"
    HA_MASTER = "ha-master", "HA_MODES_TAKEN", "take the HA modes `master`, `slave` and `single` alone"
    SET_VALUE = "set-value", "SET_PARAMETER", "take `value` alone in `set` of APIv2"
    SET_VAL = "set-val", "SET_PARAMETER", "take `val` alone in `set` of APIv2"
    KEY_IN_QUERY = "key-in-query", "API_KEY_PLACE", "take the API key of APIv1 in the query alone"
    NAMES_NORMALISED = "names-normalised", "CLUSTER_NAMES", "make blanks in the name of a cluster `_`, and cut it at 20"
    URL_2000 = "url-2000", "MAX_QUERY", "take URLs of up to 2,000 characters"

    # What units tell
    LISTS_COMMAS = "lists-commas", "LIST_FORM", "print a list with commas, in APIv2 too"
    LISTS_BLANKS = "lists-blanks", "LIST_FORM", "print a list with blanks"
    LISTS_BOTH = "lists-both", "LIST_FORM", "print a list with commas and blanks"
    LISTS_REPEATED = "lists-repeated", "LIST_FORM", "repeat the element for each address of a list in APIv1"
    LISTS_NESTED = "lists-nested", "LIST_FORM", "tell each address of a list as an element or object of its own"
    PARTNERS_WITH_PORT = "partners-with-port", "PARTNER_STATUS", "tell a partner as `ADDRESS:PORT`"
    PARTNERS_AS_LINES = "partners-as-lines", "PARTNER_STATUS", "tell a partner as `ADDRESS: WORD`"
    PARTNERS_BY_NAME = "partners-by-name", "PARTNER_STATUS", "tell a partner by the name of its host"
    PARTNERS_UNKNOWN = "partners-unknown", "PARTNER_STATUS", "tell the status of every partner as `Unknown`"
    PARTNERS_CONNECTED = "partners-connected", "PARTNER_STATUS", "tell a partner as `Connected` or `Not connected`"
    STANDBYS_RED = "standbys-red", "STANDBY_AS_PARTNER", "show a partner green only where both units are active"
    HA_TOLD_FIRST = "ha-told-first", "HA_MODE_WORD", "tell HaMode as `First` or `Second`"
    HA_PARTNER_BY_NAME = "ha-partner-by-name", "HA_PARTNER", "tell the partner of HA by the name of its host"
    HAMODE_0 = "hamode-0", "HA_MODE_NUMBER", "tell hamode 0, though they are a cloud pair"
    AZURE = (
        "azure",
        "HA_FAMILY",
        "run in Azure: AzureHA in place of AwsHA, and a standby's changes reach its active unit",
    )
    CLOUD_HA_ONLY = "cloud-ha-only", "HA_FAMILY", "know the HA commands of every cloud alone"
    NO_GETALL = "no-getall", "GETALL", "do not know getall"
    NO_BOOTTIME = "no-boottime", "BOOT_TIME", "do not know boottime"
    BOOTTIME_DATE = "boottime-date", "BOOT_TIME", "tell boottime as a date"
    NO_HASTATUS = "no-hastatus", "HA_STATUS", "know neither hastatus nor activetime"
    NO_CLUSTERS_200 = "no-clusters-200", "NO_CLUSTERS", "answer 200 without data where there is no cluster or FQDN"
    FQDNS_WITHOUT_DOT = "fqdns-without-dot", "FQDN_DOT", "list FQDNs without a dot at the end"
    UNKNOWN_404 = "unknown-404", "UNKNOWN_COMMAND", "answer an unknown command with 404"
    STANDBYS_403 = "standbys-403", "STANDBY_READS", "refuse reads with 403 on a standby"
    STANDBYS_401 = "standbys-401", "STANDBY_READS", "refuse reads with 401 on a standby"

    # How answers are written
    FAILURES_200 = "failures-200", "FAILURE_STATUS", "send failures of APIv2 with HTTP 200"
    V2_WANTS_BASIC = "v2-wants-basic", "API_FORMATS", "answer APIv2 with 401, since Session Management is off"
    V2_WANTS_SESSIONS = "v2-wants-sessions", "API_FORMATS", "answer APIv2 with words on Session Management"
    UTF_8 = "utf-8", "XML_ENCODING", "write APIv1 in UTF-8, though declared as ISO-8859-1"
    BLANK_LINES = "blank-lines", "FRAMING", "send blank lines before and after an answer"
    NUL_BYTES = "nul-bytes", "FRAMING", "send NUL bytes before and after an answer"
    BARE_AMPERSAND = "bare-ampersand", "ESCAPES", "write a bare `&` in APIv1"
    JSON_CONTROL_CHARACTERS = "json-control-characters", "ESCAPES", "write control characters in APIv2"
    JSON_LATIN_1 = "json-latin-1", "ESCAPES", "write APIv2 in ISO-8859-1"

    # What else units do
    HEALTH_CLOSED = "health-closed", "HEALTH_CHECK_REACH", "answer the health check to the load balancer alone"
    MAPS_GO = "maps-go", "MAPS_OF_DELETED_CLUSTERS", "drop the maps of FQDNs that use a cluster with that cluster"
    RESTORE_BRINGS_LISTS = "restore-brings-lists", "RESTORE_OF_GEO", "bring both lists with a restore of GEO"
    LINKS_IGNORE_ACCESS = (
        "links-ignore-access",
        "LINKS_NEED_ACCESS",
        "hold links until one side submits again, whatever the access lists say",
    )
    SECRETS_KEEP_HA = (
        "secrets-keep-ha",
        "HA_WITH_OTHER_SECRETS",
        "go on as a pair while its two units hold different Partner Shared Secrets",
    )
    CUTS_END_LINKS = (
        "cuts-end-links",
        "LINKS_AFTER_CUT",
        "drop links that the network parts, until one side submits again",
    )


def as_variants(given: Iterable[Variant | str]) -> frozenset[Variant]:
    """Return variants by their words; raises :class:`LabError` for none that there is, and for two of one fact."""
    found: dict[str, Variant] = {}
    for word in given:
        try:
            variant = Variant(word)
        except ValueError:
            raise LabError(f"there is no variant '{word}'", hint=f"there are {', '.join(Variant)}") from None
        other = found.setdefault(variant.fact, variant)
        if other is not variant:
            raise LabError(f"the variants {other} and {variant} contradict each other", hint="leave one of them out")
    return frozenset(found.values())
