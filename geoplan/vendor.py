"""What the vendor's product fixes: ports, limits, firmware thresholds, and the names in its web interface (WUI).

One row for each fact, with where it comes from and what in this project stands for it; ``geoplan facts`` prints them.
*Confirmed* is what the vendor's guides say and nothing else that is known contradicts. *Unconfirmed* is what has only
been heard, or concluded, or is told in different ways.
"""

from __future__ import annotations

import re

from geoplan import fact as ledger
from geoplan import ha_facts, partner_facts, secret_facts

Fact = ledger.Fact
FACTS, _fact, _unconfirmed = ledger.FACTS, ledger.fact, ledger.unconfirmed

DOCUMENT, UPDATING = "LoadMaster HA for AWS", "Updating the LoadMaster Software"
GEO, HA = "GEO Feature Description", "HA Feature Description"
API_GUIDE, PROGRAMMER_GUIDE = "RESTful API, Interface Description", "RESTful API Programmer Guide"
POWERSHELL, JSON_GUIDE, WUI_GUIDE = "PowerShell SDK 7.2.60", "JSON-based Input and Output", "Web User Interface guide"

WUI = "a name in the web interface"


def _label(name: str, text: str, section: str | None = None) -> str:
    """Enter a name of the WUI: of a section of the document, or else of a guide that nobody could look at."""
    if section:
        held_by = "test_labels_of_the_document_stand_in_it"
        return _fact(name, text, WUI, source=f"{DOCUMENT}, {section}", held_by=held_by)
    held_by = "test_labels_that_the_document_lacks_are_unconfirmed"
    return _unconfirmed(name, text, WUI, source=WUI_GUIDE, held_by=held_by)


# Ports
SYNC_PORT = _fact(
    "SYNC_PORT",
    6973,
    "TCP, between the units of a pair: HA synchronises over it",
    source=f"{DOCUMENT}, 6",
    held_by="test_target_on_a_port_that_the_units_need_is_refused",
)
SSH_PORT = _fact(
    "SSH_PORT",
    22,
    "TCP, between GEO partners and for the checks of Remote LM clusters, unless set otherwise",
    source=f"{GEO}; {DOCUMENT}, 6.2.1",
    held_by="test_target_on_a_port_that_the_units_need_is_refused",
)
DEFAULT_HEALTH_CHECK_PORT = _fact(
    "DEFAULT_HEALTH_CHECK_PORT",
    8444,
    "TCP, HTTP: where the units of a pair say which is active",
    source=f"{DOCUMENT}, 6.1",
    held_by="test_health_check_port_of_the_topology_holds_where_the_pair_has_none",
)
API_PORT = _fact(
    "API_PORT",
    443,
    "TCP, HTTPS: API and WUI, unless set otherwise",
    source=API_GUIDE,
    held_by="test_what_is_nearest_to_the_unit_says_its_port",
)
CLOUD_API_PORT = _fact(
    "CLOUD_API_PORT",
    8443,
    "TCP, HTTPS: API and WUI of a unit in AWS or Azure, where 443 is left to virtual services",
    source="LoadMaster for AWS, Differences from the VLM; HA for Azure",
    held_by="test_what_is_nearest_to_the_unit_says_its_port",
)
ACTIVE_CODE = _fact(
    "ACTIVE_CODE",
    200,
    "What the active unit of a pair answers the health check",
    source=f"{DOCUMENT}, 4",
    held_by="test_the_health_check_tells_who_is_active",
)
STANDBY_CODE = _fact(
    "STANDBY_CODE",
    503,
    "What the standby of a pair answers the health check",
    source=f"{DOCUMENT}, 4",
    held_by="test_the_health_check_tells_who_is_active",
)

