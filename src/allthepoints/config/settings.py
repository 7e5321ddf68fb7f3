"""The settings: what the config file may say. `KEYS` is the one table of every key, with its kind and its help."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from allthepoints.base.secret import Secret
from allthepoints.base.types import Login
from allthepoints.config import kinds as k
from allthepoints.core.news import Kind
from allthepoints.core.policy import ACCOUNT_ROOMS


class Twitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our registration at Twitch."""

    client_id: str = ""


class Channels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose chats are wanted."""

    followed: bool = True
    include: tuple[Login, ...] = ()
    exclude: tuple[Login, ...] = ()
    priority: tuple[Login, ...] = ()
    paused: tuple[Login, ...] = ()
    max_rooms: int = 90


class Poll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often to look. Seconds."""

    live: float = 30.0
    offline_after: float = 180.0
    follows: float = 3600.0
    balance: float = 300.0
    store: float = 900.0


class Chat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the chat connections are held. Seconds."""

    rooms_per_connection: int = 50
    ask_timeout: float = 15.0
    idle_ping: float = 30.0
    pong_timeout: float = 10.0
    welcome_timeout: float = 20.0
    read_tick: float = 0.1
    forced_part_is_ban: bool = True


class Endpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the other side is. URLs without a slash at the end."""

    irc: str = "ircs://irc.chat.twitch.tv:6697"
    helix: str = "https://api.twitch.tv/helix"
    oauth: str = "https://id.twitch.tv/oauth2"
    streamelements: str = "https://api.streamelements.com/kappa/v2"


class Dashboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The web face."""

    listen: str = "127.0.0.1:7771"
    hosts: tuple[str, ...] = ()
    base_path: str = ""


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told, and of what. The addresses are secrets."""

    urls: tuple[Secret, ...] = ()
    events: tuple[str, ...] = ()
    quiet_hours: str = ""
    digest: str = ""


