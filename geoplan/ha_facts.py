"""Rows of the ledger on HA parameters of a pair at work: what is synchronised, and what a change sets going.

The vendor's documents tell how a pair is formed, and next to nothing of one whose parameters change while it works.
"""

from __future__ import annotations

from geoplan import fact as ledger


def enter() -> tuple[str, str, str, str]:
    """Enter the rows in the ledger, at the place where this is called; return their values."""
    of_one_unit = ledger.unconfirmed(
        "HA_PARAMETERS_OF_ONE_UNIT",
        "of each unit by itself",
        "Partner, preferred host, health check port and interfaces: whether HA synchronises them. Section 6.2 sets the "
        "preferred host on the master alone, so the slave's may follow",
        source="LoadMaster HA for AWS, 6.2; concluded",
        held_by="test_each_parameter_is_changed_on_both_units_the_standby_first",
        not_read="an HA parameter that is changed on one unit",
    )
    ports_apart = ledger.unconfirmed(
        "PORTS_APART",
        "the standby becomes active, too",
        "What HA does while the health check ports of a pair's units differ; nothing is synchronised then",
        source="LoadMaster HA for AWS, 6.2 (the same on both units); concluded",
        held_by="test_ports_that_differ_part_the_pair_and_both_become_active",
        not_read="a health check port that is changed on one unit",
    )
    preferred_anew = ledger.unconfirmed(
        "PREFERRED_ANEW",
        "at once, or at its next boot",
        "When a master that stands by takes over once it is preferred again",
        source="not known",
        held_by="test_each_step_says_its_risk_and_what_the_load_balancer_sees",
        not_read="a preferred host that is changed",
    )
    one_parameter = ledger.unconfirmed(
        "ONE_HA_PARAMETER",
        "with the partner, and nothing else",
        "What goes with one HA parameter that is set: the PowerShell SDK sends none without partner or port",
        source="PowerShell SDK 7.2.60",
        held_by="test_one_ha_parameter_goes_with_the_partner_alone",
        not_read="an HA parameter that is set",
    )
    return of_one_unit, ports_apart, preferred_anew, one_parameter
