from dataclasses import replace
from datetime import UTC

import pytest
from rich.cells import cell_len

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.core.redeem import FOUND, Reason, Redemption, State
from allthepoints.views.redemptions import outcome_lines, redemption_lines, why

NOW = 1_795_640_400.0
ASKED = Redemption(
    "0123456789abcdef", UserId("1"), Login("alpha"), ItemId("64b0"), 1500, NOW - 60, name="Pick the next map 🗺"
)
DONE = replace(ASKED, state=State.ACCEPTED, settled_at=NOW - 50, code="SECRET-CODE")
REFUSED = replace(
    ASKED, state=State.REJECTED, reason=Reason.REFUSED, text="You are redeeming too fast", settled_at=NOW - 50
)


@pytest.mark.parametrize(
    ("redemption", "expected"),
    [
        (DONE, ["Redeemed: Pick the next map 🗺 in Alpha's store, for 1,500 acorns."]),
        (replace(DONE, code=None), ["Redeemed: Pick the next map 🗺 in Alpha's store, for 1,500 acorns."]),
        (
            replace(DONE, code=None, text=FOUND),
            [
                "Redeemed: Pick the next map 🗺 in Alpha's store, for 1,500 acorns.",
                "No answer came; it stands among your redemptions.",
                "If it has an access code, StreamElements shows it: "
                "https://streamelements.com/dashboard/account/redemptions",
            ],
        ),
        (
            replace(ASKED, state=State.CHECKED),
            [
                "All checks passed: Pick the next map 🗺 in Alpha's store could be redeemed for 1,500 acorns. Nothing "
                "was sent."
            ],
        ),
        (
            REFUSED,
            [
                "Not redeemed, and nothing was spent: Pick the next map 🗺 in Alpha's store.",
                'StreamElements said no ("You are redeeming too fast").',
            ],
        ),
        (
            replace(ASKED, state=State.REJECTED, reason=Reason.JWT_EXPIRED),
            [
                "Not redeemed, and nothing was spent: Pick the next map 🗺 in Alpha's store.",
                "Your StreamElements sign-in has ended.",
                "Run `allthepoints login streamelements`.",
            ],
        ),
        (
            replace(ASKED, state=State.UNKNOWN),
            [
                "Not known yet: whether Pick the next map 🗺 in Alpha's store was redeemed for 1,500 acorns. No clear "
                "answer came.",
                "It is not sent again. Your redemptions and your balance are read until it is certain;",
                "`allthepoints redemptions show 01234567` tells how it ends.",
            ],
        ),
        (ASKED, ["Under way: Pick the next map 🗺 in Alpha's store, for 1,500 acorns."]),
    ],
)
def test_fc_48_how_it_ended(redemption: Redemption, expected: list[str]) -> None:
    assert outcome_lines(redemption, "Alpha", "acorns") == expected


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_told(reason: Reason) -> None:
    assert why(replace(ASKED, state=State.REJECTED, reason=reason))
    assert len(outcome_lines(replace(ASKED, state=State.REJECTED, reason=reason), "Alpha", "")) >= 2


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        (Reason.REFUSED, "You are redeeming too fast", "You are redeeming too fast"),
        (Reason.REFUSED, "", "StreamElements said no"),
        (Reason.NEVER_ARRIVED, "read error", "no answer came, and StreamElements never booked it"),
        (Reason.SAID_NOT_TAKEN, "read error", "no answer came; you said that it was not taken"),
        (Reason.NOT_SENT, "connect timeout", "no connection to StreamElements came to be, so nothing was sent"),
        (Reason.UNCHECKED, "answered 502", "it could not be checked in time, so nothing was sent"),
    ],
)
def test_why_is_in_their_words_only_where_they_said_no(reason: Reason, text: str, expected: str) -> None:
    assert why(replace(ASKED, state=State.REJECTED, reason=reason, text=text)) == expected


def test_the_list_has_no_codes() -> None:
    lines = redemption_lines([DONE, REFUSED], lambda _: "Alpha", NOW, None, UTC)
    assert lines == [
        "when   channel  item                  cost  state         why                         key",
        "20:59  Alpha    Pick the next map 🗺  1,500  redeemed                                  01234567",
        "20:59  Alpha    Pick the next map 🗺  1,500  not redeemed  You are redeeming too fast  01234567",
    ]
    for width in (80, 40):
        assert all(cell_len(line) <= width for line in redemption_lines([REFUSED], lambda _: "Alpha", NOW, width, UTC))


def test_automatic_ones_have_keys_that_differ_in_the_list() -> None:
    auto = replace(DONE, auto=True, key="auto-0a1b2c3d-1700000000000")
    (_, line) = redemption_lines([auto], lambda r: "Alpha", NOW, 200)
    assert line.endswith("auto-0a1b2c3d")