# Limits
MAX_CLUSTERS = _fact(
    "MAX_CLUSTERS",
    18,
    "GEO clusters that a unit takes",
    source=f"{GEO}, Manage Clusters",
    held_by="test_a_place_takes_one_cluster_and_a_unit_eighteen",
)
MAX_REBOOTS = _fact(
    "MAX_REBOOTS",
    3,
    "Reboots within REBOOT_WINDOW_SECONDS; one more, and the unit goes into a pacified state",
    source=WUI_GUIDE,
    held_by="test_the_fourth_reboot_within_five_minutes_pacifies_a_unit_and_power_frees_it",
)
REBOOT_WINDOW_SECONDS = _fact(
    "REBOOT_WINDOW_SECONDS",
    300,
    "The time in which reboots count",
    source=WUI_GUIDE,
    held_by="test_the_fourth_reboot_within_five_minutes_pacifies_a_unit_and_power_frees_it",
)
MAX_CALLS = _fact(
    "MAX_CALLS",
    30,
    "API calls within CALLS_WINDOW_SECONDS, over all interfaces; more, and the unit drops the connection",
    source=API_GUIDE,
    held_by="test_a_rate_limit_is_waited_out",
)
CALLS_WINDOW_SECONDS = _fact(
    "CALLS_WINDOW_SECONDS",
    3,
    "The time in which API calls count",
    source=API_GUIDE,
    held_by="test_a_rate_limit_is_waited_out",
)
MAX_QUERY = _unconfirmed(
    "MAX_QUERY",
    1024,
    "Characters of a URL with its query in APIv1; a community saw 2,000. What is longer geoplan sends as a form",
    source=API_GUIDE,
    held_by="test_no_url_is_longer_than_units_take",
)
MAX_NAME_LENGTH = _unconfirmed(
    "MAX_NAME_LENGTH",
    64,
    "Characters of a name; the vendor's limit is not known",
    source="a cautious choice",
    held_by="test_report",
    not_read="a longer name that is entered",
)
CUT_NAME_LENGTH = _unconfirmed(
    "CUT_NAME_LENGTH",
    20,
    "Characters of a cluster's name that some firmware keeps; blanks may become _ as well. geoplan takes such a name "
    "for the same cluster, and says what stands there",
    source="only heard of",
    held_by="test_name_that_a_unit_rewrites_is_told_as_that",
    not_read="a longer name that is entered",
)
HOST_NAME = _unconfirmed(
    "HOST_NAME",
    "hostname",
    "The parameter that tells what a unit calls itself; an import names sites without a cluster by it",
    source=API_GUIDE,
    held_by="test_one_call_tells_what_is_set",
    not_read="a look at what its web interface calls the unit",
)
NO_PLACE = _unconfirmed(
    "NO_PLACE",
    "0, 0",
    "The degrees that a unit shows of a cluster that was given no place; an import takes them for none",
    source="a cautious choice",
    held_by="test_place_in_the_sea_is_none",
    not_read="a cluster that is added without a place",
)
SYNC_SECONDS = _unconfirmed(
    "SYNC_SECONDS",
    120,
    "Until the standby holds what the active unit has; an older guide has pairs synchronise every two minutes",
    source=HA,
    held_by="test_reboot_waits_for_replication_and_for_the_pair_before",
    not_read="a change that reaches the standby",
)
BACKUP_FORMATS = _unconfirmed(
    "BACKUP_FORMATS",
    "gzip, bzip2, xz, zip or another",
    "How a backup file is packed; one that begins as these do has to be whole, any other is taken as it is",
    source="only guessed: the vendor describes no format",
    held_by="test_packed_file_is_taken_whole_and_refused_wherever_it_is_cut",
    not_read="a backup, which holds secrets",
)

# Words of the API
UNKNOWN_PARTNER = _fact(
    "UNKNOWN_PARTNER",
    "Unknown",
    "The status of a GEO partner of which nothing is known; all other words of a status are not documented",
    source=API_GUIDE,
    held_by="test_partners_are_read_in_every_form",
)

# Firmware
API_V2_SINCE = _fact(
    "API_V2_SINCE",
    (7, 2, 52, 0),
    "The first firmware with the JSON API; 7.2.50 has it as a beta",
    source="JSON-based Input and Output for the LoadMaster RESTful API",
    held_by="test_old_firmware_in_the_topology_means_the_old_format",
)
(
    PARTNER_SECRET_LTSF,
    PARTNER_SECRET_GA,
    SHORTEST_SECRET,
    LONGEST_SECRET,
    NOT_IN_SECRETS,
    SECRET_ON_STANDBY,
    HA_WITH_OTHER_SECRETS,
    LINKS_AFTER_SECRET,
) = secret_facts.enter()
LOWEST_AFTER_DOWNGRADE = _fact(
    "LOWEST_AFTER_DOWNGRADE",
    (7, 2, 36, 0),
    "A unit that runs this or newer and goes below it becomes inaccessible for good",
    source=f"{DOCUMENT}, 7",
    held_by="test_downgrade_below_7_2_36_is_refused",
)
STEPPING_STONE = _fact(
    "STEPPING_STONE",
    (7, 2, 60, 0),
    "Firmware before it goes to it first, then further",
    source="release notes",
    held_by="test_nothing_goes_past_the_stepping_stone",
)
INSTALL_SECONDS = _unconfirmed(
    "INSTALL_SECONDS",
    500.0,
    "Seconds for the answer to installpatch, which is in APIv1 alone and takes the file as its body",
    source=POWERSHELL,
    held_by="test_image_is_the_body_of_one_request_in_apiv1",
    not_read="a firmware update",
)

