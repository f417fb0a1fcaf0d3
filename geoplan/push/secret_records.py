"""What a journal records of the Partner Shared Secret: which unit was given it, and never a word of what it is.

Nothing in it could be held against a guess: whoever goes on sets the secret again on both units of a pair instead of
comparing anything.
"""

from __future__ import annotations

from typing import Literal

from geoplan.push.record import Record
from geoplan.push.values import Addresses, Text


class SettingSecret(Record):
    """The secret is about to be sent to a unit: from here on it may have it."""

    event: Literal["setting_secret"]
    step: Text
    site: Text
    unit: Text


class SecretNotSet(Record):
    """What was recorded last for the unit has provably not been carried out: it has what it had before that."""

    event: Literal["secret_not_set"]
    step: Text
    site: Text
    unit: Text


class SecretSet(Record):
    """The unit said that it has it."""

    event: Literal["secret_set"]
    step: Text
    site: Text
    unit: Text


class SecretsMayDiffer(Record):
    """An earlier push left the units of a site, in this order of setting, with secrets that may differ."""

    event: Literal["secrets_may_differ"]
    site: Text
    units: Addresses


class SecretsLeftAlone(Record):
    """Of a way back the sites that it sends nothing: no unit of them was given what it takes back."""

    event: Literal["secrets_left_alone"]
    sites: tuple[Text, ...]


class SecretInForce(Record):
    """All units of the site have it, and its pair is whole."""

    event: Literal["secret_in_force"]
    step: Text
    site: Text
