"""What stands around the loop: the ports that it works with, and the faces that it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from allthepoints.base.clock import Chance, Clock
from allthepoints.core.records import Event, Record
from allthepoints.ports import ChatTransport, LiveApi, PointsApi, Storage, StoreApi, Tokens
from allthepoints.service.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything beyond the loop that it works with."""

    live: LiveApi
    chat: ChatTransport
    tokens: Tokens
    points: PointsApi
    store: StoreApi
    storage: Storage
    clock: Clock
    chance: Chance


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a face in this process is told, in the loop's own task: the state after each turn, and each event.

    What a hook raises ends the service, in order: its reader is gone.
    """

    on_snapshot: Callable[[Snapshot], None] | None = None
    on_event: Callable[[Event, Snapshot], None] | None = None

    def tell(self, records: Iterable[Record], snapshot: Snapshot) -> None:
        """One turn."""
        if self.on_event is not None:
            for record in records:
                if isinstance(record, Event):
                    self.on_event(record, snapshot)
        if self.on_snapshot is not None:
            self.on_snapshot(snapshot)


NO_HOOKS = Hooks()


def both(first: Hooks, second: Hooks) -> Hooks:
    """Tells the one, then the other."""

    def on_snapshot(snapshot: Snapshot) -> None:
        for hooks in (first, second):
            if hooks.on_snapshot is not None:
                hooks.on_snapshot(snapshot)

    def on_event(event: Event, snapshot: Snapshot) -> None:
        for hooks in (first, second):
            if hooks.on_event is not None:
                hooks.on_event(event, snapshot)

    return Hooks(on_snapshot, on_event)