# How units answer. What geoplan takes for true is what it expects first; it reads every other form that is likely.
UNKNOWN = "not known"
_PROBED = "test_a_lab_as_usual_takes_the_side_of_the_ledger"


def _answer(name: str, value: str, meaning: str, source: str, *, not_read: str = "") -> str:
    """Enter a way in which units answer, which the probe looks at unless no read can show it."""
    return _unconfirmed(name, value, meaning, source=source, held_by=_PROBED, not_read=not_read)


API_FORMATS = _answer("API_FORMATS", "APIv2 and APIv1", "The wire formats in which one unit answers", PROGRAMMER_GUIDE)
FAILURE_STATUS = _answer("FAILURE_STATUS", "its code", "The HTTP status of a refusal in APIv2", "a hardening script")
UNKNOWN_COMMAND = _answer("UNKNOWN_COMMAND", "405", "The code for a command that the firmware does not know", API_GUIDE)
XML_ENCODING = _answer("XML_ENCODING", "ISO-8859-1", "The bytes of APIv1, which says that it is ISO-8859-1", POWERSHELL)
FRAMING = _answer("FRAMING", "the document alone", "What an answer holds beside XML or JSON", "captures from units")
HA_STATUS = _answer(
    "HA_STATUS", "one of Active, Standby, Passive, HA not configured", "What hastatus tells", f"{API_GUIDE}, 3.22.4"
)
ACTIVE_TIME = _answer("ACTIVE_TIME", "0 on a standby alone", "What activetime tells", API_GUIDE)
GETALL = _answer("GETALL", "answered", "Whether getall tells all parameters at once", API_GUIDE)
BOOT_TIME = _answer("BOOT_TIME", "seconds since 1970", "How boottime is written", UNKNOWN)
CHANGE_TIME = _answer("CHANGE_TIME", "any change", "What moves ChangeTime", API_GUIDE, not_read="a submission")
STANDBY_READS = _answer("STANDBY_READS", "answered", "What the API of a standby does with reads", UNKNOWN)
HA_FAMILY = _answer("HA_FAMILY", "getawshaparams", "The command that tells HA parameters in AWS", API_GUIDE)
HA_MODE_WORD = _answer("HA_MODE_WORD", "master or slave", "How HaMode names the role of a unit", API_GUIDE)
HA_MODE_NUMBER = _answer("HA_MODE_NUMBER", "3", "The parameter hamode of a unit in a cloud pair", API_GUIDE)
LIST_FORM = _answer("LIST_FORM", "one value each in APIv2, commas in APIv1", "How both lists are printed", UNKNOWN)
PARTNER_STATUS = _answer("PARTNER_STATUS", "an address and a word", "What getgeopartnerstatus tells", UNKNOWN)
CLUSTER_KEY = _answer(
    "CLUSTER_KEY", "ip and id", "By which parameter one cluster is named", f"{API_GUIDE}; {POWERSHELL}"
)
NO_CLUSTERS = _answer("NO_CLUSTERS", "404", "The code of listclusters where there is none", PROGRAMMER_GUIDE)
FQDN_DOT = _answer("FQDN_DOT", "with a dot at the end", "How an FQDN is listed", API_GUIDE)
CLUSTER_NAMES = _answer("CLUSTER_NAMES", "kept", "Blanks in the name of a cluster", "a cautious choice")
SET_PARAMETER = _answer(
    "SET_PARAMETER",
    "value and val",
    "What set of APIv2 calls the value",
    f"{JSON_GUIDE}; scripts",
    not_read="a parameter that is set",
)
API_KEY_PLACE = _answer(
    "API_KEY_PLACE",
    "in a form, too",
    "Where APIv1 takes an API key, which is documented in the query alone",
    f"{API_GUIDE}; a cautious choice",
)
HA_MODES_TAKEN = _answer(
    "HA_MODES_TAKEN",
    "master, slave, first, second, single",
    "The HA modes that units take",
    f"{API_GUIDE}; {POWERSHELL}",
    not_read="an HA mode that is set",
)
HA_PARTNER = _answer("HA_PARTNER", "an address", "How units tell their partner in HA", API_GUIDE)
STANDBY_AS_PARTNER = _answer("STANDBY_AS_PARTNER", "green", "How a standby shows as a GEO partner", UNKNOWN)
ESCAPES = _answer("ESCAPES", "as XML and JSON have them", "How answers write &, control characters, letters", UNKNOWN)
HEALTH_CHECK_REACH = _answer("HEALTH_CHECK_REACH", "everyone", "Whom the health check answers", UNKNOWN)
LINKS_NEED_ACCESS, LINKS_AFTER_BOOT, LINKS_AFTER_CUT, ENTRIES_APART = partner_facts.enter()
HA_PARAMETERS_OF_ONE_UNIT, PORTS_APART, PREFERRED_ANEW, ONE_HA_PARAMETER = ha_facts.enter()