class Display(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How faces tell the time."""

    zone: str = ""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something in a channel's store. Costs in points."""

    channel: Login
    item: str
    auto: bool = False
    max_cost: int | None = None
    per_day: int | None = None
    keep: int = 0
    count: int = 1


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    twitch: Twitch = Twitch()
    channels: Channels = Channels()
    poll: Poll = Poll()
    chat: Chat = Chat()
    endpoints: Endpoints = Endpoints()
    dashboard: Dashboard = Dashboard()
    notify: Notify = Notify()
    display: Display = Display()
    wish: tuple[Wish, ...] = ()


BUILT_IN = frozenset(
    {
        *("twitch", "endpoints", "dashboard"),
        *("chat.idle_ping", "chat.pong_timeout", "chat.welcome_timeout", "chat.read_tick"),
    }
)
"""Sections and keys that a service is put together with. The rest of a changed config is taken up while it runs."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `required` only in the entries of a list of tables."""

    section: str
    name: str
    kind: k.Kind
    help: str
    required: bool = False

    @property
    def path(self) -> str:
        """As messages name it."""
        return f"{self.section}.{self.name}"

    @property
    def restart(self) -> bool:
        """Whether a service that runs goes on with what it was started with."""
        return self.section in BUILT_IN or self.path in BUILT_IN

    @property
    def default(self) -> str | None:
        """As TOML; None where there is none."""
        section = getattr(Settings(), self.section)
        return None if isinstance(section, tuple) else self.kind.write(getattr(section, self.name))


_CLIENT_ID = k.Text("a client id: letters and digits", re.compile(r"[A-Za-z0-9_-]{1,64}\Z"), secretive=False)
_HOURS = k.Text(
    'hours such as "23:00-07:30"', re.compile(r"(?!(.{5})-\1)([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d\Z")
)
_HOUR = k.Text('a time of day such as "08:00"', re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z"))
_ROOMS = k.Whole(1, ACCOUNT_ROOMS, f"Twitch lets an account be in {ACCOUNT_ROOMS} rooms")

_POINTS = k.Whole(0, 2_147_483_647, "StreamElements keeps no larger number")

KEYS: tuple[Key, ...] = (
    Key("twitch", "client_id", _CLIENT_ID, "The client id of your own app, registered as Public at dev.twitch.tv."),
    Key("channels", "followed", k.Flag(), "Want every channel that the account follows."),
    Key("channels", "include", k.Names(), "Channels that are wanted also when they are not followed."),
    Key("channels", "exclude", k.Names(), "Channels that are never wanted. Wins over everything else."),
    Key("channels", "priority", k.Names(), "Who gets a room first when rooms are scarce, best first."),
    Key("channels", "paused", k.Names(), "Channels that are not wanted for the time being."),
    Key("channels", "max_rooms", _ROOMS, "Rooms to use, of the account's 100. Leave some for your own chat client."),
    Key("poll", "live", k.Duration("15s", "10m", "helix"), "How often to ask who is live."),
    Key(
        "poll",
        "offline_after",
        k.Duration("30s", "1h", "helix"),
        "How long a channel must be missing before it counts as offline; Twitch drops live ones for a poll or two.",
    ),
    Key("poll", "follows", k.Duration("5m", "1d", "helix"), "How often to read whom the account follows."),
    Key("poll", "balance", k.Duration("1m", "1d", "streamelements"), "How often to read the points of each channel."),
    Key(
        "poll",
        "store",
        k.Duration("5m", "1d", "streamelements"),
        "How often to read the store of a channel with a wish, or one that is looked at.",
    ),
    Key(
        "chat",
        "rooms_per_connection",
        _ROOMS,
        "Rooms on one connection at most. More connections, and less is lost with one.",
    ),
    Key(
        "chat", "ask_timeout", k.Duration("5s", "5m", "irc"), "How long a JOIN may be unanswered before it is repeated."
    ),
    Key("chat", "idle_ping", k.Duration("10s", "5m", "irc"), "Silence on a connection after which we ask if it lives."),
    Key("chat", "pong_timeout", k.Duration("2s", "1m", "irc"), "How long the answer to that may take."),
    Key("chat", "welcome_timeout", k.Duration("5s", "2m", "irc"), "One deadline for connect, TLS and welcome."),
    Key("chat", "read_tick", k.Duration("1ms", "100ms"), "Under dense chat, how often the socket is read. Saves CPU."),
    Key(
        "chat",
        "forced_part_is_ban",
        k.Flag(),
        "Take it for a ban when Twitch puts us out of a chat. false: try once more, and let its answer tell.",
    ),
    Key("endpoints", "irc", k.chat_endpoint(), "The chat. Plain irc:// only to this machine."),
    Key("endpoints", "helix", k.http_endpoint(), "Twitch's Helix. Plain http:// only to this machine."),
    Key("endpoints", "oauth", k.http_endpoint(), "Twitch's sign-in. Plain http:// only to this machine."),
    Key("endpoints", "streamelements", k.http_endpoint(), "StreamElements. Plain http:// only to this machine."),
    Key(
        "dashboard",
        "listen",
        k.listen_address(),
        'Where the dashboard listens; "" turns it off. Another address than this machine\'s own needs a password '
        "(`allthepoints dashboard password`).",
    ),
    Key(
        "dashboard",
        "hosts",
        k.Hosts(),
        "Names by which a browser may call it, beside its own address: that of your reverse proxy.",
    ),
    Key("dashboard", "base_path", k.base_path(), "The path under which your reverse proxy serves it."),
    Key(
        "notify",
        "urls",
        k.Hidden(),
        'Where to send notifications, as Apprise writes it: "discord://…", "tgram://…", "ntfy://…", "mailto://…". '
        "Never shown: such addresses are secrets.",
    ),
    Key("notify", "events", k.Choices(tuple(Kind)), "What to notify of; empty: of all but `live`."),
    Key(
        "notify",
        "quiet_hours",
        _HOURS,
        "When to be silent, in the zone of `display.zone`. What happens then comes at the end in one message; only "
        "what makes the points stop is sent at once.",
    ),
    Key("notify", "digest", _HOUR, "When to send the day's digest, in the zone of `display.zone`; empty for none."),
    Key(
        "display",
        "zone",
        k.Zone(),
        'The time zone of days and times, such as "Europe/Rome"; empty: that of this machine.',
    ),
    Key("wish", "channel", k.Name(), "Whose store.", required=True),
    Key("wish", "item", k.Text("the name or id of an item"), "Which item.", required=True),
    Key("wish", "auto", k.Flag(), "Redeem it without asking, also while you are away. Needs max_cost."),
    Key("wish", "max_cost", _POINTS, "With auto: the most that one may cost."),
    Key("wish", "per_day", _POINTS, "With auto: points to spend on this wish in 24 hours at most."),
    Key("wish", "keep", _POINTS, "With auto: points that are always left."),
    Key("wish", "count", k.Whole(1, 1000, "a wish is not a standing order"), "With auto: how many in all."),
)

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(key.section for key in KEYS))

LISTS = frozenset({"wish"})
"""Sections that may stand several times, as [[name]]."""


def waiting(runs: Settings, wanted: Settings) -> tuple[str, ...]:
    """The keys by which `wanted` differs from what `runs`, and that are used from the next start on only."""
    return tuple(key.path for key in KEYS if key.restart and _value(runs, key) != _value(wanted, key))


def _value(settings: Settings, key: Key) -> object:
    return getattr(getattr(settings, key.section), key.name)


def keys_of(section: str) -> dict[str, Key]:
    """The keys of a section by name."""
    return {key.name: key for key in KEYS if key.section == section}
