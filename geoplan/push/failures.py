"""What went wrong on a unit, as far as a push treats it differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import AuthenticationError, UnitRefusedError, UnitUnreachableError, UntrustedUnitError
from geoplan.push.facts import Cause, Failure

if TYPE_CHECKING:
    from geoplan.errors import UnitError

CHECK_CREDENTIALS = (
    "check its credentials: --credentials, GEOPLAN_USER and GEOPLAN_PASSWORD or GEOPLAN_APIKEY, or the keyring"
)


def failure_of(error: UnitError) -> Failure:
    """Return why a unit could not be read."""
    match error:
        case AuthenticationError() | UntrustedUnitError():
            cause = Cause.UNAUTHORIZED
        case UnitUnreachableError():
            cause = Cause.UNREACHABLE
        case UnitRefusedError():
            cause = Cause.REFUSED
        case _:
            cause = Cause.UNREADABLE
    # A certificate that is not believed and credentials that are refused have one cause and nothing else in common.
    return Failure(cause, reason_of(error), error.hint if isinstance(error, UntrustedUnitError) else None)


def reason_of(error: UnitError) -> str:
    """Return what an error says, without the unit's address, which stands before it anyway."""
    return str(error).removeprefix(f"{error.unit}: ")
