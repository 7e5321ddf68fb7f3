"""What a page that listens is told of: the difference between what it has and what is so now."""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.base.types import UserId
from allthepoints.core.warning import Warning
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.storage.read import EventRow


@dataclass(frozen=True, slots=True)
class Change:
    """What a client does not know yet. `version` is what it will know then: it gives it back to be told what follows.

    `whole`: it is not known what the client has, and `rows` are all of them. `warnings` and `sentence` are None where
    they are as they were; `head`: the account, the counts, the wishes within reach or the config changed; `read`:
    StreamElements answered, so points and stores may be different; `vitals`: those of the snapshot are; `aged`: another
    minute began, so times and days may be told in other words. `events`: oldest first, without an id of the database
    (0). `known` and `number`: what the client knew (None where `whole`), and will know.
    """

    version: str
    snapshot: Snapshot
    known: int | None = None
    number: int = 0
    rows: tuple[ChannelRow, ...] = ()
    gone: tuple[UserId, ...] = ()
    warnings: tuple[Warning, ...] | None = None
    sentence: str | None = None
    head: bool = False
    read: bool = False
    vitals: bool = False
    aged: bool = False
    events: tuple[EventRow, ...] = ()
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.whole
            or self.rows
            or self.gone
            or self.events
            or self.head
            or self.read
            or self.vitals
            or self.aged
            or self.warnings is not None
            or self.sentence is not None
        )
