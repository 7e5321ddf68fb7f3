"""How the doctor judges the network: names, TCP, TLS, HTTP, a proxy, the clock. Pure.

An endpoint is reached by a chain: name, TCP, TLS, HTTP. What goes through a proxy leaves the names to it, and begins
with TCP to the proxy; if that one cannot be reached, this is one fault, told once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from allthepoints.core.checkup import Finding, fault, ok, span, warning

CLOCK_OFF = 30.0
CLOCK_WRONG = 300.0
"""Seconds between this machine's clock and the servers': NTP keeps it below one, a tenth of an hour spoils times."""

SHOWN = 2
"""Addresses that are named; the others are counted."""

NETWORK = "Look whether this machine has a network at all: cable, Wi-Fi, router."


class Why(StrEnum):
    """Why a step failed, as the system tells it."""

    NO_NAME = "no such name"
    NO_RESOLVER = "the name server does not answer"
    LATE = "no answer in time"
    REFUSED = "refused"
    NO_ROUTE = "no route"
    CLOSED = "closed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint is. `name`: chat, helix, oauth or streamelements. `proxy`: the host:port that leads to it."""

    name: str
    host: str
    port: int
    tls: bool = True
    proxy: str = ""

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.host} port {self.port}"


# -- names -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Names:
    """What a host's name leads to. `literal`: it is an address itself. `failed`: why, where there is no address."""

    host: str
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()
    failed: Why | None = None
    literal: bool = False


def names(place: Place, seen: Names) -> Finding:
    """Whether the name is known, and leads to where it should."""
    name = f"{place.name}.names"
    if seen.literal:
        return ok(name, f"{seen.host} is an address.")
    found = (*seen.v4, *seen.v6)
    if not found:
        return _no_name(name, seen)
    known = {address: ip for address in found if (ip := _ip(address)) is not None}
    if void := [address for address, ip in known.items() if ip.is_unspecified]:
        return fault(
            name,
            f"{seen.host} leads nowhere ({void[0]}): a filter in this network blocks it.",
            f"Allow {seen.host} in the filter (Pi-hole, AdGuard, the router's or the provider's).",
        )
    told = f"{seen.host}: " + "; ".join(
        f"{label} {_some(part)}" if part else f"no {label}" for label, part in (("IPv4", seen.v4), ("IPv6", seen.v6))
    )
    inner = [address for address, ip in known.items() if ip.is_private]  # so are loopback and link-local
    if inner and seen.host != "localhost":
        return warning(
            name,
            f"{told}. {inner[0]} is an address of your own network or machine, not of the internet.",
            "If that is no relay of yours, look at the hosts file and at the name server of this network.",
        )
    return ok(name, f"{told}.")


def _no_name(name: str, seen: Names) -> Finding:
    if seen.failed is Why.NO_NAME:
        return fault(
            name,
            f"There is no host named {seen.host}.",
            "Look at [endpoints] in the config if you changed it; else at the name server of this network.",
        )
    late = "no name server answered in time" if seen.failed is Why.LATE else "the name server does not answer"
    return fault(name, f"{seen.host} could not be looked up: {late}.", f"{NETWORK} Then its name server (DNS).")


# -- TCP ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Try:
    """A TCP connection to one address. `failed` None: it came to be. `text`: the system's words."""

    address: str
    failed: Why | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tcp:
    """One try for each kind of address. `proxied`: they were tries of the proxy. `no_from_proxy`: its answer to
    CONNECT, where it was not a yes."""

    tries: tuple[Try, ...]
    no_from_proxy: str = ""

    @property
    def reached(self) -> bool:
        return any(one.failed is None for one in self.tries)


def tcp(place: Place, seen: Tcp, proxy_set: bool = False) -> Finding | None:
    """Whether a connection comes to be; None where it is the proxy that is not reached: that is told once, by `proxy`.

    `proxy_set`: there is a proxy, which this endpoint is not reached through.
    """
    name = f"{place.name}.tcp"
    if place.proxy and not seen.reached:
        return None
    if seen.no_from_proxy:
        return fault(
            name,
            f"The proxy {place.proxy} does not lead to {place.where}: {seen.no_from_proxy}.",
            f"Allow {place.host} in the proxy, or name it in NO_PROXY if it can be reached without.",
        )
    if place.proxy:
        return ok(name, f"The proxy {place.proxy} leads to {place.where}.")
    if not seen.reached:
        text = f"{place.where} cannot be reached: {_whys(seen.tries)}."
        return fault(name, text, _tcp_cure(place, seen.tries, proxy_set))
    good = list(dict.fromkeys(_version(one.address) for one in seen.tries if one.failed is None))
    bad = next((one for one in seen.tries if _version(one.address) not in good), None)
    rest = f" {_version(bad.address)} does not get through ({_why(bad)}), and is not needed." if bad else ""
    return ok(name, f"Port {place.port} answers, by {' and '.join(good)}.{rest}")


