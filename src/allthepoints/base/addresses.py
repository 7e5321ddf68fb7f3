"""Addresses of the other side: what may stand there, and what never may (a secret in a URL, a token in clear)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\Z|\[[0-9a-f:.]+\]\Z")
_PATH = re.compile(r"(?:/(?!\.)[A-Za-z0-9._-]{1,50}){1,5}\Z")
LONGEST_SHOWN = 300
"""Characters of an address that is shown to a person."""

_IRC_PORTS = {"ircs": 6697, "irc": 6667}


class BadAddress(ValueError):
    """Why an address cannot be used; the message never repeats the address, which may hold a secret."""


@dataclass(frozen=True, slots=True)
class IrcAddress:
    """Where the chat is."""

    host: str
    port: int
    tls: bool


def irc_address(url: str) -> IrcAddress:
    """The parts of an `ircs://host:port` (or, on this machine only, `irc://`). Raises BadAddress."""
    parts = _split(url, secure="ircs", plain="irc")
    if parts.path.strip("/"):
        raise BadAddress("it has a path; a chat server has none")
    return IrcAddress(parts.hostname or "", parts.port or _IRC_PORTS[parts.scheme], parts.scheme == "ircs")


def check_http(url: str) -> str:
    """A base URL without its last slash. Raises BadAddress."""
    parts = _split(url, secure="https", plain="http")
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def check_listen(text: str) -> str:
    """A `host:port` to listen on, or nothing. Raises BadAddress."""
    if not text:
        return ""
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isdecimal() or not port.isascii() or int(port) > 65535:
        raise BadAddress("it is not HOST:PORT")
    if ":" in bare and not host.startswith("["):
        raise BadAddress("an IPv6 address stands in brackets: [::1]:7771")
    if not _may_be_looked_up(bare):
        raise BadAddress("its host is no host's name")
    return text


def listen_parts(text: str) -> tuple[str, int]:
    """Host and port of a `host:port` that was checked."""
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def check_host(text: str) -> str:
    """The name of a host as a browser sends it, lower case, without a port. Raises BadAddress."""
    name = text.strip().lower().removesuffix(".")
    if not _HOST.match(name):
        raise BadAddress("it is not the name of a host, such as points.example.org")
    return name


def check_base_path(text: str) -> str:
    """A path to live under, without its last slash; "" is the root. Raises BadAddress."""
    path = text.rstrip("/")
    if path and not _PATH.match(path):
        raise BadAddress("it is not a path such as /points (letters, digits, . _ - in each part)")
    return path


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine: 127.0.0.0/8, ::1 or localhost. Other names may lead anywhere."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_be_opened(url: str, by: str, owner: str) -> bool:
    """Whether a person may be sent to `url`, which a server at the address `by` named: a page of `owner` (twitch.tv),
    or of whose server that is.

    Two hosts are one owner's where they share the last two names; those of this machine are. An address that shows
    another host than it leads to is none.
    """
    if len(url) > LONGEST_SHOWN or not url.isascii() or "\\" in url:
        return False
    try:
        _split(url.partition("?")[0], secure="https", plain="http")
    except BadAddress:
        return False
    there, here = host_of(url), host_of(by)
    return _owner(there) in {_owner(here), owner}


def host_of(url: str) -> str:
    """The host of a URL that was checked."""
    return urlsplit(url).hostname or ""


def _owner(host: str) -> str:
    if is_loopback(host):
        return "localhost"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ".".join(host.removesuffix(".").rsplit(".", 2)[-2:])


def _split(url: str, secure: str, plain: str) -> SplitResult:
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        raise BadAddress("it has a space or an unprintable character in it")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress("its host or port makes no sense") from None
    if parts.scheme not in {secure, plain}:
        raise BadAddress(f"it must begin with {secure}://")
    if not host or port == 0:
        raise BadAddress("it names no host" if not host else "its host or port makes no sense")
    if not _may_be_looked_up(host):
        raise BadAddress(f"{host} is not a host's name")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("it holds a user name or a password; secrets do not stand in the config")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadAddress("it has a query or a fragment; give the base address alone")
    if parts.scheme == plain and not is_loopback(host):
        raise BadAddress(f"{plain}:// would send your token in clear; it is allowed to this machine only")
    return parts


def _may_be_looked_up(host: str) -> bool:
    if host.isascii():
        return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False