GEO_RESTORE_TYPE = _unconfirmed(
    "GEO_RESTORE_TYPE",
    4,
    "Of what restore takes from a backup: GEO alone. The type is a bitmask; one of the vendor's SDKs has 3 for GEO",
    source=API_GUIDE,
    held_by="test_a_restore_of_geo_in_each_format",
    not_read="a restore",
)
RESTORE_OF_GEO = _unconfirmed(
    "RESTORE_OF_GEO",
    "clusters and FQDNs alone",
    "What a restore of GEO Configuration writes. geoplan sends one with --seed-by-api alone, reads everything else of "
    "the unit again, and sets both lists afterwards",
    source=UNKNOWN,
    held_by=_PROBED,
    not_read="a restore of GEO Configuration",
)
MAPS_OF_DELETED_CLUSTERS = _unconfirmed(
    "MAPS_OF_DELETED_CLUSTERS",
    "they keep its name",
    "What becomes of the maps of FQDNs when the cluster that they use is deleted. geoplan deletes no such cluster "
    "without --accept-fqdn-loss",
    source=UNKNOWN,
    held_by=_PROBED,
    not_read="the deletion of a cluster that an FQDN uses",
)

# Screens of the WUI, by their path in the main menu
REMOTE_ACCESS = _label("REMOTE_ACCESS", "Certificates & Security > Remote Access", "5.1")
MANAGE_CLUSTERS = _label("MANAGE_CLUSTERS", "Global Balancing > Manage Clusters", "5.1")
MANAGE_FQDNS = _label("MANAGE_FQDNS", "Global Balancing > Manage FQDNs")
HA_PARAMETERS = _label("HA_PARAMETERS", "System Configuration > AWS HA Parameters", "6.2")
HOME = _label("HOME", "Home")
SYSTEM_REBOOT = _label("SYSTEM_REBOOT", "System Configuration > System Administration > System Reboot")
UPDATE_SOFTWARE = _label("UPDATE_SOFTWARE", "System Configuration > System Administration > Update Software")
STANDBY_UPDATE = _label("STANDBY_UPDATE", "Local Administration > Update Software")
LOCAL_REMOTE_ACCESS = _label("LOCAL_REMOTE_ACCESS", "Local Administration > Remote Access")
BACKUP = _label("BACKUP", "System Configuration > System Administration > Backup/Restore")

