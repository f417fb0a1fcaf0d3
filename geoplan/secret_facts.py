"""Rows of the ledger on the Partner Shared Secret: which firmware has it, what it is made of, and what it holds apart.

No unit tells its secret, and the documents say nothing of what happens while two units hold different ones. How
``geoplan push --secret`` goes about a pair rests on these rows.
"""

from __future__ import annotations

from typing import NamedTuple

from geoplan import fact as ledger

UPDATING = "Updating the LoadMaster Software"
NOWHERE = "not known"
BY_PUSH_ALONE = "a secret that is set: push --secret alone does that"


class SecretFacts(NamedTuple):
    """The values of the rows, by their names."""

    partner_secret_ltsf: tuple[int, ...]
    partner_secret_ga: tuple[int, ...]
    shortest_secret: int
    longest_secret: int
    not_in_secrets: str
    secret_on_standby: str
    ha_with_other_secrets: str
    links_after_secret: str


def enter() -> SecretFacts:
    """Enter the rows in the ledger, at the place where this is called; return their values."""
    return SecretFacts(
        partner_secret_ltsf=ledger.fact(
            "PARTNER_SECRET_LTSF",
            (7, 2, 54, 10),
            "The first 7.2.54.x with the Partner Shared Secret",
            source=UPDATING,
            held_by="test_secret_is_set_where_the_change_brings_it",
        ),
        partner_secret_ga=ledger.fact(
            "PARTNER_SECRET_GA",
            (7, 2, 59, 4),
            "From here on all firmware has the Partner Shared Secret",
            source=UPDATING,
            held_by="test_secret_is_set_where_the_change_brings_it",
        ),
        shortest_secret=ledger.fact(
            "SHORTEST_SECRET",
            8,
            "Characters that a Partner Shared Secret has at least",
            source=f"{UPDATING}; HA Feature Description",
            held_by="test_secret_that_no_unit_takes_is_refused_without_being_shown",
        ),
        longest_secret=ledger.fact(
            "LONGEST_SECRET",
            127,
            "Characters that a Partner Shared Secret has at most",
            source=f"{UPDATING}; HA Feature Description",
            held_by="test_secret_that_no_unit_takes_is_refused_without_being_shown",
        ),
        not_in_secrets=ledger.fact(
            "NOT_IN_SECRETS",
            "'",
            "The visible character of ASCII that no Partner Shared Secret has; nor has it a blank or anything else",
            source=f"{UPDATING}; HA Feature Description",
            held_by="test_secret_that_no_unit_takes_is_refused_without_being_shown",
        ),
        secret_on_standby=ledger.unconfirmed(
            "SECRET_ON_STANDBY",
            "takes it",
            "What a standby does with setlmcommsecret. It is set on each unit by itself, and nothing replicates it",
            source="Partner Shared Secret; concluded",
            held_by="test_standby_that_does_not_take_the_secret_leaves_the_pair_as_it_was",
            not_read=BY_PUSH_ALONE,
        ),
        ha_with_other_secrets=ledger.unconfirmed(
            "HA_WITH_OTHER_SECRETS",
            "HA parts them",
            "What HA does while the two units of a pair hold different secrets: both may be active, and nothing is "
            "replicated",
            source=f"{UPDATING}; concluded",
            held_by="test_a_lab_as_usual_takes_the_side_of_the_ledger",
            not_read=BY_PUSH_ALONE,
        ),
        links_after_secret=ledger.unconfirmed(
            "LINKS_AFTER_SECRET",
            "green by themselves",
            "The links of partners whose secrets differed, once they are the same. If they stay red, the partners have "
            "to be submitted again",
            source=NOWHERE,
            held_by="test_a_group_is_rotated_pair_by_pair_and_all_links_are_green_again",
            not_read=BY_PUSH_ALONE,
        ),
    )
