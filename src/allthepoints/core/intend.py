"""What we decided, folded into the state before it is done: nothing is started twice, and budgets are booked first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from allthepoints.core import apply_redeem, redeem
from allthepoints.core.actions import (
    Action,
    CheckJwt,
    CloseConnection,
    FindLoyalty,
    JoinRooms,
    OpenConnection,
    PartRooms,
    ReadBalance,
    ReadFollows,
    ReadHistory,
    ReadItems,
    ReadLive,
    ReadLoyalty,
    ReadUsers,
    RenewSignIn,
    SendRedemption,
)
from allthepoints.core.apply_chat import PART_OWED, book_lost_join
from allthepoints.core.observed import Connection, Observed, Phase, Room
from allthepoints.core.presence import Input, State, step
from allthepoints.core.records import AttemptsSpent, Record


def intend(observed: Observed, action: Action, now: float) -> list[Record]:
    """Book one action of a plan; the records must be written before it is performed."""
    return list(_bookings(observed, action, now))


def _bookings(o: Observed, action: Action, now: float) -> Iterator[Record]:
    match action:
        case RenewSignIn():
            o.sign_in.pending, o.sign_in.renewing = True, action.refused
        case ReadLive():
            o.reads["live"].pending, o.reads["live"].begun_at = True, now
        case ReadFollows():
            o.reads["follows"].pending = True
        case ReadUsers():
            o.reads["users"].pending = True
        case OpenConnection(conn):
            o.last_conn = conn
            o.changes.of_everybody()
            o.connections[conn] = Connection(conn)
            if not any(connection.phase is Phase.READY for connection in o.connections.values()):
                o.disconnected_since = o.disconnected_since or now
            yield AttemptsSpent(now, "login", 1)
        case CloseConnection(conn):
            o.changes.of_everybody()
            o.connections[conn].phase = Phase.CLOSING
        case JoinRooms():
            _ask(o, action)
            yield AttemptsSpent(now, "join", len(action.logins))
        case PartRooms():
            _leave(o, action, now)
        case FindLoyalty() | ReadLoyalty() | ReadBalance() | ReadItems() | ReadHistory():
            o.elements.pending, o.elements.asked_at = True, now
        case CheckJwt():
            o.elements.jwt.pending = True
        case SendRedemption(key):
            yield from _send(o, key, now)


def _ask(o: Observed, action: JoinRooms) -> None:
    for login in action.logins:
        channel = o.addresses[login]
        room = o.rooms.get((action.conn, login))
        if room is None:
            room = o.rooms[action.conn, login] = Room(action.conn, login, channel, State.ABSENT)
        o.changes.of_channel(room.channel)
        o.changes.of_channel(channel)
        room.channel = channel
        room.state = step(room.state, Input.ASK)
        room.written_at, room.spent = None, False


def _leave(o: Observed, action: PartRooms, now: float) -> None:
    for login in action.logins:
        room = o.rooms[action.conn, login]
        book_lost_join(o, room, now)
        room.state = step(room.state, Input.LEAVE)
        room.written_at, room.part_owed_until = now, now + PART_OWED
        o.channels[room.channel].left = (room.conn, now)
        o.changes.of_channel(room.channel)


def _send(o: Observed, key: str, now: float) -> Iterator[Record]:
    """The row that says SENT; the POST leaves only once it is on the disk."""
    redemption = o.elements.redemptions[key]
    purse = o.elements.purses[redemption.channel]
    o.changes.of_points(redemption.channel)
    balance, whose = purse.balance, o.elements.jwt.viewer
    assert whose is not None, "ready says so"
    known = (bought.id for bought in o.elements.history if bought.item == redemption.item)
    o.elements.in_flight.add(key)
    redemption = replace(redemption, se=purse.se)  # by which it is found again among our redemptions
    points = 0 if balance is None else balance.points
    sent = redeem.send(redemption, now, known, points, whose, o.elements.ahead)
    yield from apply_redeem.keep(o, sent, now)
