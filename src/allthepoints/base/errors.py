"""Every error this program raises on purpose, and what to do about each kind.

    AllThePointsError
    ├── UsageError          we were asked wrongly: config, arguments, this machine's state   a person mends it
    │   └── ConfigError       a config file's line or key
    ├── FaultError          something here is broken: files, database                        a person mends it
    │   └── AlreadyRunning    another instance holds the data directory
    ├── Declined            we could, and do not: something of the person's is in the way     a person decides
    ├── SignInNeeded        the sign-in is missing, revoked or of the wrong kind             a person signs in
    └── OutsideError        the other side failed
        ├── Unknown           no answer, an odd answer, an outage: it means nothing            retry later
        │   ├── NotSent         the request never left                                           retry later
        │   └── Limited         they ask us to wait (`until`)                                    retry then
        └── Refused           a clear no to this very request                                  do not repeat it
            └── Unauthorised    the token was not accepted                                       renew it once

`retry` on each class says whether the same request may be sent again.
"""

from __future__ import annotations


class AllThePointsError(Exception):
    """The root. `hint` is what the person can do; it is printed after a blank line."""

    retry = False

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class UsageError(AllThePointsError):
    """We were asked wrongly."""


class ConfigError(UsageError):
    """A config file holds something that cannot be used; the text names file, line or key, and what was expected."""


class FaultError(AllThePointsError):
    """Something on this machine is broken."""


class AlreadyRunning(FaultError):
    """Another instance holds the data directory; `pid` names it where it is known."""

    def __init__(self, text: str, hint: str = "", pid: int | None = None) -> None:
        super().__init__(text, hint)
        self.pid = pid


class Declined(AllThePointsError):
    """It would cost something that nobody said may go; nothing was changed."""


class SignInNeeded(AllThePointsError):
    """The stored sign-in is missing, revoked or of the wrong kind."""


class OutsideError(AllThePointsError):
    """The other side failed."""


class Unknown(OutsideError):
    """No answer, or none that means anything. Changes nothing."""

    retry = True


class NotSent(Unknown):
    """The request never left: no connection came to be. The other side has not seen it."""


class Limited(Unknown):
    """They ask us to wait; `until` is on our clock's time line."""

    def __init__(self, text: str, until: float) -> None:
        super().__init__(text)
        self.until = until


class Refused(OutsideError):
    """A clear no to this very request; `status` is HTTP's, `message` theirs."""

    def __init__(self, text: str, status: int, message: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.message = message


class Unauthorised(Refused):
    """The token was not accepted."""
