"""What a simulated unit's firmware has and says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from geoplan.lab.errors import LabError
from geoplan.vendor import Version, has_partner_secret, parse_version

DEFAULT_FIRMWARE = "7.2.59.4"

API_V2 = (7, 2, 52, 0)  # JSON-based Input and Output: official from here on
CLOUD_HA = (7, 2, 59, 0)  # a guess: "newer firmware" has setcloudha…, and says first and second

BUILD = "22338.RELEASE"


@dataclass(frozen=True)
class Firmware:
    """A release, such as 7.2.59.4. Raises :class:`LabError` where the text names none."""

    text: str = DEFAULT_FIRMWARE

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+(\.\d+){2,4}(\.[A-Za-z]+)?", self.text):
            raise LabError(f"'{self.text}' is not a firmware version", hint="write it as 7.2.59.4")

    @cached_property
    def version(self) -> Version:
        """The four numbers of the release."""
        return parse_version(self.text)

    @property
    def has_api_v2(self) -> bool:
        """Whether it answers JSON at /accessv2."""
        return self.version >= API_V2

    @property
    def has_partner_secret(self) -> bool:
        """Whether partners have to share a secret (Updating the LoadMaster Software)."""
        return has_partner_secret(self.version)

    @property
    def has_cloud_ha(self) -> bool:
        """Whether the HA commands exist for every cloud, and roles are called first and second."""
        return self.version >= CLOUD_HA

    @property
    def release(self) -> str:
        """The version as the unit gives it, for example ``7.2.54.12.22642.RELEASE``."""
        if self.text.count(".") > len(self.version) - 1:
            return self.text
        return ".".join(map(str, self.version)) + f".{BUILD}"
