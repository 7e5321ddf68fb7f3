"""What is true in the sandbox's StreamElements: channels, settings, stores, and what each viewer has. Pure.

Theory. As in `world`, what is earned is derived from who really sat in the chat, when it is asked for (`points`).
Beside it stands what else moved the points: adjustments (games, gifts, resets) and redemptions. So

    balance = start + paid by then + adjustments - redemptions

An id here is not Twitch's. It is derived from Twitch's, so that the same day has the same ids.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from allthepoints.sim import jwt
from allthepoints.sim.points import Earned, Loyalty, Terms, Wages
from allthepoints.sim.world import Span, User, World

MOST = 2_147_483_647
"""Points that an account can hold."""

JWT_LIFE = 30 * 86400.0
"""Seconds that a JWT lives; about a month is reported."""

CROWD = 40
"""Viewers of each channel that are only numbers: they fill the ranks."""

SOURCES = ("website", "bot")


def guid(*parts: object) -> str:
    """24 hexadecimal digits, always the same for the same parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:24]


@dataclass(slots=True)
class StoreItem:
    """One thing in a store. Cooldowns in seconds; `total` -1: as many as there are people to buy."""

    id: str
    name: str
    cost: int
    kind: str = "perk"
    description: str = ""
    total: int = -1
    left: int = -1
    order: int = 0
    tells_current: bool = True
    """Whether an item without end says `current: -1`, or nothing."""
    cooldown_user: float = 0.0
    cooldown_global: float = 0.0
    cooldown_category: float = 0.0
    category: str = ""
    enabled: bool = True
    featured: bool = False
    public: bool = False
    subscriber_only: bool = False
    asks: tuple[str, ...] = ()
    takes_message: bool = False
    sources: tuple[str, ...] = SOURCES
    keyword: str = ""
    codes: list[str] = field(default_factory=list)
    """Access codes that are left, the next first; only for kind "code", whose stock they are."""
    created_at: float = 0.0
    updated_at: float = 0.0

    @property
    def sold_out(self) -> bool:
        return self.total != -1 and self.left <= 0


@dataclass(slots=True)
class Redemption:
    """What was bought, by whom (an id of here). `item` stays also when the item is deleted."""

    id: str
    at: float
    channel: SeChannel
    redeemer: str
    item: StoreItem
    cost: int
    answers: tuple[str, ...] = ()
    message: str | None = None
    code: str | None = None
    completed: bool = False
    rejected: bool = False
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Points that came or went otherwise than by watching and buying."""

    at: float
    delta: int
    why: str


@dataclass(slots=True)
class Purse:
    """One viewer in one channel. `start`: points from before the day."""

    start: int
    wages: Wages
    adjustments: list[Adjustment] = field(default_factory=list)
    moved: int = 0
    """The sum of all adjustments and redemptions."""
    before_reset: int | None = None


@dataclass(slots=True)
class SeChannel:
    """A channel of StreamElements; of a viewer as well as of a streamer. `owner`: who it is at Twitch."""

    id: str
    owner: User
    terms: Terms
    provider: str = "twitch"
    items: dict[str, StoreItem] = field(default_factory=dict)
    purses: dict[str, Purse] = field(default_factory=dict)
    """By the viewer's id at Twitch."""
    redemptions: list[Redemption] = field(default_factory=list)
    taken_at: dict[tuple[str, str], float] = field(default_factory=dict)
    """When an item was redeemed last: by ("item", id), (redeemer, item id) and ("category", name)."""

    def item(self, name: str) -> StoreItem:
        """The item of this id or name. Raises LookupError."""
        for item in self.items.values():
            if name in (item.id, item.name):
                return item
        raise LookupError(f"no item {name!r} in the store of {self.owner.login}")


