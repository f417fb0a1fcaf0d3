"""What can go wrong, as far as a caller may want to catch it; each error knows its exit code.

GeoplanError
├── UnusableFileError        a file that cannot be read or written
├── InvalidInputError        a file that was read and is wrong
├── UpgradeRefusedError      a change of firmware that cannot be planned
├── ChangeRefusedError       a change from one topology to another that cannot be planned
├── NotInLabError            units that a lab does not serve
├── CredentialsError         no credentials, or a file of them that others can read
├── TooManyOpenFilesError    this machine's limit, no unit's failure
├── UnitError                something went wrong on one unit
│   ├── UnitUnreachableError     no answer
│   │   └── ProxyRefusedError        nor was it asked: the proxy on the way is dead, or lets nothing through
│   ├── UntrustedUnitError       another certificate than expected
│   │   └── NoTlsError               no TLS that both take, or no certificate of ours that it takes
│   ├── AuthenticationError      the credentials are not accepted
│   │   └── NotAskedError            another unit has refused the same credentials
│   ├── UnitRefusedError         the command is understood and refused
│   │   └── RefusedSpellingError     for its spelling: the next attempt has another
│   ├── UnusableAnswerError      an answer that is not the API's
│   ├── UnclearOutcomeError      a change that may or may not have been made
│   └── ClusterInTheWayError     another cluster already has that address
├── PushStoppedError         stopped part-way (exit code 3)
└── PushRefusedError         refused before anything was changed (exit code 4)

All others exit with 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.diagnostics import Diagnostic


class GeoplanError(Exception):
    """Say what happened and where; ``hint`` says what to do next."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UnusableFileError(GeoplanError):
    """A file that cannot be read or written at all."""


class InvalidInputError(GeoplanError):
    """A file that was read and is wrong; ``diagnostics`` holds every fault found in it, in its order."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class UpgradeRefusedError(GeoplanError):
    """A change of firmware that would harm a unit, or cannot be planned; ``problems`` holds each reason."""

    def __init__(self, message: str, problems: Sequence[str] = (), *, hint: str | None = None) -> None:
        super().__init__("\n  ".join([message, *problems]), hint=hint)
        self.problems = tuple(problems)


class ChangeRefusedError(GeoplanError):
    """A change from one topology to another that no plan leads through; ``problems`` holds each reason."""

    def __init__(self, message: str, problems: Sequence[str] = (), *, hint: str | None = None) -> None:
        super().__init__("\n  ".join([message, *problems]), hint=hint)
        self.problems = tuple(problems)


class NotInLabError(GeoplanError):
    """Units that a lab does not serve, so that their real addresses would be used; ``units`` holds them all."""

    def __init__(self, message: str, units: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__("\n  ".join([message, *units]), hint=hint)
        self.units = tuple(units)


class CredentialsError(GeoplanError):
    """There are no credentials for a unit, or a file of them that others can read."""


class TooManyOpenFilesError(GeoplanError):
    """This machine allows no further connection or file; it says nothing of any unit, which received no request."""

    def __init__(self) -> None:
        super().__init__(
            "too many open files: that is this machine's own limit; no unit has failed",
            hint="allow more with ulimit -n, or ask fewer units at once with --jobs",
        )


class UnitError(GeoplanError):
    """Something went wrong on one unit; ``unit`` is its address, ``reason`` the message without it."""

    def __init__(self, unit: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{unit}: {message}", hint=hint)
        self.unit = unit
        self.reason = message

    def to_keep(self) -> Self:
        """Return it without where it was raised: whoever keeps it keeps no answer of MiB with it."""
        self.__traceback__ = self.__context__ = None
        return self


class UnitUnreachableError(UnitError):
    """A unit did not answer; unless ``request_sent``, it has not received the request either."""

    def __init__(self, unit: str, message: str, *, request_sent: bool, hint: str | None = None) -> None:
        super().__init__(unit, message, hint=hint)
        self.request_sent = request_sent


class ProxyRefusedError(UnitUnreachableError):
    """A unit was not asked, since the proxy on the way to it is dead or lets nothing through: it may well be up."""


class UntrustedUnitError(UnitError):
    """A unit's certificate is not the expected one; ``presented`` is its fingerprint. It received no request."""

    def __init__(self, unit: str, message: str, *, presented: str | None = None, hint: str | None = None) -> None:
        super().__init__(unit, message, hint=hint)
        self.presented = presented


class NoTlsError(UntrustedUnitError):
    """A unit is up and takes no TLS connection as geoplan offers it: of its version, or with its certificate."""


class AuthenticationError(UnitError):
    """A unit does not accept the credentials; they are not sent to it again, since units lock users out.

    ``asks_for_basic`` says that they came otherwise, and that it asked for HTTP Basic or said that Session Management
    is off: it may not have looked at them.
    """

    def __init__(self, unit: str, message: str, *, asks_for_basic: bool = False, hint: str | None = None) -> None:
        super().__init__(unit, message, hint=hint)
        self.asks_for_basic = asks_for_basic


class NotAskedError(AuthenticationError):
    """A unit was not asked, since another one, ``refused_by``, does not accept the credentials given for both."""

    def __init__(self, unit: str, refused_by: str) -> None:
        message = f"not asked: {refused_by} does not accept the same credentials"
        hint = "check user and password, or the API key; units lock users out, so they are tried on no further unit"
        super().__init__(unit, message, hint=hint)
        self.refused_by = refused_by


class UnitRefusedError(UnitError):
    """A unit understood a command and refused it, with a ``code`` and, in its own words, an ``answer``."""

    def __init__(self, unit: str, message: str, *, code: int, answer: str, hint: str | None = None) -> None:
        super().__init__(unit, message, hint=hint)
        self.code = code
        self.answer = answer


class RefusedSpellingError(UnitRefusedError):
    """A unit refused a change for how it was spelled; called again, after another look, it is spelled otherwise."""

    def __init__(self, unit: str, message: str, *, code: int, answer: str) -> None:
        hint = "look at the unit, and do the same again: it is then spelled as other firmware wants it"
        super().__init__(unit, message, code=code, answer=answer, hint=hint)


class UnusableAnswerError(UnitError):
    """A unit answered something that is not the API's; when ``transient``, it may answer properly a little later.

    ``is_page`` says that it was a web page, as something else on that port has, ``status`` that it was an error of the
    unit's own, by its HTTP status.
    """

    def __init__(  # noqa: PLR0913 - what an answer can be
        self,
        unit: str,
        message: str,
        *,
        transient: bool = False,
        is_page: bool = False,
        status: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(unit, message, hint=hint)
        self.transient = transient
        self.is_page = is_page
        self.status = status


class UnclearOutcomeError(UnitError):
    """A change was sent, and nothing tells whether it was carried out; look before sending it again.

    ``status`` is the HTTP status of an error that the unit answered; None where its answer was lost.
    """

    def __init__(self, unit: str, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(unit, message, hint=hint)
        self.status = status


class ClusterInTheWayError(UnitError):
    """A unit has a cluster of another name or type where one is to be added."""


class PushStoppedError(GeoplanError):
    """A push that stopped part-way: what it did stands in its journal, and it can be resumed."""

    exit_code = 3


class PushRefusedError(GeoplanError):
    """A push that was refused before it changed anything; ``problems`` holds everything that blocks it.

    ``may_resume`` says that an earlier push is unfinished, which ``--resume`` would let go on.
    """

    exit_code = 4

    def __init__(
        self, message: str, problems: Sequence[str] = (), *, hint: str | None = None, may_resume: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
        self.may_resume = may_resume
