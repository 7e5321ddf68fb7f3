"""Which channel a person means, of those that were ever seen; and how the config wants times told."""

from __future__ import annotations

from datetime import tzinfo
from difflib import get_close_matches

from allthepoints.base.errors import UsageError
from allthepoints.base.types import UserId
from allthepoints.cli.here import Here, login_of
from allthepoints.storage.read import Reader


def channel_named(reader: Reader, text: str) -> UserId:
    """The channel that a person named. Raises UsageError if none of that name was ever seen here."""
    login = login_of(text)
    found = reader.named(login)
    if found is not None:
        return found
    near = get_close_matches(login, [known.login for known in reader.channels()], n=1)
    raise UsageError(
        f"no channel {login} was ever seen here" + (f"; did you mean {near[0]}?" if near else ""),
        "`allthepoints channels` lists them.",
    )


def zone_in(where: Here) -> tzinfo:
    """The zone of days and times, as the config has it."""
    from allthepoints.views.zone import zone_of

    return zone_of(where.load().settings.display.zone)