class Elements:
    """All of it. `since`: the start of the day; what was paid before does not count."""

    def __init__(self, world: World, since: float) -> None:
        self.since = since
        self.channels: dict[str, SeChannel] = {}
        """By id."""
        self.jwts: list[str] = []
        """Every one that was ever given out: what a search for leaks must look for."""
        self._void: dict[str, int] = {}
        """Channel id -> those of its JWTs whose number is lower are void."""
        self._world = world
        self._by_owner: dict[str, SeChannel] = {}
        self._subscribed: set[tuple[str, str]] = set()
        self._bought: dict[str, list[Redemption]] = {}
        self._possible: dict[tuple[str, str], Wages] = {}

    def begin(self, now: float) -> None:
        """The day begins now."""
        self.since = now
        for channel in self.channels.values():
            for purse in channel.purses.values():
                purse.wages.since = now

    # -- who is here -----------------------------------------------------------------------------------------------
    def add(self, owner: User, loyalty: Loyalty, provider: str = "twitch") -> SeChannel:
        """A channel for a user of Twitch; of another `provider`, its name only happens to be the same."""
        found = SeChannel(guid(provider, owner.id), owner, Terms(loyalty), provider)
        self.channels[found.id] = self._by_owner[owner.id] = found
        return found

    def of(self, owner: User) -> SeChannel | None:
        """The channel that pays for this streamer's chat; None without an account here, or only one of elsewhere."""
        found = self._by_owner.get(owner.id)
        return found if found is not None and found.provider == "twitch" else None

    def named(self, name: str) -> SeChannel | None:
        """By id or by login."""
        if (found := self.channels.get(name.lower())) is not None:
            return found
        owner = self._world.by_login(name)
        return None if owner is None else self._by_owner.get(owner.id)

    def subscribe(self, viewer: User, channel: User) -> None:
        """The viewer is a subscriber there, for the whole day."""
        self._subscribed.add((channel.id, viewer.id))

    def subscribed(self, channel: SeChannel, viewer: User) -> bool:
        return (channel.owner.id, viewer.id) in self._subscribed

    def issue_jwt(self, owner: User, now: float, expires_in: float, *, foreign: bool = False) -> str:
        """A viewer's JWT. Raises LookupError for one who has no channel here."""
        channel = self._by_owner.get(owner.id)
        if channel is None:
            raise LookupError(f"{owner.login} is not at StreamElements")
        claims = {
            "user": guid("user", channel.id),
            "role": "owner",
            "channel": channel.id,
            "provider": channel.provider,
            "jti": str(len(self.jwts)),
            "iat": int(now),
            "exp": int(now + expires_in),
            "iss": "StreamElements",
        }
        made = jwt.mint(claims, b"somebody else's") if foreign else jwt.mint(claims)
        self.jwts.append(made)
        return made

    def void_jwts(self, owner: User) -> None:
        """What was issued for it so far opens nothing any more."""
        if (channel := self._by_owner.get(owner.id)) is not None:
            self._void[channel.id] = len(self.jwts)

    def whose_jwt(self, text: str, now: float) -> SeChannel | None:
        """Whose JWT that is, if it is good."""
        claims = jwt.read(text, now)
        channel = None if claims is None else self.channels.get(str(claims.get("channel")))
        if channel is None or claims is None or int(claims["jti"]) < self._void.get(channel.id, 0):
            return None
        return channel

    # -- what they have --------------------------------------------------------------------------------------------
    def purse(self, channel: SeChannel, viewer: User, start: int = 0) -> Purse:
        """The viewer's; `start` counts when it is opened."""
        if viewer.id not in channel.purses:
            wages = Wages(viewer.login, self.since, self.subscribed(channel, viewer))
            channel.purses[viewer.id] = Purse(start, wages)
        return channel.purses[viewer.id]

    def earned(self, channel: SeChannel, viewer: User, now: float) -> Earned:
        """What it was paid for sitting in the chat."""
        if channel.provider != "twitch":
            return Earned()
        sat, wages = self._world.sat.get((channel.owner.id, viewer.id), []), self.purse(channel, viewer).wages
        wages.login = viewer.login
        return wages.so_far(channel.terms, broadcasts(channel.owner), sat, now)

    def possible(self, channel: SeChannel, viewer: User, now: float) -> Earned:
        """What it would have been paid, had it sat there from each stream's start to its end."""
        if channel.provider != "twitch":
            return Earned()
        key = (channel.id, viewer.id)
        if key not in self._possible:
            self._possible[key] = Wages(viewer.login, self.since, self.subscribed(channel, viewer))
        live = broadcasts(channel.owner)
        return self._possible[key].so_far(channel.terms, live, live, now)

    def balance(self, channel: SeChannel, viewer: User, now: float) -> int:
        """Points to spend."""
        purse = self.purse(channel, viewer)
        return min(MOST, max(0, purse.start + self.earned(channel, viewer, now).points + purse.moved))

    def knows(self, channel: SeChannel, viewer: User, now: float) -> bool:
        """Whether the viewer ever had points there."""
        purse = self.purse(channel, viewer)
        return bool(purse.start or purse.adjustments or self.earned(channel, viewer, now).points)

    def adjust(self, channel: SeChannel, viewer: User, delta: int, why: str, now: float) -> int:
        """Points come or go, down to none at most. Answers how many did."""
        have = self.balance(channel, viewer, now)
        real = min(MOST, max(0, have + delta)) - have
        purse = self.purse(channel, viewer)
        purse.adjustments.append(Adjustment(now, real, why))
        purse.moved += real
        return real

    def crowd(self, channel: SeChannel) -> list[tuple[str, int]]:
        """The channel's viewers that are only numbers: name and points, most first."""
        seed = int(channel.id[:6], 16)
        return [(f"viewer_{seed % 997}_{place}", 12_000 * 8**2 // (place + 8) ** 2 - place) for place in range(CROWD)]

    def bought_by(self, redeemer: str) -> list[Redemption]:
        """All redemptions of a viewer (an id of here), over all channels, oldest first."""
        return self._bought.get(redeemer, [])

    def note(self, taken: Redemption) -> None:
        """A redemption was taken."""
        channel, item = taken.channel, taken.item
        channel.redemptions.append(taken)
        self._bought.setdefault(taken.redeemer, []).append(taken)
        for key in (("item", item.id), (taken.redeemer, item.id), ("category", item.category)):
            channel.taken_at[key] = taken.at

    # -- what changes ----------------------------------------------------------------------------------------------
    def settle(self, channel: SeChannel, now: float, **changes: object) -> None:
        """The streamer changes the loyalty settings."""
        channel.terms.change(now, replace(channel.terms.now, **changes))  # type: ignore[arg-type]


def broadcasts(owner: User) -> list[Span]:
    """The streams that pay, in order: repetitions do not."""
    return [(stream.started_at, stream.ended_at) for stream in owner.streams if stream.kind == "live"]
