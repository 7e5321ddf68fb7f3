"""A made-up hour of chat on the wire, and the truth about it: which lines matter to us.

Nothing in it was captured. Popularity of channels follows Zipf; nine lines of ten are PRIVMSG, whose text is full of
commands that somebody might take for the server's. Alone, this writes the feed to a file:

    python bench/feed.py OUT [--lines N] [--untagged]
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import bounded

NICK = "justviewer_own"
SEED = 20261125

_WORDS = (
    "lol gg Kappa KEKW that was insane play again please wait what the stream is lagging first time here hello chat "
    "JOIN #fake PING :tmi.twitch.tv :tmi.twitch.tv RECONNECT PART NOTICE * :Login authentication failed 366 CLEARCHAT "
    f":{NICK}!{NICK}@{NICK}.tmi.twitch.tv JOIN #alpha @msg-id=msg_banned 001 ERROR "
    "привет 你好 今日は 😂 🔥 é ü ñ ok https://example.test/a?b=c;d=e @someone !drops 100% = ; : ::"
).split(" ")
_BADGES = ["", "", "", "subscriber/12", "subscriber/3012,premium/1", "moderator/1,subscriber/24", "vip/1,bits/1000"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


@dataclass
class Feed:
    """The bytes, and how many lines of each kind that matters are in them."""

    data: bytes = b""
    lines: int = 0
    truth: Counter[str] = field(default_factory=Counter)


class _Maker:
    def __init__(self, seed: int, channels: int) -> None:
        self.random = random.Random(seed)
        names = [f"chan_{number:04d}" + "x" * self.random.randint(0, 8) for number in range(channels)]
        weights = [1 / (rank + 1) ** 0.8 for rank in range(channels)]
        self._channels = self.random.choices(names, weights, k=65536)
        self._users = ["u" + self._letters(4, 18) for _ in range(20000)]
        self._at = 1764000000000

    def line(self) -> tuple[str, str, str | None]:
        """Tags (or nothing), the rest, and the kind where the line matters."""
        draw = self.random.random()
        for share, make in self._SHARES:
            if draw < share:
                return make(self)
            draw -= share
        return self._chat()

    # -- what does not matter --------------------------------------------------------------------------------------
    def _chat(self) -> tuple[str, str, None]:
        user = self._user()
        text = self._text()
        if self.random.random() < 0.02:
            text = f"\x01ACTION {text}\x01"
        reply = ""
        if self.random.random() < 0.05:
            body = text[:60].replace("\\", "").replace(";", "\\:").replace(" ", "\\s")
            reply = f"reply-parent-msg-body={body};reply-parent-msg-id={self._uuid()};reply-parent-user-login={user};"
        nonce = f"client-nonce={self._hex(32)};" if self.random.random() < 0.6 else ""
        emotes = self.random.choice(["", "", "25:0-4", f"emotesv2_{self._hex(32)}:0-7"])
        tags = (
            f"@badge-info=;badges={self.random.choice(_BADGES)};{nonce}{self._look(user)};emotes={emotes};first-msg=0;"
            f"flags=;id={self._uuid()};mod=0;{reply}returning-chatter=0;room-id={self._id()};subscriber=0;"
            f"tmi-sent-ts={self._time()};turbo=0;user-id={self._id()};user-type= "
        )
        return tags, f":{user}!{user}@{user}.tmi.twitch.tv PRIVMSG #{self._channel()} :{text}", None

    def _usernotice(self) -> tuple[str, str, None]:
        user = self._user()
        tags = (
            f"@badge-info=;badges=;{self._look(user)};emotes=;flags=;id={self._uuid()};login={user};mod=0;msg-id=resub;"
            f"msg-param-cumulative-months=12;msg-param-months=0;msg-param-sub-plan=1000;room-id={self._id()};"
            f"subscriber=1;system-msg={user}\\ssubscribed\\sat\\sTier\\s1.;tmi-sent-ts={self._time()};"
            f"user-id={self._id()};user-type= "
        )
        return tags, f":tmi.twitch.tv USERNOTICE #{self._channel()} :{self._text()}", None

    def _others_move(self) -> tuple[str, str, None]:
        user = self._user()
        move = self.random.choice(["JOIN", "PART"])
        return "", f":{user}!{user}@{user}.tmi.twitch.tv {move} #{self._channel()}", None

    def _others_cleared(self) -> tuple[str, str, None]:
        tags = f"@ban-duration=600;room-id={self._id()};target-user-id={self._id()};tmi-sent-ts={self._time()} "
        return tags, f":tmi.twitch.tv CLEARCHAT #{self._channel()} :{self._user()}", None

    def _deleted(self) -> tuple[str, str, None]:
        tags = f"@login={self._user()};room-id=;target-msg-id={self._uuid()};tmi-sent-ts={self._time()} "
        return tags, f":tmi.twitch.tv CLEARMSG #{self._channel()} :{self._text()}", None

    def _userstate(self) -> tuple[str, str, None]:
        tags = f"@badge-info=;badges=;{self._look(NICK)};emote-sets=0,33;mod=0;subscriber=0;user-type= "
        return tags, f":tmi.twitch.tv USERSTATE #{self._channel()}", None

    def _names(self) -> tuple[str, str, None]:
        return "", f":{NICK}.tmi.twitch.tv 353 {NICK} = #{self._channel()} :{NICK}", None

    # -- what matters ----------------------------------------------------------------------------------------------
    def _join(self) -> tuple[str, str, str]:
        return "", f":{NICK}!{NICK}@{NICK}.tmi.twitch.tv JOIN #{self._channel()}", "own JOIN"

    def _part(self) -> tuple[str, str, str]:
        return "", f":{NICK}!{NICK}@{NICK}.tmi.twitch.tv PART #{self._channel()}", "own PART"

    def _end_of_names(self) -> tuple[str, str, str]:
        return "", f":{NICK}.tmi.twitch.tv 366 {NICK} #{self._channel()} :End of /NAMES list", "366"

    def _roomstate(self) -> tuple[str, str, str]:
        tags = f"@emote-only=0;followers-only=-1;r9k=0;room-id={self._id()};slow=0;subs-only=0 "
        return tags, f":tmi.twitch.tv ROOMSTATE #{self._channel()}", "ROOMSTATE"

    def _refusal(self) -> tuple[str, str, str]:
        msg_id = self.random.choice(["msg_banned", "msg_channel_suspended", "tos_ban"])
        return f"@msg-id={msg_id} ", f":tmi.twitch.tv NOTICE #{self._channel()} :No {self._text()}", "NOTICE"

    def _cleared(self) -> tuple[str, str, str]:
        tags = f"@ban-duration=600;room-id={self._id()};target-user-id={self._id()};tmi-sent-ts={self._time()} "
        return tags, f":tmi.twitch.tv CLEARCHAT #{self._channel()} :{NICK}", "own CLEARCHAT"

    def _ping(self) -> tuple[str, str, str]:
        return "", "PING :tmi.twitch.tv", "PING"

    def _reconnect(self) -> tuple[str, str, str]:
        return "", ":tmi.twitch.tv RECONNECT", "RECONNECT"

    _SHARES = (
        (0.9300, _chat),
        (0.0350, _others_move),
        (0.0120, _usernotice),
        (0.0050, _others_cleared),
        (0.0030, _deleted),
        (0.0020, _userstate),
        (0.0015, _names),
        (0.0025, _roomstate),
        (0.0015, _refusal),
        (0.0015, _join),
        (0.0007, _part),
        (0.0015, _end_of_names),
        (0.0005, _cleared),
        (0.0005, _ping),
        (0.0002, _reconnect),
    )

    # -- pieces ----------------------------------------------------------------------------------------------------
    def _letters(self, least: int, most: int) -> str:
        return "".join(self.random.choices(_LETTERS, k=self.random.randint(least, most)))

    def _user(self) -> str:
        return self.random.choice(self._users)

    def _channel(self) -> str:
        return self.random.choice(self._channels)

    def _text(self) -> str:
        count = min(60, 1 + int(self.random.expovariate(1 / 7)))
        return " ".join(self.random.choices(_WORDS, k=count))[:450]

    def _look(self, user: str) -> str:
        return f"color={self.random.choice(['', '#1E90FF', '#FF69B4'])};display-name={user.title()}"

    def _hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def _uuid(self) -> str:
        return "-".join(self._hex(digits) for digits in (8, 4, 4, 4, 12))

    def _id(self) -> int:
        return self.random.randint(1_000_000, 999_999_999)

    def _time(self) -> int:
        self._at += 3
        return self._at


def make(lines: int, *, tagged: bool = True, seed: int = SEED, channels: int = 2000) -> Feed:
    """The same feed for the same arguments. Untagged, it is the same chat without the tags."""
    maker = _Maker(seed, channels)
    feed = Feed(lines=lines)
    parts = []
    for _ in range(lines):
        tags, rest, kind = maker.line()
        parts.append(f"{tags if tagged else ''}{rest}\r\n".encode())
        if kind:
            feed.truth[kind] += 1
    feed.data = b"".join(parts)
    return feed


def write(feed: Feed, path: Path) -> None:
    """The bytes into `path`, the truth beside it."""
    path.write_bytes(feed.data)
    path.with_suffix(".json").write_text(json.dumps({"lines": feed.lines, "truth": feed.truth}))


def read(path: Path) -> Feed:
    """What `write` wrote."""
    about = json.loads(path.with_suffix(".json").read_text())
    return Feed(path.read_bytes(), about["lines"], Counter(about["truth"]))


def main() -> None:
    bounded.begin()
    parser = argparse.ArgumentParser(description="Write a made-up feed of chat and the truth about it.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--lines", type=int, default=30000)
    parser.add_argument("--untagged", action="store_true")
    args = parser.parse_args()
    feed = make(args.lines, tagged=not args.untagged)
    write(feed, args.out)
    print(f"{feed.lines} lines, {len(feed.data) / feed.lines:.0f} bytes each; they matter: {dict(feed.truth)}")


if __name__ == "__main__":
    main()
