"""The rows that faces see, kept from turn to turn: one for each channel that the config means or whose chat we are in.

Theory. Most of 2,000 channels are offline nearly always, and a turn takes place for every line that concerns us. So a
row is made anew where its channel changed (`core.changes`), where the queue moved it, and where its time has come: what
it tells may turn by itself, and when it does is known. When it changed whom the config means, or what channels are
called, all of them are looked at.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from allthepoints.base.types import UserId
from allthepoints.core.apply_points import sight
from allthepoints.core.desired import desired, room_cap
from allthepoints.core.earning import Verdict, turns_at, verdict
from allthepoints.core.elements import Purse
from allthepoints.core.observed import Channel, Observed, Room, Roster, roster
from allthepoints.core.place import Census, Mark, Place, census, place
from allthepoints.core.policy import Policy
from allthepoints.ports import ChannelRow


class Rows:
    """`by_id`: the rows as of the last look. Never changed, but replaced: whoever holds it keeps the rows of then."""

    def __init__(self) -> None:
        self.by_id: dict[UserId, ChannelRow] = {}
        self.census = Census(0, 0, 0, 0, 0)
        self._count = -1
        """The count of changes at the last look."""
        self._names: Roster | None = None
        self._users_read_at: float | None = None
        self._wanted: list[UserId] = []
        self._numbers: dict[UserId, int] = {}
        self._slots: set[UserId] = set()
        self._slots_before: set[UserId] = set()
        self._left: set[UserId] = set()
        """Who left the queue since the last look."""
        self._rooms: dict[UserId, list[Room]] = {}
        self._standing: dict[UserId, Place] = {}
        """Where those stand that are not absent."""
        self._stood = True
        """Whether this look found all of them where they stood."""
        self._until: dict[UserId, float] = {}
        """When a row may turn by itself."""
        self._next = inf
        self._shown: dict[UserId, tuple[object, ...]] = {}
        """What each row was made of."""

    def look(self, policy: Policy, o: Observed, now: float) -> tuple[list[ChannelRow], list[UserId]]:
        """Bring them up to `now`. Answers the rows that are new or different, and the channels that have none now."""
        renumbered = self._take_numbers(policy, o, now)
        looked_at = self._to_look_at(policy, o, now)
        chat_moved, self._count = o.changes.chat > self._count, o.changes.count
        if chat_moved:
            self._rooms = o.rooms_by_channel()
        rows: list[ChannelRow] = []
        gone: list[UserId] = []
        names, self._stood = roster(policy, o), True
        for channel_id in looked_at:
            if channel_id in self._rooms or channel_id in names.followed or channel_id in names.included:
                row = self._look_at(policy, o, o.channels[channel_id], now)
                rows += [] if row is None else [row]
            else:
                gone += [channel_id] if self._forget(channel_id) else []
        rows += [replace(self.by_id[i], place=self._numbers[i]) for i in renumbered - looked_at if i in self.by_id]
        if rows or gone:
            self.by_id = self.by_id | {row.id: row for row in rows}
            for channel_id in gone:
                del self.by_id[channel_id]
        if looked_at:
            self._next = min(self._until.values(), default=inf)
        if chat_moved or not self._stood:
            self.census = census(policy, o, now, self._standing)
        return rows, gone

    # -- whom to look at -------------------------------------------------------------------------------------------
    def _to_look_at(self, policy: Policy, o: Observed, now: float) -> set[UserId]:
        names, users_read_at = roster(policy, o), o.reads["users"].done_at
        looked_at, self._left = self._left | (self._slots ^ self._slots_before), set()
        if names is not self._names or users_read_at != self._users_read_at:
            looked_at = {*o.channels, *self.by_id}
        elif o.changes.everybody > self._count:
            looked_at |= {*o.live, *self._standing, *self._until, *(room.channel for room in o.rooms.values())}
        self._names, self._users_read_at, self._slots_before = names, users_read_at, self._slots
        looked_at |= o.channels.keys() & o.changes.since(self._count)
        if now >= self._next:
            looked_at |= {channel_id for channel_id, until in self._until.items() if now >= until}
        return looked_at

    def _take_numbers(self, policy: Policy, o: Observed, now: float) -> set[UserId]:
        """Who is at which place in the queue, and who has a slot. Answers those who have another place than before."""
        wanted = desired(policy, o, now)
        cap = min(len(wanted), room_cap(policy, o, now))
        if wanted is self._wanted and cap == len(self._slots):
            return set()
        before, self._numbers = self._numbers, {channel: number for number, channel in enumerate(wanted)}
        self._wanted, self._slots = wanted, set(wanted[:cap])
        self._left |= before.keys() - self._numbers.keys()
        return {channel for channel, number in self._numbers.items() if before.get(channel) != number}

    # -- a look ----------------------------------------------------------------------------------------------------
    def _look_at(self, policy: Policy, o: Observed, channel: Channel, now: float) -> ChannelRow | None:
        """The row of one channel, if it is another than before."""
        channel_id, purse = channel.ref.id, o.elements.purses.get(channel.ref.id)
        where = place(policy, o, channel, self._slots, now, self._rooms.get(channel_id, ()))
        seen = sight(o, channel)
        earning = verdict(seen, now, policy.flat_after, policy.poll_balance)
        self._stands(channel, where, min(turns_at(seen, now, policy.poll_balance), self._turns_at(channel, where, now)))
        before, number = self.by_id.get(channel_id), self._numbers.get(channel_id)
        live = None if o.stale and channel.live else channel.live
        shown = (where, channel.ref, live, channel.stream, purse and purse.changed_at, earning)
        if before is not None and before.place == number and self._shown.get(channel_id) == shown:
            return None
        self._shown[channel_id] = shown
        since = before.since if before is not None and before.state == where.state else _began(channel, where, now)
        row = _row(channel, where, number, live, since, purse, earning)
        return None if row == before else row

    def _turns_at(self, channel: Channel, where: Place, now: float) -> float:
        """When it may stand elsewhere by itself. What keeps out who has a slot changes by the second: now."""
        if where.state == Mark.WAITING and channel.ref.id in self._slots:
            return now
        until = None if channel.refusal is None else channel.refusal.until
        return inf if until is None or until <= now else until

    def _stands(self, channel: Channel, where: Place, until: float) -> None:
        stood = self._standing.pop(channel.ref.id, None)
        if where.state != Mark.ABSENT:
            self._standing[channel.ref.id] = where
        self._stood = self._stood and stood == self._standing.get(channel.ref.id)
        if until == inf:
            self._until.pop(channel.ref.id, None)
        else:
            self._until[channel.ref.id] = until

    def _forget(self, channel_id: UserId) -> bool:
        """The channel has no row any more. Answers whether it had one."""
        self._stood = self._standing.pop(channel_id, None) is None and self._stood
        for kept in (self._until, self._shown):
            kept.pop(channel_id, None)
        return channel_id in self.by_id


def _began(channel: Channel, where: Place, now: float) -> float:
    """Since when a channel stands where it stands now for the first time: a no may be older than this process."""
    told = channel.refusal if where.state == Mark.REFUSED else None
    return now if told is None else min(now, told.at)


def _row(
    channel: Channel,
    where: Place,
    number: int | None,
    live: bool | None,
    since: float | None,
    purse: Purse | None,
    earning: Verdict,
) -> ChannelRow:
    stream = channel.stream if channel.live else None
    balance = None if purse is None else purse.balance
    return ChannelRow(
        id=channel.ref.id,
        login=channel.ref.login,
        display=channel.ref.display,
        live=live,
        state=where.state,
        reason=where.reason,
        since=since,
        live_since=stream.started_at if stream else None,
        place=number,
        title=stream.title if stream else None,
        points=None if balance is None else balance.points,
        rate_per_hour=None if purse is None or purse.rate is None else round(purse.rate, 1),
        verdict=earning.word,
        causes=tuple(earning.causes),
    )
