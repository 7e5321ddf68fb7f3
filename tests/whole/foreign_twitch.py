"""A Twitch that somebody else might have built in an hour: it does the least, and does it carelessly.

The chat answers NICK with 001 and a JOIN with its echo, and knows nothing else: no CAP ACK, no tags, no ROOMSTATE, no
366, no PING of its own. Helix has /users and /streams by login or id; everything else is 404, in HTML. No rate headers.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USERS = {"alpha": "42", "beta": "43"}


@dataclass
class Habits:
    """How careless it is."""

    welcome: str = ":tmi.twitch.tv 001 {nick} :Welcome, GLHF!"
    echo: str = ":{nick}!{nick}@{nick}.tmi.twitch.tv JOIN {room}"
    pong: str | None = ":tmi.twitch.tv PONG tmi.twitch.tv :{text}"
    eol: str = "\r\n"
    validate: Callable[[str], tuple[int, Any]] = lambda _token: (
        200,
        {"client_id": "c", "login": "me", "scopes": ["chat:read"], "user_id": "1", "expires_in": 5000},
    )
    stream: Callable[[str, str], dict[str, Any]] = lambda login, user_id: {
        "id": f"9{user_id}",
        "user_id": user_id,
        "user_login": login,
        "user_name": login.title(),
        "type": "live",
        "title": "hello",
        "started_at": "2026-01-01T00:00:00Z",
    }
    helix: Callable[[str, dict[str, list[str]], str], tuple[int, Any] | None] = lambda _path, _query, _auth: None
    """Takes the place of an answer."""
    login_refusal: str | None = None


@dataclass
class ForeignTwitch:
    """`joined`: rooms in which somebody sits, in order of arrival. `lines`: everything that the chat was told."""

    habits: Habits
    irc: str = ""
    http: str = ""
    live: set[str] = field(default_factory=set)
    joined: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def endpoints(self) -> dict[str, str]:
        return {"irc": self.irc, "helix": f"{self.http}/helix", "oauth": f"{self.http}/oauth2"}


@contextmanager
def foreign_twitch(habits: Habits | None = None) -> Iterator[ForeignTwitch]:
    twitch = ForeignTwitch(habits or Habits())
    chat = _ChatServer(twitch)
    web = _WebServer(twitch)
    twitch.irc = f"irc://127.0.0.1:{chat.server_address[1]}"
    twitch.http = f"http://127.0.0.1:{web.server_address[1]}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in (chat, web)]
    for thread in threads:
        thread.start()
    try:
        yield twitch
    finally:
        for server in (chat, web):
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join(5)


class _ChatServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, twitch: ForeignTwitch) -> None:
        self.twitch = twitch
        super().__init__(("127.0.0.1", 0), _Chat)


class _Chat(socketserver.StreamRequestHandler):
    server: _ChatServer

    def handle(self) -> None:
        try:
            self._talk()
        except OSError:
            return

    def _talk(self) -> None:
        twitch, habits, nick = self.server.twitch, self.server.twitch.habits, ""
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            twitch.lines.append(line)
            command, _, rest = line.partition(" ")
            if command == "NICK":
                nick = rest
                if habits.login_refusal:
                    password = next(said for said in reversed(twitch.lines) if said.startswith("PASS"))
                    self._say(habits.login_refusal.format(password=password))
                    return
                self._say(habits.welcome.format(nick=nick))
            elif command == "JOIN":
                for room in rest.split(","):
                    twitch.joined.append(room.removeprefix("#"))
                    self._say(habits.echo.format(nick=nick, room=room))
            elif command == "PART":
                for room in rest.split(","):
                    twitch.joined.remove(room.removeprefix("#"))
            elif command == "PING" and habits.pong:
                self._say(habits.pong.format(text=rest.removeprefix(":")))

    def _say(self, line: str) -> None:
        self.wfile.write((line + self.server.twitch.habits.eol).encode())


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, twitch: ForeignTwitch) -> None:
        self.twitch = twitch
        super().__init__(("127.0.0.1", 0), _Web)


class _Web(BaseHTTPRequestHandler):
    server: _WebServer

    def do_GET(self) -> None:
        twitch = self.server.twitch
        parts = urlsplit(self.path)
        query, auth = parse_qs(parts.query), self.headers.get("Authorization", "")
        twitch.asked.append(parts.path)
        status, body = twitch.habits.helix(parts.path, query, auth) or self._usual(parts.path, query, auth)
        self._answer(status, body)

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        parts = urlsplit(self.path)
        self.server.twitch.asked.append(parts.path)
        found = self.server.twitch.habits.helix(parts.path, parse_qs(form), form)
        self._answer(*(found or (404, "<h1>Not Found</h1>")))

    def _usual(self, path: str, query: dict[str, list[str]], auth: str) -> tuple[int, Any]:
        twitch = self.server.twitch
        match path:
            case "/oauth2/validate":
                return twitch.habits.validate(auth.removeprefix("OAuth "))
            case "/helix/users":
                return 200, {"data": [{"id": i, "login": name} for name, i in self._meant(query, "login", "id")]}
            case "/helix/streams":
                meant = self._meant(query, "user_login", "user_id")
                return 200, {"data": [twitch.habits.stream(name, i) for name, i in meant if name in twitch.live]}
        return 404, "<h1>Not Found</h1>"

    def _meant(self, query: dict[str, list[str]], login: str, user_id: str) -> list[tuple[str, str]]:
        logins, ids = query.get(login, []), query.get(user_id, [])
        return [(name, i) for name, i in USERS.items() if name in logins or i in ids]

    def _answer(self, status: int, body: Any) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Not on the test's own output."""


@contextmanager
def mute_listener() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port that accepts and says nothing. Answers the port and the connections that came."""
    came: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    came.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(listener.getsockname()[1]), came
        finally:
            over.set()
            thread.join(5)
            for one in came:
                one.close()
