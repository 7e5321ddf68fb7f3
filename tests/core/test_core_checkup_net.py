"""What the doctor says of names and connections: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, OK, WARNING, check

from allthepoints.core import checkup_net as net
from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_net import Place, Tcp, Try, Why

# -- names -----------------------------------------------------------------------------------------------------------
CHAT = Place("chat", "irc.example", 6697)
HELIX = Place("helix", "api.example", 443)
BEHIND = replace(HELIX, proxy="proxy:3128")

FOUND = net.Names("irc.example", ("52.1.2.3", "52.1.2.4"), ("2600::1", "2600::2", "2600::3"))
LOST = net.Names("irc.example", failed=Why.NO_NAME)


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (FOUND, OK, "irc.example: IPv4 52.1.2.3, 52.1.2.4; IPv6 2600::1, 2600::2 and 1 more.", ""),
        (replace(FOUND, v4=()), OK, "irc.example: no IPv4; IPv6 2600::1, 2600::2 and 1 more.", ""),
        (replace(FOUND, v6=()), OK, "irc.example: IPv4 52.1.2.3, 52.1.2.4; no IPv6.", ""),
        (replace(FOUND, v4=("no address",)), OK, "irc.example: IPv4 no address; IPv6 2600::1, 2600::2 and 1 more.", ""),
        (
            replace(FOUND, v6=("::ffff:52.1.2.3",)),
            OK,
            "irc.example: IPv4 52.1.2.3, 52.1.2.4; IPv6 ::ffff:52.1.2.3.",
            "",
        ),
        (net.Names("127.0.0.1", ("127.0.0.1",), literal=True), OK, "127.0.0.1 is an address.", ""),
        (net.Names("localhost", ("127.0.0.1",), ("::1",)), OK, "localhost: IPv4 127.0.0.1; IPv6 ::1.", ""),
        (
            replace(FOUND, v4=("0.0.0.0",), v6=()),
            FAULT,
            "irc.example leads nowhere (0.0.0.0): a filter in this network blocks it.",
            "Allow irc.example in the filter (Pi-hole, AdGuard, the router's or the provider's).",
        ),
        (
            replace(FOUND, v6=("2600::1", "::")),
            FAULT,
            "irc.example leads nowhere (::): a filter in this network blocks it.",
            "Allow irc.example in the filter (Pi-hole, AdGuard, the router's or the provider's).",
        ),
        (
            replace(FOUND, v6=("::ffff:0.0.0.0",)),
            FAULT,
            "irc.example leads nowhere (::ffff:0.0.0.0): a filter in this network blocks it.",
            "Allow irc.example in the filter (Pi-hole, AdGuard, the router's or the provider's).",
        ),
        (
            replace(FOUND, v4=("52.1.2.3", "10.0.0.9"), v6=()),
            WARNING,
            (
                "irc.example: IPv4 52.1.2.3, 10.0.0.9; no IPv6. 10.0.0.9 is an address of your own network or "
                "machine, not of the internet."
            ),
            "If that is no relay of yours, look at the hosts file and at the name server of this network.",
        ),
        (
            replace(FOUND, v4=("127.0.0.1",), v6=()),
            WARNING,
            (
                "irc.example: IPv4 127.0.0.1; no IPv6. 127.0.0.1 is an address of your own network or machine, not of "
                "the internet."
            ),
            "If that is no relay of yours, look at the hosts file and at the name server of this network.",
        ),
        (
            replace(FOUND, v4=(), v6=("fe80::1%eth0",)),
            WARNING,
            (
                "irc.example: no IPv4; IPv6 fe80::1%eth0. fe80::1%eth0 is an address of your own network or machine, "
                "not of the internet."
            ),
            "If that is no relay of yours, look at the hosts file and at the name server of this network.",
        ),
        (
            replace(FOUND, v4=(), v6=("::ffff:192.168.0.4",)),
            WARNING,
            (
                "irc.example: no IPv4; IPv6 ::ffff:192.168.0.4. ::ffff:192.168.0.4 is an address of your own network "
                "or machine, not of the internet."
            ),
            "If that is no relay of yours, look at the hosts file and at the name server of this network.",
        ),
        (
            LOST,
            FAULT,
            "There is no host named irc.example.",
            "Look at [endpoints] in the config if you changed it; else at the name server of this network.",
        ),
        (
            replace(LOST, failed=Why.LATE),
            FAULT,
            "irc.example could not be looked up: no name server answered in time.",
            "Look whether this machine has a network at all: cable, Wi-Fi, router. Then its name server (DNS).",
        ),
        (
            replace(LOST, failed=Why.NO_RESOLVER),
            FAULT,
            "irc.example could not be looked up: the name server does not answer.",
            "Look whether this machine has a network at all: cable, Wi-Fi, router. Then its name server (DNS).",
        ),
    ],
)
def test_names(seen: net.Names, grade: Grade, text: str, cure: str) -> None:
    check(net.names(CHAT, seen), "chat.names", grade, text, cure)


def test_a_place_is_reached_by_tls_and_without_a_proxy_unless_told_otherwise() -> None:
    assert (CHAT.where, CHAT.tls, CHAT.proxy) == ("irc.example port 6697", True, "")


# -- TCP -------------------------------------------------------------------------------------------------------------
GOOD4, GOOD6 = Try("52.1.2.3"), Try("2600::1")


def bad(why: Why, address: str = "52.1.2.3", text: str = "") -> Try:
    return Try(address, why, text)


@pytest.mark.parametrize(
    ("tries", "grade", "text", "cure"),
    [
        ((GOOD4, GOOD6), OK, "Port 6697 answers, by IPv4 and IPv6.", ""),
        ((GOOD6, GOOD4), OK, "Port 6697 answers, by IPv6 and IPv4.", ""),
        ((GOOD4, Try("52.1.2.4")), OK, "Port 6697 answers, by IPv4.", ""),
        ((GOOD4,), OK, "Port 6697 answers, by IPv4.", ""),
        (
            (GOOD4, bad(Why.NO_ROUTE, "2600::1")),
            OK,
            "Port 6697 answers, by IPv4. IPv6 does not get through (no route), and is not needed.",
            "",
        ),
        (
            (bad(Why.LATE), GOOD6),
            OK,
            "Port 6697 answers, by IPv6. IPv4 does not get through (no answer in time), and is not needed.",
            "",
        ),
        ((bad(Why.LATE), Try("52.1.2.4"), GOOD6), OK, "Port 6697 answers, by IPv4 and IPv6.", ""),
        (
            (GOOD4, bad(Why.OTHER, "2600::1", "message too long")),
            OK,
            "Port 6697 answers, by IPv4. IPv6 does not get through (message too long), and is not needed.",
            "",
        ),
        (
            (bad(Why.REFUSED),),
            FAULT,
            "irc.example port 6697 cannot be reached: refused.",
            (
                "Allow connections to port 6697 in the firewall. If [endpoints] points at a relay or sandbox of "
                "yours, see that it runs."
            ),
        ),
        (
            (bad(Why.REFUSED), bad(Why.REFUSED, "2600::1")),
            FAULT,
            "irc.example port 6697 cannot be reached: refused.",
            (
                "Allow connections to port 6697 in the firewall. If [endpoints] points at a relay or sandbox of "
                "yours, see that it runs."
            ),
        ),
        (
            (bad(Why.NO_ROUTE), bad(Why.NO_ROUTE, "2600::1", "told")),
            FAULT,
            "irc.example port 6697 cannot be reached: no route.",
            "Look whether this machine has a network at all: cable, Wi-Fi, router.",
        ),
        (
            (bad(Why.REFUSED), bad(Why.NO_ROUTE, "2600::1")),
            FAULT,
            "irc.example port 6697 cannot be reached: IPv4 refused, IPv6 no route.",
            (
                "Allow connections to irc.example port 6697 in the firewall, which may swallow them. Look whether "
                "this machine has a network at all: cable, Wi-Fi, router."
            ),
        ),
        (
            (bad(Why.LATE), bad(Why.LATE, "52.1.2.4"), bad(Why.CLOSED, "2600::1")),
            FAULT,
            "irc.example port 6697 cannot be reached: IPv4 no answer in time, IPv6 closed.",
            (
                "Allow connections to irc.example port 6697 in the firewall, which may swallow them. Look whether "
                "this machine has a network at all: cable, Wi-Fi, router."
            ),
        ),
        (
            (bad(Why.OTHER, text="message too long"),),
            FAULT,
            "irc.example port 6697 cannot be reached: message too long.",
            (
                "Allow connections to irc.example port 6697 in the firewall, which may swallow them. Look whether "
                "this machine has a network at all: cable, Wi-Fi, router."
            ),
        ),
        (
            (bad(Why.OTHER),),
            FAULT,
            "irc.example port 6697 cannot be reached: other.",
            (
                "Allow connections to irc.example port 6697 in the firewall, which may swallow them. Look whether "
                "this machine has a network at all: cable, Wi-Fi, router."
            ),
        ),
    ],
)
def test_tcp(tries: tuple[Try, ...], grade: Grade, text: str, cure: str) -> None:
    check(net.tcp(CHAT, Tcp(tries)), "chat.tcp", grade, text, cure)


DIRECTLY = (
    "Chat does not go through a proxy: let this machine connect to irc.example port 6697 directly, or run it where "
    "it can."
)


@pytest.mark.parametrize("why", [Why.LATE, Why.REFUSED, Why.NO_ROUTE])
def test_chat_does_not_go_through_the_proxy_and_says_so_where_it_fails(why: Why) -> None:
    text = f"irc.example port 6697 cannot be reached: {why}."
    check(net.tcp(CHAT, Tcp((bad(why),)), proxy_set=True), "chat.tcp", FAULT, text, DIRECTLY)


@pytest.mark.parametrize(
    ("place", "seen", "grade", "text", "cure"),
    [
        (BEHIND, Tcp((GOOD4,)), OK, "The proxy proxy:3128 leads to api.example port 443.", ""),
        (BEHIND, Tcp((bad(Why.LATE), GOOD6)), OK, "The proxy proxy:3128 leads to api.example port 443.", ""),
        (
            BEHIND,
            Tcp((GOOD4,), "it answered 403"),
            FAULT,
            "The proxy proxy:3128 does not lead to api.example port 443: it answered 403.",
            "Allow api.example in the proxy, or name it in NO_PROXY if it can be reached without.",
        ),
        (
            HELIX,
            Tcp((bad(Why.REFUSED),)),
            FAULT,
            "api.example port 443 cannot be reached: refused.",
            (
                "Allow connections to port 443 in the firewall. If [endpoints] points at a relay or sandbox of yours, "
                "see that it runs."
            ),
        ),
        (HELIX, Tcp((GOOD4,)), OK, "Port 443 answers, by IPv4.", ""),
    ],
)
def test_what_goes_through_a_proxy_or_past_it(place: Place, seen: Tcp, grade: Grade, text: str, cure: str) -> None:
    check(net.tcp(place, seen, proxy_set=True), "helix.tcp", grade, text, cure)


def test_a_proxy_that_is_not_there_is_told_once_by_its_own_line() -> None:
    assert net.tcp(BEHIND, Tcp((bad(Why.REFUSED),))) is None
    assert net.tcp(BEHIND, Tcp((bad(Why.REFUSED),), "it answered 403")) is None