# Fields, choices and buttons of the WUI
REMOTE_GEO_ACCESS = _label("REMOTE_GEO_ACCESS", "Remote GEO LoadMaster Access", "5.1")
SET_REMOTE_GEO_ACCESS = _label("SET_REMOTE_GEO_ACCESS", "Set GEO LoadMaster access", "5.1")
GEO_PARTNERS = _label("GEO_PARTNERS", "GEO LoadMaster Partners", "5.2")
SET_GEO_PARTNERS = _label("SET_GEO_PARTNERS", "Set GEO LoadMaster Partners", "5.2")
CLUSTER_ADDRESS = _label("CLUSTER_ADDRESS", "IP address", "5.1")
CLUSTER_NAME = _label("CLUSTER_NAME", "Name", "5.1")
CLUSTER_TYPE = _label("CLUSTER_TYPE", "Type", "5.1")
ADD_CLUSTER = _label("ADD_CLUSTER", "Add Cluster", "5.1")
HA_MODE = _label("HA_MODE", "AWS HA Mode", "6.2")
MASTER_HA_MODE = _label("MASTER_HA_MODE", "Master HA Mode", "6.2")
SLAVE_HA_MODE = _label("SLAVE_HA_MODE", "Slave HA Mode", "6.2")
PARTNER = _label("PARTNER", "Partner Name/IP", "6.2")
SET_PARTNER = _label("SET_PARTNER", "Set Partner Name/IP", "6.2")
HEALTH_CHECK_PORT = _label("HEALTH_CHECK_PORT", "Health Check Port", "6.2")
SET_HEALTH_CHECK_PORT = _label("SET_HEALTH_CHECK_PORT", "Set Health Check Port", "6.2")
ALL_INTERFACES = _label("ALL_INTERFACES", "Health Check on All Interfaces", "6.2")
PREFERRED_SERVER = _label("PREFERRED_SERVER", "Switch to Preferred Server", "6.2")
PREFER_MASTER = _label("PREFER_MASTER", "Prefer Master", "6.2")
NO_PREFERRED_HOST = _label("NO_PREFERRED_HOST", "No Preferred Host", "6.2")
LOCAL_ADMINISTRATION = _label("LOCAL_ADMINISTRATION", "Local Administration", "6.2")
MASTER = _label("MASTER", "MASTER", "8")
SLAVE = _label("SLAVE", "SLAVE", "8")
MASTER_UNCONNECTED = _label("MASTER_UNCONNECTED", "Master Unconnected", "8")
SLAVE_UNCONNECTED = _label("SLAVE_UNCONNECTED", "Slave Unconnected", "8")
MASTER_ACTIVE = _label("MASTER_ACTIVE", "Master (Active)", "8")
MASTER_STANDBY = _label("MASTER_STANDBY", "Master (Standby)", "8")
SLAVE_ACTIVE = _label("SLAVE_ACTIVE", "Slave (Active)", "8")
SLAVE_STANDBY = _label("SLAVE_STANDBY", "Slave (Standby)", "8")
UPDATE_MACHINE = _label("UPDATE_MACHINE", "Update Machine")
RESTORE_SOFTWARE = _label("RESTORE_SOFTWARE", "Restore Software")
NON_HA_MODE = _label("NON_HA_MODE", "Non HA Mode")
REBOOT = _label("REBOOT", "Reboot")
CREATE_BACKUP = _label("CREATE_BACKUP", "Create Backup File")
GEO_CONFIGURATION = _label("GEO_CONFIGURATION", "GEO Configuration")
RESTORE = _label("RESTORE", "Restore Configuration")
SESSION_MANAGEMENT = _label("SESSION_MANAGEMENT", "Session Management")
REQUIRE_BASIC = _label("REQUIRE_BASIC", "Require Basic Authentication")
ALLOW_SSH = _label("ALLOW_SSH", "Allow Remote SSH Access")
SHARED_SECRET = _label("SHARED_SECRET", "Partner Shared Secret")
PARTNERS_STATUS = _label("PARTNERS_STATUS", "GEO Partners Status")
MODIFY = _label("MODIFY", "Modify")
DELETE = _label("DELETE", "Delete")
DISABLE_GEO = _label("DISABLE_GEO", "Disable GEO")
SHOW_LOCATIONS = _label("SHOW_LOCATIONS", "Show Locations")
LATITUDE = _label("LATITUDE", "Latitude")
LONGITUDE = _label("LONGITUDE", "Longitude")

Version = tuple[int, ...]
MAX_DIGITS = 18  # of one number of a version


def parse_version(text: str) -> Version:
    """Return the four numbers that name a release: ``7.2.54.12.22642.RELEASE`` is (7, 2, 54, 12)."""
    # Whatever a unit or a file says; Python reads no numbers of thousands of digits.
    numbers = [int(number[:MAX_DIGITS]) for number in re.findall(r"\d+", text)[:4]]
    return tuple(numbers + [0] * (4 - len(numbers)))


def has_partner_secret(version: Version) -> bool:
    """Return whether partners have to share a secret under this firmware."""
    ltsf = version[:3] == PARTNER_SECRET_LTSF[:3] and version >= PARTNER_SECRET_LTSF
    return ltsf or version >= PARTNER_SECRET_GA
