"""The LoadMaster's web interface (WUI): menu paths, field labels and buttons, as it prints them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from geoplan.render.runbook.prose import Label

Source = Literal["document", "vendor"]


class Screen(NamedTuple):
    """A screen of the WUI, by its path in the main menu."""

    path: Label
    source: Source
    """The document (*LoadMaster HA for AWS*), or another of the vendor's guides where the document names no path."""


REMOTE_ACCESS = Screen(Label("Certificates & Security > Remote Access"), "document")
MANAGE_CLUSTERS = Screen(Label("Global Balancing > Manage Clusters"), "document")
HA_PARAMETERS = Screen(Label("System Configuration > AWS HA Parameters"), "document")
HOME = Screen(Label("Home"), "vendor")
SYSTEM_REBOOT = Screen(Label("System Configuration > System Administration > System Reboot"), "vendor")
UPDATE_SOFTWARE = Screen(Label("System Configuration > System Administration > Update Software"), "vendor")
STANDBY_UPDATE = Screen(Label("Local Administration > Update Software"), "vendor")
BACKUP = Screen(Label("System Configuration > System Administration > Backup/Restore"), "vendor")

# Sections 5.1 to 5.4.
REMOTE_GEO_ACCESS = Label("Remote GEO LoadMaster Access")
SET_REMOTE_GEO_ACCESS = Label("Set GEO LoadMaster access")
GEO_PARTNERS = Label("GEO LoadMaster Partners")
SET_GEO_PARTNERS = Label("Set GEO LoadMaster Partners")
CLUSTER_ADDRESS = Label("IP address")
CLUSTER_NAME = Label("Name")
ADD_CLUSTER = Label("Add Cluster")
CLUSTER_TYPE = Label("Type")

# Section 6.2.
HA_MODE = Label("AWS HA Mode")
MODES = {"master": Label("Master HA Mode"), "slave": Label("Slave HA Mode")}
PARTNER = Label("Partner Name/IP")
SET_PARTNER = Label("Set Partner Name/IP")
HEALTH_CHECK_PORT = Label("Health Check Port")
SET_HEALTH_CHECK_PORT = Label("Set Health Check Port")
ALL_INTERFACES = Label("Health Check on All Interfaces")
PREFERRED_SERVER = Label("Switch to Preferred Server")
PREFERRED_CHOICE = {"master": Label("Prefer Master"), "none": Label("No Preferred Host")}
LOCAL_ADMINISTRATION = Label("Local Administration")

# Section 8: what stands in the top right corner.
MASTER = Label("MASTER")
SLAVE = Label("SLAVE")
MASTER_UNCONNECTED = Label("Master Unconnected")
SLAVE_UNCONNECTED = Label("Slave Unconnected")
MASTER_ACTIVE = Label("Master (Active)")
MASTER_STANDBY = Label("Master (Standby)")
SLAVE_ACTIVE = Label("Slave (Active)")
SLAVE_STANDBY = Label("Slave (Standby)")

# The vendor's other guides: the document has no name for these.
LOCAL_UPDATE = STANDBY_UPDATE.path
LOCAL_REMOTE_ACCESS = Label("Local Administration > Remote Access")
UPDATE_MACHINE = Label("Update Machine")
RESTORE_SOFTWARE = Label("Restore Software")
NON_HA_MODE = Label("Non HA Mode")
REBOOT = Label("Reboot")
CREATE_BACKUP = Label("Create Backup File")
GEO_CONFIGURATION = Label("GEO Configuration")
RESTORE = Label("Restore Configuration")
ALLOW_SSH = Label("Allow Remote SSH Access")
SHARED_SECRET = Label("Partner Shared Secret")
PARTNERS_STATUS = Label("GEO Partners Status")
MODIFY = Label("Modify")
SHOW_LOCATIONS = Label("Show Locations")
LATITUDE = Label("Latitude")
LONGITUDE = Label("Longitude")
