"""Rows of the ledger on GEO partners: what makes their links green, what ends them, and what partners share.

The vendor's documents tell how links are made, and next to nothing of how they end. What ``geoplan whatif`` says comes
back by itself rests on these rows.
"""

from __future__ import annotations

from typing import NamedTuple

from geoplan import fact as ledger

NOWHERE = "not known"
IN_THE_LAB = "test_a_lab_as_usual_takes_the_side_of_the_ledger"


class PartnerFacts(NamedTuple):
    """The values of the rows, by their names."""

    links_need_access: str
    links_after_boot: str
    links_after_cut: str
    entries_apart: str


def enter() -> PartnerFacts:
    """Enter the rows in the ledger, at the place where this is called; return their values."""
    return PartnerFacts(
        links_need_access=ledger.unconfirmed(
            "LINKS_NEED_ACCESS",
            "on both sides, at all times",
            "Where links of partners need the access lists",
            source=NOWHERE,
            held_by=IN_THE_LAB,
            not_read="an access list that is changed under a link",
        ),
        links_after_boot=ledger.unconfirmed(
            "LINKS_AFTER_BOOT",
            "green by themselves",
            "The links of a unit that was down, once it is up again. The vendor's steps reboot each master, and have "
            "nothing submitted on it afterwards",
            source="LoadMaster HA for AWS, 5.4; concluded",
            held_by="test_no_link_is_made_while_the_other_is_down_and_a_reboot_breaks_none",
            not_read="a unit that goes down and comes back; geoplan drill shows it of a pair",
        ),
        links_after_cut=ledger.unconfirmed(
            "LINKS_AFTER_CUT",
            "green by themselves",
            "The links of partners that a network has parted, once it is whole. If they stay red, the partners have to "
            "be submitted again",
            source=NOWHERE,
            held_by=IN_THE_LAB,
            not_read="a network between partners that is cut and mended",
        ),
        entries_apart=ledger.unconfirmed(
            "ENTRIES_APART",
            "of each entry the later change",
            "What stays of clusters and FQDNs where partners were changed apart from each other and are linked again",
            source=NOWHERE,
            held_by="test_two_sides_that_define_one_cluster_share_the_later_one",
            not_read="two partners that are changed while no link joins them",
        ),
    )
