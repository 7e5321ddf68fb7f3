"""What the doctor says of HTTP, a proxy and the clock: what is seen, and the whole verdict."""

from __future__ import annotations

import pytest
from core_findings import FAULT, OK, WARNING, check
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.core import checkup_net as net
from allthepoints.core.checkup import Finding, Grade
from allthepoints.core.checkup_net import Place, Try, Why

HELIX = Place("helix", "api.example", 443)
REFUSED = Try("52.1.2.3", Why.REFUSED)


# -- HTTP ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (net.Http(401, own=True, seconds=0.0804), OK, "Twitch answers, in 80 ms.", ""),
        (net.Http(499, own=True, seconds=2.0), OK, "Twitch answers, in 2000 ms.", ""),
        (
            net.Http(500, own=True),
            WARNING,
            "Twitch has trouble: it answered 500.",
            "Nothing to do here: the service waits and asks again, and stays in the chats that it is in.",
        ),
        (
            net.Http(503),
            WARNING,
            "Twitch has trouble: it answered 503.",
            "Nothing to do here: the service waits and asks again, and stays in the chats that it is in.",
        ),
        (
            net.Http(429, own=True),
            WARNING,
            "Twitch says that this address asks too often (429).",
            "Something else on this address asks too much. The service waits by itself.",
        ),
        (
            net.Http(429),
            WARNING,
            "Twitch says that this address asks too often (429).",
            "Something else on this address asks too much. The service waits by itself.",
        ),
        (
            net.Http(428),
            FAULT,
            "Something that is not Twitch's answered 428.",
            (
                "Open any page in a browser on this machine: often it is a login page of this Wi-Fi, a filter or a "
                "proxy. Or a wrong address stands in [endpoints]."
            ),
        ),
        (
            net.Http(200, seconds=0.1),
            FAULT,
            "Something that is not Twitch's answered 200.",
            (
                "Open any page in a browser on this machine: often it is a login page of this Wi-Fi, a filter or a "
                "proxy. Or a wrong address stands in [endpoints]."
            ),
        ),
        (
            net.Http(302, to="portal.wifi"),
            FAULT,
            "Something that is not Twitch's answered 302, and leads on to portal.wifi.",
            (
                "Open any page in a browser on this machine: often it is a login page of this Wi-Fi, a filter or a "
                "proxy. Or a wrong address stands in [endpoints]."
            ),
        ),
        (
            net.Http(failed="no whole answer within 5 s"),
            FAULT,
            "Twitch did not answer: no whole answer within 5 s.",
            "If TCP and TLS are well, wait a minute and look again: it may be an outage there.",
        ),
    ],
)
def test_http(seen: net.Http, grade: Grade, text: str, cure: str) -> None:
    check(net.http(HELIX, seen), "helix.http", grade, text, cure)


@pytest.mark.parametrize(
    ("name", "who"),
    [("oauth", "Twitch"), ("streamelements", "StreamElements"), ("chat", "se.example")],
)
def test_http_names_whom_it_asked(name: str, who: str) -> None:
    seen = net.http(Place(name, "se.example", 443), net.Http(404, own=True, seconds=1.0))
    assert seen == Finding(f"{name}.http", OK, f"{who} answers, in 1000 ms.")


# -- a proxy ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (net.Proxy(), OK, "There is none: HTTP goes directly, as chat always does.", ""),
        (net.Proxy("p:1"), OK, "p:1 is set, and not used for any of the endpoints.", ""),
        (net.Proxy("p:1", failed=(REFUSED,)), OK, "p:1 is set, and not used for any of the endpoints.", ""),
        (
            net.Proxy("p:1", ("helix", "oauth")),
            OK,
            (
                "HTTPS (helix, oauth) goes through p:1. The chat does not go through it: it connects to its server "
                "directly."
            ),
            "",
        ),
        (
            net.Proxy("p:1", ("helix",), (REFUSED,)),
            FAULT,
            "The proxy p:1 cannot be reached: refused.",
            "See that it runs, or change HTTPS_PROXY in the environment of the service.",
        ),
        (
            net.Proxy("p:1", ("helix",), (Try("", Why.NO_NAME),)),
            FAULT,
            "The proxy p:1 cannot be reached: no such name.",
            "See that it runs, or change HTTPS_PROXY in the environment of the service.",
        ),
        (
            net.Proxy("p:1", ("helix",), unusable="no such file"),
            FAULT,
            "Nothing can be asked by HTTP in this environment: no such file.",
            "Look at HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and SSL_CERT_FILE. A proxy is written http://host:port.",
        ),
    ],
)
def test_proxy(seen: net.Proxy, grade: Grade, text: str, cure: str) -> None:
    check(net.proxy(seen), "proxy", grade, text, cure)


# -- the clock -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("offsets", "grade", "text", "cure"),
    [
        ((), WARNING, "No server told the time, so the clock could not be compared.", ""),
        ((0.7, -1.2), OK, "It agrees with the servers' to a second or two.", ""),
        ((2.9,), OK, "It agrees with the servers' to a second or two.", ""),
        ((-2.9,), OK, "It agrees with the servers' to a second or two.", ""),
        ((3.0,), OK, "It is 3 s ahead of the servers'.", ""),
        ((-29.9,), OK, "It is 29 s behind the servers'.", ""),
        ((31.0, 29.0), OK, "It is 29 s ahead of the servers'.", ""),
        (
            (30.0,),
            WARNING,
            "It is 30 s ahead of the servers'.",
            "Turn on setting the time by network (timedatectl set-ntp true), and restart the service.",
        ),
        (
            (-45.0,),
            WARNING,
            "It is 45 s behind the servers'.",
            "Turn on setting the time by network (timedatectl set-ntp true), and restart the service.",
        ),
        (
            (299.9,),
            WARNING,
            "It is 4 min ahead of the servers'.",
            "Turn on setting the time by network (timedatectl set-ntp true), and restart the service.",
        ),
        (
            (-300.0,),
            FAULT,
            "It is 5 min behind the servers': ends of tokens, cooldowns and what is recorded are wrong by that.",
            "Turn on setting the time by network (timedatectl set-ntp true), and restart the service.",
        ),
        (
            (7200.0, 7201.0),
            FAULT,
            "It is 2 h ahead of the servers': ends of tokens, cooldowns and what is recorded are wrong by that.",
            "Turn on setting the time by network (timedatectl set-ntp true), and restart the service.",
        ),
        ((-400_000.0, 0.5), OK, "It agrees with the servers' to a second or two.", ""),
    ],
)
def test_fc_34_clock(offsets: tuple[float, ...], grade: Grade, text: str, cure: str) -> None:
    check(net.clock({str(at): off for at, off in enumerate(offsets)}), "clock", grade, text, cure)


def test_a_sandbox_has_no_other_clock() -> None:
    text = "It was compared with none: all endpoints are this machine itself."
    check(net.clock({}, local=True), "clock", OK, text)
    assert net.clock({"helix": 400.0}, local=True) == net.clock({"helix": 400.0})


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3))
def test_one_server_that_agrees_is_enough(offsets: list[float]) -> None:
    seen = net.clock(dict(zip("abc", offsets, strict=False)))
    assert seen == net.clock({"nearest": min(offsets, key=abs)})