def _tcp_cure(place: Place, bad: Sequence[Try], proxy_set: bool) -> str:
    if place.name == "chat" and proxy_set:
        return (
            "Chat does not go through a proxy: let this machine connect to "
            f"{place.host} port {place.port} directly, or run it where it can."
        )
    if all(one.failed is Why.REFUSED for one in bad):
        return (
            f"Allow connections to port {place.port} in the firewall. If [endpoints] points at a relay or sandbox of "
            "yours, see that it runs."
        )
    if all(one.failed is Why.NO_ROUTE for one in bad):
        return NETWORK
    return f"Allow connections to {place.where} in the firewall, which may swallow them. {NETWORK}"


# -- HTTP --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Http:
    """An answer to a request without a token. `own`: in the words of whom was asked. `to`: the host of a redirect.

    `failed`: why there was none. `seconds`: how long it took.
    """

    status: int = 0
    own: bool = False
    to: str = ""
    seconds: float = 0.0
    failed: str = ""


OWNERS = {"helix": "Twitch", "oauth": "Twitch", "streamelements": "StreamElements"}


def http(place: Place, seen: Http) -> Finding:
    """Whether the one who was asked answers."""
    name, who = f"{place.name}.http", OWNERS.get(place.name, place.host)
    if seen.failed:
        text = f"{who} did not answer: {seen.failed}."
        return fault(name, text, "If TCP and TLS are well, wait a minute and look again: it may be an outage there.")
    if seen.status >= 500:
        cure = "Nothing to do here: the service waits and asks again, and stays in the chats that it is in."
        return warning(name, f"{who} has trouble: it answered {seen.status}.", cure)
    if seen.status == 429:
        cure = "Something else on this address asks too much. The service waits by itself."
        return warning(name, f"{who} says that this address asks too often (429).", cure)
    if seen.own:
        return ok(name, f"{who} answers, in {seen.seconds * 1000:.0f} ms.")
    leads = f", and leads on to {seen.to}" if seen.to else ""
    return fault(
        name,
        f"Something that is not {who}'s answered {seen.status}{leads}.",
        "Open any page in a browser on this machine: often it is a login page of this Wi-Fi, a filter or a proxy. Or a "
        "wrong address stands in [endpoints].",
    )


# -- proxy -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Proxy:
    """What the environment says of proxies. `address`: without user and password. `unusable`: why HTTP cannot be
    spoken at all with this environment. `failed`: why it was not reached."""

    address: str = ""
    carries: tuple[str, ...] = ()
    failed: tuple[Try, ...] = ()
    unusable: str = ""


def proxy(seen: Proxy) -> Finding:
    """What goes through a proxy; and that chat does not."""
    name, direct = "proxy", "The chat does not go through it: it connects to its server directly."
    if seen.unusable:
        return fault(
            name,
            f"Nothing can be asked by HTTP in this environment: {seen.unusable}.",
            "Look at HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and SSL_CERT_FILE. A proxy is written http://host:port.",
        )
    if not seen.address:
        return ok(name, "There is none: HTTP goes directly, as chat always does.")
    if not seen.carries:
        return ok(name, f"{seen.address} is set, and not used for any of the endpoints.")
    if seen.failed:
        text = f"The proxy {seen.address} cannot be reached: {_whys(seen.failed)}."
        return fault(name, text, "See that it runs, or change HTTPS_PROXY in the environment of the service.")
    what = ", ".join(seen.carries)
    return ok(name, f"HTTPS ({what}) goes through {seen.address}. {direct}")


# -- clock -------------------------------------------------------------------------------------------------------------
def clock(offsets: Mapping[str, float], local: bool = False) -> Finding:
    """Whether this machine's clock is right: seconds that it is ahead of each server's. One that agrees is enough.

    `local`: all of them are this machine itself.
    """
    name = "clock"
    if not offsets and local:
        return ok(name, "It was compared with none: all endpoints are this machine itself.")
    if not offsets:
        return warning(name, "No server told the time, so the clock could not be compared.")
    off = min(offsets.values(), key=abs)
    if abs(off) < CLOCK_OFF:
        return ok(name, "It agrees with the servers' to a second or two." if abs(off) < 3 else f"{_off(off)}.")
    cure = "Turn on setting the time by network (timedatectl set-ntp true), and restart the service."
    if abs(off) < CLOCK_WRONG:
        return warning(name, f"{_off(off)}.", cure)
    text = f"{_off(off)}: ends of tokens, cooldowns and what is recorded are wrong by that."
    return fault(name, text, cure)


def _off(seconds: float) -> str:
    return f"It is {span(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} the servers'"


# -- words -------------------------------------------------------------------------------------------------------------
def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return ip if isinstance(ip, ipaddress.IPv4Address) else ip.ipv4_mapped or ip


def _version(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def _some(addresses: Sequence[str]) -> str:
    more = len(addresses) - SHOWN
    return ", ".join(addresses[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _why(one: Try) -> str:
    return one.text if one.failed is Why.OTHER and one.text else str(one.failed)


def _whys(tries: Sequence[Try]) -> str:
    if len({_why(one) for one in tries}) == 1:
        return _why(tries[0])
    return ", ".join(dict.fromkeys(f"{_version(one.address)} {_why(one)}" for one in tries))
