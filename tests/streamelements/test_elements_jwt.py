"""The viewer's JWT: what it says of its end, where it comes from, and that no text holds it."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_elements import DAY, ITEM, NOW, OWN, SE, Elements, body, make_jwt

from allthepoints.base.errors import FaultError, SignInNeeded
from allthepoints.base.secret import Secret
from allthepoints.core.loyalty import JwtState
from allthepoints.ports import JwtUnusable
from allthepoints.streamelements.jwt import JwtKeeper, end_of, tidy
from allthepoints.testing.clock import ManualClock

CURE = "dashboard/account/channels"


class Store:
    """One whose file may be unreadable."""

    def __init__(self, jwt: str | None = None, trouble: FaultError | None = None) -> None:
        self.jwt, self.trouble = jwt, trouble

    def load(self) -> Secret | None:
        if self.trouble is not None:
            raise self.trouble
        return None if self.jwt is None else Secret(self.jwt)

    def save(self, jwt: Secret) -> None:
        self.jwt = jwt.reveal()

    def forget(self) -> None:
        self.jwt = None


def keeper(store: Store | None = None, given: str | None = None) -> JwtKeeper:
    return JwtKeeper(ManualClock(NOW), store, None if given is None else Secret(given))


def check_end(expected: float | None, exp: object) -> None:
    assert end_of(Secret(make_jwt(exp))) == expected


def test_fc_31_when_it_ends() -> None:
    check_end(NOW + 6 * DAY, NOW + 6 * DAY)
    check_end(NOW - DAY, NOW - DAY)
    check_end(NOW, int(NOW))
    check_end(NOW, int(NOW * 1000))
    for untold in (None, "soon", True, 0, -1, [], 1e300):
        check_end(None, untold)


def check_unusable(made: JwtKeeper, state: JwtState, text: str) -> None:
    for ask in (made.present, made.expires_at):
        with pytest.raises(JwtUnusable, match=text) as caught:
            ask()
        assert caught.value.state is state
        assert isinstance(caught.value, SignInNeeded)


def test_fc_31_in_six_days_and_yesterday() -> None:
    assert keeper(given=make_jwt(NOW + 6 * DAY)).expires_at() == NOW + 6 * DAY
    check_unusable(keeper(given=make_jwt(NOW - DAY)), JwtState.EXPIRED, "has expired")
    check_unusable(keeper(given=make_jwt(NOW)), JwtState.EXPIRED, "has expired")
    with pytest.raises(JwtUnusable) as caught:
        keeper(given=make_jwt(NOW - DAY)).present()
    assert caught.value.expires_at == NOW - DAY
    assert CURE in caught.value.hint


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


NOT_JWTS = {
    "overlay": ("canaryOverlayTokenTokenToken", "overlay token"),
    "cut": (make_jwt()[:40], "not whole"),
    "without-signature": (make_jwt().rpartition(".")[0], "not whole"),
    "empty-signature": (make_jwt().rpartition(".")[0] + ".", "not whole"),
    "two": (f"{make_jwt()}.{make_jwt()}", "not whole"),
    "long": ("canary" * 10_000, "other text"),
    "not-json": ("canary.canary.canary", "not whole"),
    "array": (f"{part({})}.{part([])}.canary", "not whole"),
    "words": ("my canary jwt is secret", "not a JWT"),
    "letters": (make_jwt().replace("e", "é"), "not whole"),
    "bare-bearer": ("Bearer ", "not a JWT"),
}


@pytest.mark.parametrize("name", NOT_JWTS)
def test_fc_31_what_is_no_jwt(name: str) -> None:
    text, words = NOT_JWTS[name]
    check_unusable(keeper(given=text), JwtState.MALFORMED, words)
    with pytest.raises(JwtUnusable) as caught:
        keeper(given=text).present()
    assert CURE in caught.value.hint
    shown = str(caught.value) + caught.value.hint + repr(caught.value)
    assert "canary" not in shown
    assert not text[:20].strip('"') or text[:20] not in shown or name == "bare-bearer"


@pytest.mark.parametrize("around", ["{}", " {}\n", '"{}"', "Bearer {}", "bearer   {}", "'Bearer {}' "])
def test_what_was_copied_with_it_is_taken_off(around: str) -> None:
    assert tidy(Secret(around.format(make_jwt()))).reveal() == make_jwt()
    wrapped = make_jwt()[:30] + "\n   " + make_jwt()[30:]
    assert tidy(Secret(around.format(wrapped))).reveal() == make_jwt()


def test_where_it_comes_from() -> None:
    stored, given = make_jwt(NOW + DAY), make_jwt(NOW + 2 * DAY)
    check_unusable(keeper(), JwtState.MISSING, "there is no StreamElements JWT")
    check_unusable(keeper(Store()), JwtState.MISSING, "there is no")
    check_unusable(keeper(Store("")), JwtState.MISSING, "there is no")
    assert keeper(Store(stored)).present().reveal() == stored
    assert keeper(Store(stored), given).present().reveal() == given
    assert keeper(Store(stored), "").present().reveal() == stored
    store = Store()
    made = keeper(store)
    check_unusable(made, JwtState.MISSING, "there is no")
    store.save(Secret(stored))  # by a command, while this one runs
    assert made.expires_at() == NOW + DAY


def test_a_file_that_cannot_be_read_is_a_missing_one() -> None:
    trouble = FaultError("x.json cannot be read by user 7: Permission denied", "Make it yours.")
    check_unusable(keeper(Store(trouble=trouble)), JwtState.MISSING, "cannot be read by user 7")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("jwt", "state"), [(make_jwt(NOW - DAY), JwtState.EXPIRED), ("canary", JwtState.MALFORMED), ("", JwtState.MISSING)]
)
async def test_fc_31_a_bad_one_is_never_sent_and_what_needs_none_goes_on(jwt: str, state: JwtState) -> None:
    elements = Elements(body({"loyalty": {}}), jwt=jwt)
    for work in (elements.store.me(), elements.store.history(OWN), elements.store.redeem(OWN, SE, ITEM, (), "")):
        with pytest.raises(JwtUnusable) as caught:
            await work
        assert caught.value.state is state
    assert not elements.calls
    assert await elements.points.loyalty(SE) is not None


@given(st.text() | st.lists(st.text(alphabet="eyJ09-_azAZ"), min_size=3, max_size=3).map(".".join))
def test_no_text_crashes(text: str) -> None:
    with suppress(JwtUnusable):
        end_of(tidy(Secret(text)))
